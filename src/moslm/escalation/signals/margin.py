"""How far ahead each chosen token was of the runner-up."""

from __future__ import annotations

import math

from moslm.decision import Signal
from moslm.escalation.signals import tokens
from moslm.state import Draft


def margin(draft: Draft) -> Signal:
    """Return the mean gap in probability between the two most probable candidates for each token."""
    rows, why = tokens.alternatives(draft)
    if not rows:
        return Signal(name="margin", why=why)
    value = sum(math.exp(row[0]) - math.exp(row[1]) for row in rows) / len(rows)
    return Signal(name="margin", value=min(max(value, 0.0), 1.0), why=f"over the alternatives of {len(rows)} tokens")
