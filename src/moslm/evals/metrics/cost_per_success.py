"""``cost_per_success``: what all requests cost, for each that was answered right. A missing price leaves it unknown."""

from __future__ import annotations

from collections.abc import Sequence

from moslm.evals.figures import Figure
from moslm.evals.metrics.ratios import ratio
from moslm.evals.metrics.scope import asked, groups
from moslm.evals.outcomes import Outcome


def cost_per_success(outcomes: Sequence[Outcome]) -> Figure:
    """Return US dollars for each successful interaction; grading is no part of it."""
    found = asked(outcomes)
    unpriced = sum(each.usd is None for each in found)
    if unpriced:
        return Figure(value=None, n=len(found), unit="usd", why=f"the price of {unpriced} of {len(found)} is missing")
    right = [float(each.ending == "right") for each in found]
    made = ratio([each.usd or 0.0 for each in found], right, groups(found), "usd")
    return made if made.value is not None else made.model_copy(update={"why": "no request was answered right"})
