"""``domain_answer_p90``: the time small models took, end to end, in the 90th percentile (service level: 300 ms)."""

from __future__ import annotations

from collections.abc import Sequence

from moslm.evals.figures import Figure
from moslm.evals.metrics.quantiles import quantile
from moslm.evals.metrics.scope import asked
from moslm.evals.outcomes import Outcome


def domain_answer_p90(outcomes: Sequence[Outcome]) -> Figure:
    """Return the quantile."""
    there = [each for each in asked(outcomes) if each.way == "local"]
    found = [(each.total_ms, f"{each.suite}/{each.group}") for each in there if each.total_ms is not None]
    return quantile([time for time, _ in found], [group for _, group in found], 0.90)
