"""Cuts a message into sentences, and a sentence into the pieces that can ask for something by themselves.

What stands in quotation marks is somebody else's words and is blanked, letter for letter, so that the positions stay.
Knows nothing of wishes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_READ_CHARS = 20_000
_AROUND = 80
_SENTENCE_END = re.compile(
    r"(?<=[.!?;])\s{1,9}|\n+|(?<=[\]>])\s+|(?<!\s)\s{1,9}(?=\[)|(?<!\s)\s{1,9}(?=#[a-z])", re.IGNORECASE
)
_QUOTED = re.compile(
    r"""(?<!\w)"[^"\n]{3,300}"|“[^”\n]{3,300}”|«[^»\n]{3,300}»|„[^“”\n]{3,300}[“”]|`[^`\n]{3,300}`"""
    r"""|(?<!\w)'[^'\n]{3,300}'(?!\w)|‘[^’\n]{3,300}’(?!\w)"""
)
_SEVERAL_WORDS = re.compile(r"\w\W+\w")
_PIECE_END = re.compile(
    r"\s{0,4}[,:]\s{1,4}(?!(?:please|thanks)\s*(?:$|[,.!?:;]))(?:(?:and|but|so|or|then)\s+)?"
    r"|\s{1,4}[-–—/|]{1,3}\s{1,4}|\s{0,4}—\s{0,4}|\s{0,4}[()\[\]{}]\s{0,4}|\.{2,9}\s{0,4}",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a sentence between commas, colons, dashes and brackets.

    ``before`` and ``after`` are the marks around it ("" at the ends of the sentence); ``earlier`` is the end of what
    stands before it in the sentence, ``later`` the start of what follows.
    """

    text: str
    before: str
    after: str
    earlier: str
    later: str


def sentences(text: str) -> Iterator[tuple[str, str]]:
    """Yield each sentence as it stands, and with what it quotes blanked.

    Of a text of more than 20,000 characters the first and last 10,000 are read.
    """
    if len(text) > _READ_CHARS:
        text = f"{text[: _READ_CHARS // 2]}\n{text[-_READ_CHARS // 2 :]}"
    text = text.replace("’", "'")
    blanked = _QUOTED.sub(_blank, text)
    start = 0
    for end in [*_SENTENCE_END.finditer(blanked), None]:
        stop = end.start() if end else len(text)
        if text[start:stop].strip():
            yield text[start:stop].strip(), blanked[start:stop].strip()
        start = end.end() if end else stop


def pieces(sentence: str) -> list[Piece]:
    """Return the pieces of a sentence in order."""
    found, start, mark = [], 0, ""
    for end in [*_PIECE_END.finditer(sentence), None]:
        stop = end.start() if end else len(sentence)
        after = end.group().strip() if end else ""
        if sentence[start:stop].strip():
            found.append(
                Piece(
                    sentence[start:stop].strip(),
                    mark,
                    after,
                    sentence[max(0, start - _AROUND) : start],
                    sentence[stop : stop + _AROUND],
                )
            )
        start, mark = (end.end() if end else stop), after
    return found


def _blank(found: re.Match[str]) -> str:
    """Blank quoted words; a single quoted word is emphasis and stays."""
    inner = found.group()[1:-1]
    return f'"{"~" * len(inner)}"' if _SEVERAL_WORDS.search(inner) else found.group()
