"""Whether two answers say the same: how far their words overlap, and what makes them another statement even so."""

from __future__ import annotations

from moslm.statements.assertions import Assertions, assertions
from moslm.statements.declining import declines


def contradiction(one: str, other: str) -> str | None:
    """Return in what two answers differ so that both cannot be right, or None."""
    first, second = assertions(one), assertions(other)
    if declines(one) != declines(other):
        return "declines where this one answers, or answers where it declines"
    if first.denies != second.denies:
        return "denies what this one says, or says what it denies"
    if _apart(first.numbers, second.numbers):
        return "has other numbers"
    if _apart(first.names, second.names):
        return "has other names"
    return None


def overlap(one: str, other: str) -> float:
    """Return the Dice overlap of the content words and numbers of two texts, between 0 and 1."""
    return _dice(assertions(one), assertions(other))


def _apart(one: frozenset[str], other: frozenset[str]) -> bool:
    """Tell whether two sets name different things; one that names more of the same does not contradict."""
    return (bool(one and other) and not (one <= other or other <= one)) or bool(one) != bool(other)


def _dice(one: Assertions, other: Assertions) -> float:
    first, second = one.words | one.numbers, other.words | other.numbers
    total = len(first) + len(second)
    return 2 * len(first & second) / total if total else 0.0
