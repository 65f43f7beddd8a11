"""The written requests of ``corpus/``: those without a name, and those whose names can be told and labelled."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from naming.words import words

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_TITLES = frozenset(words("titles_lower"))
_PLACES = frozenset(words("places_like_names"))
_NOT_NAMES = frozenset(words("known_for_others"))


@dataclass(frozen=True, slots=True)
class Request:
    """A written request and the names in it.

    Attributes:
        text: The request.
        names: Where each name begins and ends.
    """

    text: str
    names: tuple[tuple[int, int], ...]


def requests(files: Iterable[Path], first: Iterable[str], last: Iterable[str]) -> list[Request]:
    """Read the requests; those in which a word may be a name or may not are left out."""
    texts = list(_texts(files))
    lower = {word.group() for text in texts for word in _WORD.finditer(text) if word.group().islower()}
    known = ({name.lower() for name in first if len(name) > 2}, {name.lower() for name in last if len(name) > 2})
    found = (_labelled(text, lower, *known) for text in texts)
    return [each for each in found if each is not None]


def _texts(files: Iterable[Path]) -> Iterator[str]:
    for file in files:
        for line in file.read_text(encoding="utf-8").splitlines():
            yield json.loads(line)["text"]


def _labelled(text: str, lower: set[str], first: set[str], last: set[str]) -> Request | None:
    words = list(_WORD.finditer(text))
    names: list[tuple[int, int]] = []
    at = 0
    while at < len(words):
        word = re.sub(r"['’]s$", "", words[at].group())
        key, start = word.lower(), words[at].start()
        after_title = at > 0 and words[at - 1].group().lower() in _TITLES
        if not word[0].isupper() or len(word) < 3 or key in _PLACES or key in _NOT_NAMES or word.isupper():
            at += 1
            continue
        if after_title or (key in first and key not in lower):
            end = start + len(word)
            while (
                at + 1 < len(words) and text[end : words[at + 1].start()] == " " and words[at + 1].group()[0].isupper()
            ):
                at += 1
                end = words[at].start() + len(re.sub(r"['’]s$", "", words[at].group()))
            names.append((start, end))
        elif (key in first or key in last) and not _begins(text, start) and (key in last or key in lower):
            return None
        at += 1
    return Request(text, tuple(names))


def _begins(text: str, start: int) -> bool:
    before = text[:start].rstrip()
    return not before or before[-1] in ".!?:\n"


def without_names(found: Sequence[Request]) -> list[str]:
    """Return the texts in which there is none."""
    return [each.text for each in found if not each.names]
