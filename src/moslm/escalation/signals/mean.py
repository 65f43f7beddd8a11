"""How probable the draft's tokens were on the whole."""

from __future__ import annotations

import math

from moslm.decision import Signal
from moslm.escalation.signals import tokens
from moslm.state import Draft


def mean(draft: Draft) -> Signal:
    """Return the geometric mean of the token probabilities, ``exp(mean log-probability)``."""
    found, why = tokens.own(draft)
    if not found:
        return Signal(name="mean", why=why)
    value = math.exp(sum(found) / len(found))
    return Signal(name="mean", value=min(value, 1.0), why=f"geometric mean probability of {len(found)} tokens")
