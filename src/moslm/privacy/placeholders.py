"""How a placeholder is written: ``<KIND_NUMBER>``, such as ``<PERSON_1>``. Knows nobody's values."""

from __future__ import annotations

import re

from moslm.privacy.recognisers.finding import Finding

LITERAL = "LITERAL"
"""Kind of a text that looks like a placeholder without being one: hidden as a value, it is restored as it was."""

PLACEHOLDER = re.compile(r"<(?P<kind>[A-Z][A-Z0-9_]{0,39})_(?P<number>[1-9][0-9]{0,5})>", re.ASCII)
_BEGUN = re.compile(r"<(?:[A-Z][A-Z0-9_]{0,46})?\Z", re.ASCII)


def written(kind: str, number: int) -> str:
    """Return the placeholder of a kind's ``number``-th value, counted from 1."""
    return f"<{kind}_{number}>"


def is_kind(kind: str) -> bool:
    """Say whether placeholders of this kind can be written and read again."""
    return PLACEHOLDER.fullmatch(written(kind, 999_999)) is not None


def begun(text: str) -> int:
    """Return where the beginning of a placeholder stands that a text ends with; its length where there is none."""
    found = _BEGUN.search(text, max(0, len(text) - 48))
    return found.start() if found else len(text)


def literals(text: str) -> list[Finding]:
    """Find what already looks like a placeholder before anything was hidden."""
    return [Finding(*match.span(), LITERAL, 1.0) for match in PLACEHOLDER.finditer(text)]
