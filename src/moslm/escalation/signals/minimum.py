"""How probable the draft's least probable token was."""

from __future__ import annotations

import math

from moslm.decision import Signal
from moslm.escalation.signals import tokens
from moslm.state import Draft


def minimum(draft: Draft) -> Signal:
    """Return the probability of the least probable token: one invented figure in a fluent answer shows here."""
    found, why = tokens.own(draft)
    if not found:
        return Signal(name="minimum", why=why)
    return Signal(name="minimum", value=min(math.exp(min(found)), 1.0), why=f"least probable of {len(found)} tokens")
