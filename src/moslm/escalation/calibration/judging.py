"""How good probabilities of being right are: calibration, ranking, and what keeping the best of them would risk.

Pure measurement on (probability, outcome) pairs; knows nothing of where they come from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moslm.escalation.calibration.artefact import Figures
from moslm.models.classifiers.judging import auroc, calibration_error

Probabilities = NDArray[np.float64]
Outcomes = NDArray[np.bool_]


def judged(probabilities: Probabilities, right: Outcomes, judged_on: str) -> Figures:
    """Measure every figure; None where there are no rows, or only one kind of outcome."""
    if not len(right):
        return Figures(0, judged_on, None, None, None, None, None, None)
    both = bool(right.any() and not right.all())
    return Figures(
        answers=len(right),
        judged_on=judged_on,
        accuracy=float(right.mean()),
        auroc=auroc(probabilities[right], probabilities[~right]) if both else None,
        calibration_error=equal_mass_error(probabilities, right),
        calibration_error_equal_width=calibration_error(probabilities, right),
        brier=float(np.mean((probabilities - right) ** 2)),
        aurc=aurc(probabilities, right),
    )


@dataclass(frozen=True, slots=True)
class Bin:
    """One bar of a reliability diagram: answers of about the same probability."""

    answers: int
    probability: float
    """Mean probability that was said."""
    right: float
    """Share that was right."""


def equal_mass_bins(probabilities: Probabilities, right: Outcomes, bins: int = 10) -> tuple[Bin, ...]:
    """Return bins that hold about as many answers each, lowest probability first."""
    order = np.argsort(probabilities, kind="stable")
    parts = [part for part in np.array_split(order, min(bins, max(1, len(order)))) if len(part)]
    return tuple(Bin(len(part), float(probabilities[part].mean()), float(right[part].mean())) for part in parts)


def equal_mass_error(probabilities: Probabilities, right: Outcomes, bins: int = 10) -> float:
    """Return the expected calibration error over bins of equal mass."""
    found = equal_mass_bins(probabilities, right, bins)
    return sum(each.answers * abs(each.probability - each.right) for each in found) / len(right)


def risk_coverage(probabilities: Probabilities, right: Outcomes) -> tuple[Probabilities, Probabilities]:
    """Return coverage and risk when the 1, 2, ... n most probable answers are kept (El-Yaniv and Wiener, 2010).

    Answers of equal probability are kept or not kept together in the mean: each counts the share wrong of its tie.
    """
    order = np.argsort(-probabilities, kind="stable")
    _, tie = np.unique(-probabilities[order], return_inverse=True)
    wrong = (~right[order]).astype(np.float64)
    shared = (np.bincount(tie, weights=wrong) / np.bincount(tie))[tie]
    kept = np.arange(1, len(order) + 1)
    return kept / len(order), np.cumsum(shared) / kept


def aurc(probabilities: Probabilities, right: Outcomes) -> float:
    """Return the area under the risk-coverage curve: the mean risk over all coverages; lower is better."""
    return float(risk_coverage(probabilities, right)[1].mean())
