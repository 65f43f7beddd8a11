"""How good a head is on rows it was not fitted on: the figures a card carries and a person reads.

Pure measurement: AUROC by ranks (Mann and Whitney, 1947), accuracy, recall by label, expected calibration error. Knows
heads and rows; changes neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moslm.models.classifiers.head import Head
from moslm.models.classifiers.rows import Row


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured; None where the rows do not allow it."""

    rows: int
    accuracy: float | None
    recall: dict[str, float]
    calibration_error: float | None
    """Mean gap between confidence and accuracy over ten bins (expected calibration error)."""
    novelty_auroc: float | None
    """How well strangeness tells rows that belong nowhere from familiar ones; 0.5 is chance."""


def judged(head: Head, rows: Sequence[Row]) -> Figures:
    """Measure a head on rows."""
    scores = head.scores([row.text for row in rows])
    strange = head.strangeness(scores)
    familiar = np.array([row.label is not None for row in rows], dtype=bool)
    novelty = auroc(strange[~familiar], strange[familiar]) if familiar.any() and not familiar.all() else None
    if not familiar.any():
        return Figures(len(rows), None, {}, None, novelty)
    truth = np.array([head.labels.index(row.label) for row in rows if row.label is not None])
    probabilities = head.probabilities(scores[familiar])
    right = probabilities.argmax(axis=1) == truth
    recall = {name: float(right[truth == n].mean()) for n, name in enumerate(head.labels) if (truth == n).any()}
    error = calibration_error(probabilities.max(axis=1), right)
    return Figures(len(rows), float(right.mean()), recall, error, novelty)


def auroc(positive: NDArray[np.floating], negative: NDArray[np.floating]) -> float:
    """Return the chance that a random positive exceeds a random negative; ties count half."""
    values, ranks = np.unique(np.concatenate([positive, negative]), return_inverse=True)
    ahead = np.bincount(ranks[len(positive) :], minlength=len(values))
    below = np.cumsum(ahead) - ahead
    wins = below[ranks[: len(positive)]] + 0.5 * ahead[ranks[: len(positive)]]
    return float(wins.sum() / (len(positive) * len(negative)))


def calibration_error(confidence: NDArray[np.floating], right: NDArray[np.bool_], bins: int = 10) -> float:
    """Return the expected calibration error over bins of equal width (Naeini et al., 2015)."""
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [abs(confidence[place == n].sum() - right[place == n].sum()) for n in range(bins)]
    return float(sum(gaps) / len(right))
