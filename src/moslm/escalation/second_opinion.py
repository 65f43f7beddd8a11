"""Is a second opinion worth its price? The value of information, before the cloud.

A draft below its threshold goes up, and going up costs a call of the large model. Asking a local model once more costs
its tokens and the user's time, and saves that call only if the answer lifts the calibrated probability over the
threshold. So it is asked only where some answer could do so, and only where the saving expected outweighs the price.
A draft that is above its threshold already keeps its promise and is not asked about. Knows no model and asks none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from moslm.escalation.confidence import Gauge, Values

_POSSIBLE = tuple((2 * step + 1) / 40 for step in range(20))
"""What a costly signal may turn out to be: the middles of twenty equal steps between 0 and 1."""


@dataclass(frozen=True, slots=True)
class Stakes:
    """What is at stake when a second opinion is considered."""

    threshold: float
    """Probability of being right from which the draft is kept."""
    escalation_usd: float
    """What going up costs."""
    asking_usd: float
    """What asking costs."""
    wait_s: float
    """How long asking takes."""
    usd_per_second: float
    """What a second of waiting is worth."""


def worth_asking(signal: str, values: Values, gauge: Gauge, stakes: Stakes) -> bool:
    """Tell whether fetching a costly signal is expected to save more than it costs.

    The chance that it lifts the draft over the threshold is the share of possible answers that would, and never more
    than ``probability / threshold``: what is learnt later averages out at what is known now (Markov's inequality).

    Args:
        signal: The costly signal.
        values: What was measured so far.
        gauge: How signals become the confidence.
        stakes: Prices and threshold.
    """
    now = gauge(values).value
    if now is not None and now >= stakes.threshold:
        return False
    after = [gauge({**values, signal: possible}).value for possible in _POSSIBLE]
    chance = _share_over(after, stakes.threshold)
    if now is not None and stakes.threshold > 0:
        chance = min(chance, now / stakes.threshold)
    return chance * stakes.escalation_usd > stakes.asking_usd + stakes.wait_s * stakes.usd_per_second


def _share_over(values: Sequence[float | None], threshold: float) -> float:
    return sum(1 for value in values if value is not None and value >= threshold) / len(values)
