"""``escalation_reduction``: how many fewer requests go up than before, as a share of what went up before."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from moslm.evals.figures import Figure
from moslm.evals.metrics.escalation_share import escalation_share
from moslm.evals.outcomes import Outcome


def escalation_reduction(baseline: float = 1.0) -> Callable[[Sequence[Outcome]], Figure]:
    """Return the metric against a stated baseline.

    Args:
        baseline: The share of requests that went up before; 1 where everything did, as with a large model alone.

    Raises:
        ValueError: The baseline is no share above 0.
    """
    if not 0 < baseline <= 1:
        raise ValueError(f"the baseline is {baseline!r}, and must be a share above 0")

    def metric(outcomes: Sequence[Outcome]) -> Figure:
        now = escalation_share(outcomes)
        if now.value is None:
            return now
        low = None if now.high is None else 1 - now.high / baseline
        high = None if now.low is None else 1 - now.low / baseline
        return now.model_copy(update={"value": 1 - now.value / baseline, "low": low, "high": high})

    return metric
