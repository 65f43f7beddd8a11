"""Whether a second answer says the same: another sample, or another local model. Costly: it must be asked for."""

from __future__ import annotations

from moslm.decision import Signal
from moslm.escalation.assertions import Assertions, assertions
from moslm.escalation.declining import declines
from moslm.state import Draft


def agreement(draft: Draft) -> Signal:
    """Return how alike the draft and the second answer are, between 0 and 1.

    The Dice overlap of their content words, and 0 where the two differ in what makes another statement: other numbers
    or dates, other names, a negation in one alone, or one that declines.
    """
    second = (draft.get("opinions") or {}).get("agreement")
    if second is None:
        return Signal(name="agreement", why="no second answer was asked for")
    text = second.get("text", "")
    if not text.strip():
        return Signal(name="agreement", why=second.get("error") or f"{second['model']} gave no second answer")
    conflict = contradiction(draft["text"], text)
    if conflict:
        return Signal(name="agreement", value=0.0, why=f"the second answer of {second['model']} {conflict}")
    value = _dice(assertions(draft["text"]), assertions(text))
    return Signal(name="agreement", value=value, why=f"overlap with the second answer of {second['model']}")


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


def _apart(one: frozenset[str], other: frozenset[str]) -> bool:
    """Tell whether two sets name different things; one that names more of the same does not contradict."""
    return (bool(one and other) and not (one <= other or other <= one)) or bool(one) != bool(other)


def _dice(one: Assertions, other: Assertions) -> float:
    first, second = one.words | one.numbers, other.words | other.numbers
    total = len(first) + len(second)
    return 2 * len(first & second) / total if total else 0.0
