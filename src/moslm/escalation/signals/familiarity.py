"""How much the request is like those the classifier knows."""

from __future__ import annotations

from moslm.decision import Signal
from moslm.state import Draft


def familiarity(draft: Draft) -> Signal:
    """Return the novelty p-value of the request: small means unlike anything known."""
    found = draft.get("classification")
    p = found.get("novelty_p") if found else None
    if p is None:
        return Signal(name="familiarity", why="the novelty of the request was not measured")
    return Signal(name="familiarity", value=p, why="novelty p-value of the request")
