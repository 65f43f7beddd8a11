"""How a word piece looks in the text: its case, and what stands before it. The encoder reads neither."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

SHAPES = 40
"""How many shapes there are: ten of the whole word, for its first piece and the others, with accents and without."""
GAPS = 6

_SPECIAL, _LOWER, _TITLE, _UPPER, _LETTER, _MIXED, _DIGITS, _BOTH, _MARK, _CASELESS = range(10)
_CONTINUED, _ACCENTED = 10, 20


def surface(text: str, offsets: Sequence[tuple[int, int]]) -> tuple[list[int], list[int]]:
    """Return the shape of each word piece and the gap before it, as numbers.

    Args:
        text: What was cut into word pieces.
        offsets: Where each piece begins and ends; those of marks that are not in the text are empty.
    """
    shapes, gaps = [], []
    end_of_word, shape_of_word, before = -1, _SPECIAL, 0
    for start, end in offsets:
        if start >= end:
            shapes.append(_SPECIAL)
            gaps.append(0)
            continue
        continued = start < end_of_word
        if not continued:
            end_of_word = _word_end(text, start, end)
            shape_of_word = _shape(text[start:end_of_word])
        shapes.append(shape_of_word + (_CONTINUED if continued else 0))
        gaps.append(_gap(text, before, start))
        before = end
    return shapes, gaps


def _word_end(text: str, start: int, end: int) -> int:
    if not text[start].isalnum():
        return end
    while end < len(text) and text[end].isalnum():
        end += 1
    return end


def _shape(word: str) -> int:
    letters = [each for each in word if each.isalpha()]
    accents = _ACCENTED if any(not each.isascii() and unicodedata.decomposition(each) for each in letters) else 0
    if not letters:
        return _DIGITS if any(each.isdigit() for each in word) else _MARK
    if any(each.isdigit() for each in word):
        return _BOTH
    if all(each.lower() == each.upper() for each in letters):
        return _CASELESS
    return _case(word) + accents


def _case(word: str) -> int:
    if word.islower():
        return _LOWER
    if word.isupper():
        return _LETTER if len(word) == 1 else _UPPER
    return _TITLE if word[0].isupper() and word[1:].islower() else _MIXED


def _gap(text: str, before: int, start: int) -> int:
    """Return 0 at the beginning, 1 for none, then: a space, several, a line's end, anything else."""
    if start == 0:
        return 0
    between = text[before:start]
    if not between:
        return 1
    if "\n" in between:
        return 4
    if between == " ":
        return 2
    return 3 if between.isspace() else 5
