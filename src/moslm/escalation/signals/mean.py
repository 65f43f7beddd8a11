"""How probable the draft's tokens were on the whole."""

from __future__ import annotations

import math

from moslm.decision import Signal
from moslm.state import Draft


def mean(draft: Draft) -> Signal:
    """Return the geometric mean of the token probabilities, ``exp(mean log-probability)``."""
    rows = draft.get("logprobs")
    if not rows:
        return Signal(name="mean", why="the server sent no log-probabilities")
    value = math.exp(sum(row[0] for row in rows) / len(rows))
    return Signal(name="mean", value=min(value, 1.0), why=f"geometric mean probability of {len(rows)} tokens")
