"""How probable the draft's least probable token was."""

from __future__ import annotations

import math

from moslm.decision import Signal
from moslm.state import Draft


def minimum(draft: Draft) -> Signal:
    """Return the probability of the least probable token: one invented figure in a fluent answer shows here."""
    rows = draft.get("logprobs")
    if not rows:
        return Signal(name="minimum", why="the server sent no log-probabilities")
    value = math.exp(min(row[0] for row in rows))
    return Signal(name="minimum", value=min(value, 1.0), why=f"least probable of {len(rows)} tokens")
