"""Monotone maps from a log-odds score to a probability: identity, Platt, beta and isotonic.

Platt (1999), beta calibration (Kull et al., 2017) and isotonic regression by pooling adjacent violators (Zadrozny and
Elkan, 2002). Knows nothing of signals, domains or answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from moslm.escalation.calibration.logistic import fit_logistic, sigmoid

Array = NDArray[np.float64]
Kind = Literal["identity", "platt", "beta", "isotonic"]
KINDS: tuple[Kind, ...] = ("identity", "platt", "beta", "isotonic")
"""Every map that is tried, simplest first: the first of equals is kept."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One fitted map.

    Attributes:
        kind: Which family it is of.
        parameters: Platt: slope and offset. Beta: a, b and c of Kull et al. Otherwise empty.
        scores: Isotonic: the knots' log-odds, ascending.
        values: Isotonic: the probability at each knot, never falling.
    """

    kind: Kind = "identity"
    parameters: tuple[float, ...] = ()
    scores: tuple[float, ...] = ()
    values: tuple[float, ...] = ()

    def apply(self, scores: Array) -> Array:
        """Return the probability of each log-odds score, strictly between 0 and 1."""
        if self.kind == "isotonic":
            return np.asarray(np.interp(scores, self.scores, self.values), dtype=np.float64)
        if self.kind == "platt":
            slope, offset = self.parameters
            return sigmoid(slope * scores + offset)
        if self.kind == "beta":
            return sigmoid(_beta_features(scores) @ np.array(self.parameters[:2]) + self.parameters[2])
        return sigmoid(scores)


def fit_curve(kind: Kind, scores: Array, right: NDArray[np.bool_]) -> Curve:
    """Fit one family of maps to scores and outcomes; a map that would fall anywhere becomes flat there."""
    if kind == "isotonic":
        return _isotonic(scores, right)
    if kind == "platt":
        weights, offset = fit_logistic(scores[:, None], right, penalty=np.array([1e-3]))
        return Curve("platt", (max(0.0, float(weights[0])), offset))
    if kind == "beta":
        weights, offset = fit_logistic(_beta_features(scores), right, penalty=np.array([1e-3, 1e-3]))
        return Curve("beta", (max(0.0, float(weights[0])), max(0.0, float(weights[1])), offset))
    return Curve()


def log_loss(probability: Array, right: NDArray[np.bool_]) -> float:
    """Return the mean negative log-likelihood in nats; probabilities are held off 0 and 1 by 1e-6."""
    held = np.clip(probability, 1e-6, 1 - 1e-6)
    return float(-np.where(right, np.log(held), np.log1p(-held)).mean())


def _beta_features(scores: Array) -> Array:
    # ln p and -ln(1-p) of p = sigmoid(score), without leaving log space
    return np.column_stack([-np.logaddexp(0, -scores), np.logaddexp(0, scores)])


def _isotonic(scores: Array, right: NDArray[np.bool_]) -> Curve:
    places, inverse = np.unique(scores, return_inverse=True)
    counts = np.bincount(inverse).astype(np.float64)
    means = np.bincount(inverse, weights=right.astype(np.float64)) / counts
    blocks: list[tuple[float, float, float, float]] = []  # mean, weight, first and last place
    for place, mean, count in zip(places, means, counts, strict=True):
        block = (float(mean), float(count), float(place), float(place))
        while blocks and blocks[-1][0] >= block[0]:
            before = blocks.pop()
            weight = before[1] + block[1]
            block = ((before[0] * before[1] + block[0] * block[1]) / weight, weight, before[2], block[3])
        blocks.append(block)
    # no sample shows certainty: the outer blocks stay one pseudo-observation away from 0 and 1
    floor = 1 / (len(right) + 2)
    knots = [(place, min(max(mean, floor), 1 - floor)) for mean, _, first, last in blocks for place in {first, last}]
    knots.sort()
    return Curve("isotonic", scores=tuple(x for x, _ in knots), values=tuple(y for _, y in knots))
