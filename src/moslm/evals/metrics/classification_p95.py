"""``classification_p95``: how long reading a request took, in the 95th percentile (service level: 50 ms)."""

from __future__ import annotations

from collections.abc import Sequence

from moslm.evals.figures import Figure
from moslm.evals.metrics.quantiles import quantile
from moslm.evals.outcomes import Outcome


def classification_p95(outcomes: Sequence[Outcome]) -> Figure:
    """Return the quantile."""
    found = [(each.classify_ms, f"{each.suite}/{each.group}") for each in outcomes if each.classify_ms is not None]
    return quantile([time for time, _ in found], [group for _, group in found], 0.95)
