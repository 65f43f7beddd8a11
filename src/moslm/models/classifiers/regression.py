"""Multinomial logistic regression in numpy alone, over dense vectors or over hashed n-grams.

Minimises weighted cross-entropy plus an L2 penalty with L-BFGS (Nocedal and Wright, Numerical Optimization, chapter 7).
Knows numbers only: neither texts nor labels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from moslm.models.encoders.ngrams import BUCKETS, Sparse

Array = NDArray[np.float32]
Flat = NDArray[np.float64]
_MEMORY = 8


@dataclass(frozen=True, slots=True)
class Linear:
    """A fitted regression for k classes: ``weights`` (d, k) and ``bias`` (k)."""

    weights: Array
    bias: Array

    def scores(self, rows: Array | Sparse) -> Array:
        """Return the (n, k) scores before the softmax."""
        if isinstance(rows, Sparse):
            return _sparse_product(rows, self.weights) + self.bias
        return np.asarray(rows @ self.weights + self.bias, dtype=np.float32)


def softmax(scores: Array) -> Array:
    """Return probabilities along the last axis."""
    exponents = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(exponents / exponents.sum(axis=-1, keepdims=True))


def log_sum(scores: Array) -> Array:
    """Return log(sum(exp(scores))) along the last axis, without overflow."""
    top = scores.max(axis=-1)
    return np.asarray(top + np.log(np.exp(scores - top[..., None]).sum(axis=-1)))


def fit_softmax(
    rows: Array | Sparse,
    classes: NDArray[np.int64],
    row_weights: Array,
    *,
    count: int,
    penalty: float,
    iterations: int,
    offset: Array | None = None,
    start: Linear | None = None,
    step: Callable[[], object] = lambda: None,
) -> Linear:
    """Fit the regression.

    Args:
        rows: n dense vectors or n rows of hashed n-grams.
        classes: Class number of each row, below ``count`` (plus the columns of ``offset``).
        row_weights: Weight of each row in the loss; scaled to a sum of 1 here.
        count: Number of classes that are fitted.
        penalty: L2 strength.
        iterations: Most steps of L-BFGS.
        offset: (n, m) scores of m further classes that stand as they are; they are numbered before the fitted ones.
        start: Where to begin, say a regression fitted on most of these rows; zero when None.
        step: Called after each iteration, for a progress bar.
    """
    design = _SparseDesign(rows) if isinstance(rows, Sparse) else _DenseDesign(rows)
    fixed = np.zeros((len(rows), 0), np.float32) if offset is None else offset
    target = np.zeros((len(classes), fixed.shape[1] + count), np.float32)
    target[np.arange(len(classes)), classes] = 1
    scale = (row_weights / row_weights.sum()).astype(np.float32)

    def loss(flat: Flat) -> tuple[float, Flat]:
        weights, bias = _unpacked(flat, count)
        probabilities = softmax(np.concatenate([fixed, design.scores(weights) + bias], axis=1))
        likely = np.log(np.maximum((probabilities * target).sum(axis=1), 1e-12))
        error = ((probabilities - target) * scale[:, None])[:, fixed.shape[1] :]
        gradient = np.concatenate([design.gradient(error), error.sum(axis=0, keepdims=True)]).ravel()
        shrunk = penalty * flat
        shrunk[-count:] = 0
        return -float(scale @ likely) + 0.5 * float(shrunk @ flat), gradient + shrunk

    first = np.zeros((design.width + 1) * count)
    if start is not None:
        first = np.concatenate([design.narrowed(start.weights).ravel(), start.bias]).astype(np.float64)
    found = _lbfgs(loss, first, iterations, step)
    weights, bias = _unpacked(found, count)
    return Linear(design.expanded(weights), bias)


class _Design(Protocol):
    width: int

    def scores(self, weights: Array) -> Array: ...

    def gradient(self, error: Array) -> Array: ...

    def expanded(self, weights: Array) -> Array: ...

    def narrowed(self, weights: Array) -> Array: ...


class _DenseDesign:
    def __init__(self, rows: Array) -> None:
        self.rows, self.width = rows, rows.shape[1]

    def scores(self, weights: Array) -> Array:
        return np.asarray(self.rows @ weights)

    def gradient(self, error: Array) -> Array:
        return np.asarray(self.rows.T @ error)

    def expanded(self, weights: Array) -> Array:
        return weights

    def narrowed(self, weights: Array) -> Array:
        return weights


class _SparseDesign:
    """Hashed rows, kept by row and by bucket; only the buckets that occur have parameters."""

    def __init__(self, rows: Sparse) -> None:
        self.used, inverse = np.unique(rows.buckets, return_inverse=True)
        self.width = len(self.used)
        self.by_row = Sparse(rows.starts, inverse.astype(np.int32), rows.weights)
        order = np.argsort(inverse, kind="stable")
        owner = np.repeat(np.arange(len(rows)), np.diff(rows.starts))[order]
        starts = np.concatenate([[0], np.cumsum(np.bincount(inverse, minlength=self.width))])
        self.by_bucket = Sparse(starts.astype(np.int64), owner.astype(np.int32), rows.weights[order])

    def scores(self, weights: Array) -> Array:
        return _sparse_product(self.by_row, weights)

    def gradient(self, error: Array) -> Array:
        return _sparse_product(self.by_bucket, error)

    def expanded(self, weights: Array) -> Array:
        everywhere = np.zeros((BUCKETS, weights.shape[1]), np.float32)
        everywhere[self.used] = weights
        return everywhere

    def narrowed(self, weights: Array) -> Array:
        return weights[self.used]


def _sparse_product(rows: Sparse, weights: Array) -> Array:
    scores = np.zeros((len(rows), weights.shape[1]), np.float32)
    filled = np.flatnonzero(np.diff(rows.starts))
    if len(filled):
        starts = rows.starts[filled]
        for number, taken in enumerate(_taken(weights, rows.buckets)):
            scores[filled, number] = np.add.reduceat(taken * rows.weights, starts)
    return scores


def _taken(weights: Array, buckets: NDArray[np.int32]) -> Iterable[Array]:
    """Return the weights of these buckets, class by class."""
    if len(buckets) < len(weights):  # a request or two: to turn the whole table would take longer than all the rest
        return weights[buckets].T
    return (column[buckets] for column in np.ascontiguousarray(weights.T, dtype=np.float32))


def _unpacked(flat: Flat, count: int) -> tuple[Array, Array]:
    table = flat.astype(np.float32).reshape(-1, count)
    return table[:-1], table[-1]


def _lbfgs(
    loss: Callable[[Flat], tuple[float, Flat]], start: Flat, iterations: int, step: Callable[[], object]
) -> Flat:
    point, (value, gradient) = start, loss(start)
    moves: list[tuple[Flat, Flat]] = []
    for _ in range(iterations):
        direction = -_curved(gradient, moves)
        length = 1.0 if moves else 1.0 / max(float(np.linalg.norm(gradient)), 1e-12)
        found = _searched(loss, point, value, direction, length, float(gradient @ direction))
        if found is None:
            break
        tried, tried_value, tried_gradient = found
        change, turn = tried - point, tried_gradient - gradient
        if change @ turn > 1e-14:
            moves = [*moves[-(_MEMORY - 1) :], (change, turn)]
        settled = value - tried_value < 1e-7 * max(abs(value), 1e-3)
        point, value, gradient = tried, tried_value, tried_gradient
        step()
        if settled:
            break
    return point


def _searched(
    loss: Callable[[Flat], tuple[float, Flat]], point: Flat, value: float, direction: Flat, length: float, slope: float
) -> tuple[Flat, float, Flat] | None:
    """Halve the step until the loss falls enough (Armijo); None when no step helps any more."""
    for _ in range(20):
        tried = point + length * direction
        tried_value, tried_gradient = loss(tried)
        if tried_value <= value + 1e-4 * length * slope:
            return tried, tried_value, tried_gradient
        length /= 2
    return None


def _curved(gradient: Flat, moves: list[tuple[Flat, Flat]]) -> Flat:
    """Multiply by the approximate inverse Hessian (two-loop recursion)."""
    result, factors = gradient.copy(), []
    for change, turn in reversed(moves):
        factor = float(change @ result) / float(turn @ change)
        factors.append(factor)
        result -= factor * turn
    if moves:
        change, turn = moves[-1]
        result *= float(change @ turn) / float(turn @ turn)
    for (change, turn), factor in zip(moves, reversed(factors), strict=True):
        result += change * (factor - float(turn @ result) / float(turn @ change))
    return result
