"""Splits a request into the pieces that could each be a request of their own.

Cuts at sentence ends, at line breaks and where people start another wish ("also", "while I have you", "and"). A piece
too short to say what it is about stays with its neighbour. Offsets are those of the text as given. Knows no domains:
which pieces belong together is for the classifier.
"""

from __future__ import annotations

import re

from moslm.models.classifiers.vagueness import content_words

MOST_PIECES = 24
_READ_CHARS = 8000
_LEAST_WORDS = 1

_CUT = re.compile(
    r"""(?<=[.!?;。！？；।])\s+            # the end of a sentence
    | (?<=[。！？；])
    | (?<!\s)[^\S\n]*\n\s*
    | (?<!\s)\s+(?=(?:--?|–|—)\s)
    | (?:,\s*|(?<![\s,])\s+)(?=(?:and|also|plus|additionally|furthermore|moreover|besides|then|oh|btw|another|
        (?:in\ addition|as\ well\ as|by\ the\ way|one\ more|on\ another|while\ (?:i|you|we)|on\ top\ of)
      )\b)""",
    re.IGNORECASE | re.VERBOSE,
)


def pieces(text: str) -> list[tuple[int, int]]:
    """Return the (start, end) of each piece, in reading order, without the space around it.

    At most `MOST_PIECES` pieces of the first 8,000 characters; what follows belongs to the last piece.
    """
    found: list[tuple[int, int]] = []
    for start, end in _trimmed(text, _raw(text)):
        short = len(content_words(text[start:end])) < _LEAST_WORDS
        if found and (short or len(found) == MOST_PIECES or _too_short(text, found[-1])):
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    if len(found) > 1 and _too_short(text, found[0]):
        found[:2] = [(found[0][0], found[1][1])]
    return found


def _too_short(text: str, piece: tuple[int, int]) -> bool:
    return len(content_words(text[slice(*piece)])) < _LEAST_WORDS


def _raw(text: str) -> list[tuple[int, int]]:
    cuts = [0]
    for match in _CUT.finditer(text, 0, _READ_CHARS):
        if match.end() > cuts[-1]:
            cuts.append(match.end())
    return list(zip(cuts, [*cuts[1:], len(text)], strict=True))


def _trimmed(text: str, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    kept = []
    for start, end in spans:
        inside = text[start:end]
        left = len(inside) - len(inside.lstrip())
        right = len(inside.rstrip())
        if right > left:
            kept.append((start + left, start + right))
    return kept
