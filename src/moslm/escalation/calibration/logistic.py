"""Logistic regression with a ridge penalty of its own for every column, by Newton's method.

Meant for some tens of dense columns. Knows nothing of what the columns mean.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_INTERCEPT_PENALTY = 1e-2
"""Keeps the intercept finite where all outcomes of a fold are alike."""


def sigmoid(scores: Array) -> Array:
    """Return 1 / (1 + exp(-score)) without overflow."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * scores)), dtype=np.float64)


def fit_logistic(
    columns: Array, right: NDArray[np.bool_], penalty: Array, steps: int = 100
) -> tuple[NDArray[np.float64], float]:
    """Minimise the negative log-likelihood plus half the penalised squares of the weights.

    Args:
        columns: (n, d) finite numbers.
        right: (n,) outcomes.
        penalty: (d,) one factor a column, more than 0.
        steps: Most Newton steps; each is halved until the loss falls.

    Returns:
        The d weights and the intercept.
    """
    design = np.column_stack([columns, np.ones(len(columns))])
    factors = np.append(penalty, _INTERCEPT_PENALTY)
    outcome = right.astype(np.float64)
    weights = np.zeros(design.shape[1])
    loss = _loss(design, outcome, factors, weights)
    for _ in range(steps):
        probability = sigmoid(design @ weights)
        gradient = design.T @ (probability - outcome) + factors * weights
        curvature = (design * (probability * (1 - probability))[:, None]).T @ design + np.diag(factors)
        move = np.linalg.solve(curvature, gradient)
        tried, tried_loss = weights - move, 0.0
        for _ in range(30):
            tried_loss = _loss(design, outcome, factors, tried)
            if tried_loss <= loss:
                break
            move /= 2
            tried = weights - move
        if loss - tried_loss < 1e-9 * max(1.0, abs(loss)):
            break
        weights, loss = tried, tried_loss
    return weights[:-1], float(weights[-1])


def _loss(design: Array, outcome: Array, factors: Array, weights: Array) -> float:
    scores = design @ weights
    return float(np.sum(np.logaddexp(0, scores) - outcome * scores) + 0.5 * np.sum(factors * weights**2))
