"""Whether a second answer says the same: another sample, or another local model. Costly: it must be asked for."""

from __future__ import annotations

from moslm.decision import Signal
from moslm.state import Draft
from moslm.statements.agreeing import contradiction, overlap


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
    value = overlap(draft["text"], text)
    return Signal(name="agreement", value=value, why=f"overlap with the second answer of {second['model']}")
