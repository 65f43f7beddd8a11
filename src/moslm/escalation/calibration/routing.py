"""What sending the most doubtful requests to a large model buys: RouteLLM's figures, and escalations needed.

PGR, APGR and CPT as RouteLLM defines and computes them (Ong et al., 2024; its ``evals/evaluate.py``): the share of
calls to the strong model runs over the ten deciles of the router's scores, lines join the points, APGR is the area
under PGR and CPT(x) the share of calls at which PGR first reaches x. Knows nothing of where scores come from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]
Outcomes = NDArray[np.bool_]

SHARES = (0.90, 0.95, 0.99)
_POINTS = 10


@dataclass(frozen=True, slots=True)
class Routing:
    """Figures of one router on one table; None where the strong model is no better than the weak one.

    Attributes:
        weak: Accuracy of the weak model alone.
        strong: Accuracy of the strong model alone.
        apgr: Average performance gap recovered; 0.5 is chance, more than 1 is possible.
        cpt50: Share of calls to the strong model that recovers half of the gap.
        cpt80: Share of calls that recovers four fifths.
        escalations: Smallest share of calls to the strong model that reaches 90, 95 and 99 % of its accuracy.
    """

    weak: float
    strong: float
    apgr: float | None
    cpt50: float | None
    cpt80: float | None
    escalations: dict[str, float]


def routed(need: Scores, weak: Outcomes, strong: Outcomes) -> Routing:
    """Measure a router.

    Args:
        need: (n,) the higher, the sooner a question goes to the strong model.
        weak: (n,) whether the weak model is right.
        strong: (n,) whether the strong model is.
    """
    low, high = float(weak.mean()), float(strong.mean())
    escalations = needed(need, weak, strong)
    if high <= low:
        return Routing(low, high, None, None, None, escalations)
    calls, accuracy = _curve(need, weak, strong)
    recovered = (accuracy - low) / (high - low)
    area = float(np.sum((recovered[1:] + recovered[:-1]) / 2 * np.diff(calls)))
    return Routing(low, high, area, _reached(calls, recovered, 0.5), _reached(calls, recovered, 0.8), escalations)


def needed(need: Scores, weak: Outcomes, strong: Outcomes) -> dict[str, float]:
    """Return the escalations needed for each of the shares of the strong model's accuracy, by share."""
    return {f"{share:.2f}": escalations_needed(need, weak, strong, share) for share in SHARES}


def escalations_needed(need: Scores, weak: Outcomes, strong: Outcomes, share: float) -> float:
    """Return the smallest share of calls to the strong model with which accuracy reaches ``share`` of its own."""
    order = np.argsort(-need, kind="stable")
    gained = np.concatenate([[0], np.cumsum(strong[order].astype(int) - weak[order])])
    enough = np.flatnonzero(weak.sum() + gained >= share * strong.sum() - 1e-9)
    return float(enough[0] / len(need))


def _curve(need: Scores, weak: Outcomes, strong: Outcomes) -> tuple[Scores, Scores]:
    bounds = np.unique(np.quantile(need, np.linspace(0, 1, _POINTS + 1)))
    bounds[-1] = np.nextafter(bounds[-1], np.inf)
    points = sorted(
        (float((need >= bound).mean()), float(np.where(need >= bound, strong, weak).mean())) for bound in bounds
    )
    return np.array([calls for calls, _ in points]), np.array([accuracy for _, accuracy in points])


def _reached(calls: Scores, recovered: Scores, wanted: float) -> float:
    place = int(np.flatnonzero(recovered >= wanted - 1e-12)[0])
    if place == 0:
        return float(calls[0])
    before, after = recovered[place - 1], recovered[place]
    return float(calls[place - 1] + (wanted - before) / (after - before) * (calls[place] - calls[place - 1]))
