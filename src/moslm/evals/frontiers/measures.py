"""The field's figures of one cost-quality curve: savings, escalations, APGR, CPT and AIQ.

PGR, APGR and CPT as RouteLLM has them (Ong et al., 2024): quality between the small and the large model's, at the
deciles of calls to the large one; APGR is the area under it, CPT(x) the share of calls at which it first reaches x.
AIQ as RouterBench has it (Hu et al., 2024): the mean quality over a range of costs, along the upper hull.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from moslm.evals.frontiers.curves import Operating

Array = NDArray[np.float64]

_DECILES = np.linspace(0, 1, 11)


def first_reaching(curve: Operating, quality: float, along: Array) -> float | None:
    """Return where a curve first reaches a quality; None where it never does.

    Args:
        curve: The curve.
        quality: The quality to reach.
        along: Cost or share escalated, point by point.
    """
    enough = np.flatnonzero(curve.quality >= quality - 1e-12)
    if not len(enough):
        return None
    place = int(enough[0])
    if place == 0:
        return float(along[0])
    before, after = curve.quality[place - 1], curve.quality[place]
    part = (quality - before) / (after - before)
    return float(along[place - 1] + part * (along[place] - along[place - 1]))


def saved(curve: Operating, share: float) -> float | None:
    """Return the share of the large model's cost saved at a share of its quality; below 0 where it costs more."""
    cost = first_reaching(curve, share * curve.large_quality, curve.cost)
    return None if cost is None or curve.large_cost <= 0 else 1 - cost / curve.large_cost


def escalated(curve: Operating, share: float) -> float | None:
    """Return the share of cases that must be escalated for a share of the large model's quality."""
    return first_reaching(curve, share * curve.large_quality, curve.escalated)


def apgr(curve: Operating) -> float | None:
    """Return the average performance gap recovered; None where the large model is no better."""
    recovered = _recovered(curve)
    return None if recovered is None else float(np.sum((recovered[1:] + recovered[:-1]) / 2 * np.diff(_DECILES)))


def cpt(curve: Operating, wanted: float) -> float | None:
    """Return the share of calls to the large model that recovers a share of the gap."""
    recovered = _recovered(curve)
    if recovered is None:
        return None
    place = int(np.flatnonzero(recovered >= wanted - 1e-12)[0])
    if place == 0:
        return 0.0
    part = (wanted - recovered[place - 1]) / (recovered[place] - recovered[place - 1])
    return float(_DECILES[place - 1] + part * (_DECILES[place] - _DECILES[place - 1]))


def aiq(costs: Array, quality: Array, low: float, high: float) -> float | None:
    """Return the mean quality over costs from ``low`` to ``high`` along the upper hull.

    Dearer than its dearest point a system stays as good as it was; cheaper than its cheapest it answers a share of the
    cases only, and none for nothing.

    Args:
        costs: Mean cost of a case at each point.
        quality: Mean points of a case there.
        low: Where the range begins.
        high: Where it ends.
    """
    if not high > low:
        return None
    hull = _hull(np.concatenate([[0.0], costs]), np.concatenate([[0.0], quality]))
    xs = np.unique(np.concatenate([[low, high], hull[0][(hull[0] > low) & (hull[0] < high)]]))
    ys = np.interp(xs, hull[0], hull[1])
    return float(np.sum((ys[1:] + ys[:-1]) / 2 * np.diff(xs)) / (high - low))


def _recovered(curve: Operating) -> Array | None:
    gap = curve.large_quality - curve.local_quality
    if gap <= 0:
        return None
    return np.asarray((np.interp(_DECILES, curve.escalated, curve.quality) - curve.local_quality) / gap)


def _hull(costs: Array, quality: Array) -> tuple[Array, Array]:
    """Return the non-decreasing concave hull from above."""
    order = np.lexsort((-quality, costs))
    kept: list[tuple[float, float]] = []
    best = -np.inf
    for x, y in zip(costs[order].tolist(), quality[order].tolist(), strict=True):
        if y <= best:
            continue
        best = y
        while len(kept) >= 2 and _below(kept[-2], kept[-1], (x, y)):
            kept.pop()
        kept.append((x, y))
    return np.array([x for x, _ in kept]), np.array([y for _, y in kept])


def _below(first: tuple[float, float], middle: tuple[float, float], last: tuple[float, float]) -> bool:
    return (middle[1] - first[1]) * (last[0] - first[0]) <= (last[1] - first[1]) * (middle[0] - first[0])
