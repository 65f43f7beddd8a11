"""``cost_reduction``: how much less was paid than the large model would have cost for the same answers.

What that would have cost stands in every Decision (the baseline model of the configuration, its price by the table).
"""

from __future__ import annotations

from collections.abc import Sequence

from moslm.evals.figures import Figure
from moslm.evals.metrics.ratios import ratio
from moslm.evals.metrics.scope import asked, groups
from moslm.evals.outcomes import Outcome


def cost_reduction(outcomes: Sequence[Outcome]) -> Figure:
    """Return the saving as a share of the baseline; what was paid for requests without an answer counts against it.

    n is how many would have cost something: those that were answered, which is what the figure rests on.
    """
    found = asked(outcomes)
    baseline = [_baseline(each) for each in found]
    if not found or any(each is None for each in baseline):
        missing = sum(each is None for each in baseline)
        why = f"{missing} of {len(found)} have no Decision that states a baseline" if found else "no case"
        return Figure(value=None, n=len(found), why=why)
    if any(each.usd is None for each in found):
        return Figure(value=None, n=len(found), why="a price is missing")
    spent = ratio([each.usd or 0.0 for each in found], [each or 0.0 for each in baseline], groups(found), "share")
    if spent.value is None:
        return spent.model_copy(update={"why": "nothing was answered"})
    rests_on = sum((each or 0.0) > 0 for each in baseline)
    bounds = {
        "low": None if spent.high is None else 1 - spent.high,
        "high": None if spent.low is None else 1 - spent.low,
    }
    return spent.model_copy(update={"value": 1 - spent.value, "n": rests_on, **bounds})


def _baseline(outcome: Outcome) -> float | None:
    cost = (outcome.decision or {}).get("cost")
    return float(cost["baseline_usd"]) if cost else None
