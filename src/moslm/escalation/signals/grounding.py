"""How much of the draft stands in what the model was given to answer from."""

from __future__ import annotations

from moslm.decision import Signal
from moslm.escalation.assertions import assertions, share, together
from moslm.state import Draft


def grounding(draft: Draft) -> Signal:
    """Return the share of the draft's content words that stand in its passages and tool results.

    Strict where a small slip makes another statement: a number, or a proper name, that stands neither there nor in the
    request makes it 0. A negation on one side alone halves it.
    """
    given = draft.get("evidence") or []
    if not given:
        return Signal(name="grounding", why="the model was given no passage and no tool result")
    said, shown, asked = assertions(draft["text"]), together(given), assertions(draft["task"]["text"])
    invented = sorted(
        {each for each in said.numbers if not (shown.has_number(each) or asked.has_number(each))}
        | (said.names - shown.words - asked.words)
    )
    if invented:
        return Signal(name="grounding", value=0.0, why=f"{len(invented)} numbers or names stand in none of the texts")
    if not said.words and not said.numbers:
        return Signal(name="grounding", value=0.0, why="the draft asserts nothing that could be looked up")
    value = share(said.words, shown.words)
    if said.denies and not shown.denies:
        value /= 2
    return Signal(name="grounding", value=value, why=f"of {len(said.words)} content words")
