"""``escalation_p85``: the time escalated answers took, end to end, in the 85th percentile (service level: 3 s)."""

from __future__ import annotations

from collections.abc import Sequence

from moslm.evals.figures import Figure
from moslm.evals.metrics.quantiles import quantile
from moslm.evals.metrics.scope import asked
from moslm.evals.outcomes import Outcome


def escalation_p85(outcomes: Sequence[Outcome]) -> Figure:
    """Return the quantile."""
    there = [each for each in asked(outcomes) if each.way == "escalated"]
    found = [(each.total_ms, f"{each.suite}/{each.group}") for each in there if each.total_ms is not None]
    return quantile([time for time, _ in found], [group for _, group in found], 0.85)
