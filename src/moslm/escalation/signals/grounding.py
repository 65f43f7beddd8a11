"""How much of the draft stands in what the model was given to answer from."""

from __future__ import annotations

from moslm.decision import Signal
from moslm.state import Draft
from moslm.statements.assertions import Assertions, assertions, share, together


def grounding(draft: Draft) -> Signal:
    """Return the share of the draft's content words that stand in its passages and tool results.

    Strict where a small slip makes another statement: a number, or a proper name, that stands neither there nor in the
    request makes it 0. A negation on one side alone halves it.
    """
    given = draft.get("evidence") or []
    if not given:
        return Signal(name="grounding", why="the model was given no passage and no tool result")
    said, shown = assertions(draft["text"]), together(given)
    if strange := _strange(said, shown, assertions(draft["task"]["text"])):
        return Signal(name="grounding", value=0.0, why=f"{len(strange)} numbers or names stand in none of the texts")
    if not said.words and not said.numbers:
        return Signal(name="grounding", value=0.0, why="the draft asserts nothing that could be looked up")
    value = share(said.words, shown.words)
    if said.denies and not shown.denies:
        value /= 2
    return Signal(name="grounding", value=value, why=f"of {len(said.words)} content words")


def invented(draft: Draft) -> frozenset[str]:
    """Return the numbers and names of a draft that stand neither in what it was given nor in the request."""
    shown, asked = together(draft.get("evidence") or []), assertions(draft["task"]["text"])
    return _strange(assertions(draft["text"]), shown, asked)


def _strange(said: Assertions, shown: Assertions, asked: Assertions) -> frozenset[str]:
    numbers = {each for each in said.numbers if not (shown.has_number(each) or asked.has_number(each))}
    return frozenset(numbers) | (said.names - shown.words - asked.words)
