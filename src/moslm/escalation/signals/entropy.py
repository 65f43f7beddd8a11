"""How undecided the model was among its alternatives."""

from __future__ import annotations

import math

from moslm.decision import Signal
from moslm.escalation.signals import tokens
from moslm.state import Draft


def entropy(draft: Draft) -> Signal:
    """Return 1 less the mean normalised entropy over the reported tokens.

    A token's entropy is taken over itself and the alternatives that the server reported, renormalised, and divided by
    the entropy of a uniform choice among them: 1 means every token was certain, 0 that every one was a toss-up.
    """
    rows, why = tokens.alternatives(draft)
    if not rows:
        return Signal(name="entropy", why=why)
    value = 1 - sum(_normalised(row) for row in rows) / len(rows)
    return Signal(name="entropy", value=min(max(value, 0.0), 1.0), why=f"over the alternatives of {len(rows)} tokens")


def _normalised(logprobs: list[float]) -> float:
    weights = [math.exp(each) for each in logprobs]
    total = sum(weights)
    if total <= 0:
        return 1.0
    shares = [weight / total for weight in weights if weight > 0]
    return -sum(share * math.log(share) for share in shares if share > 0) / math.log(len(logprobs))
