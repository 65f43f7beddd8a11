"""Limited-memory BFGS (Nocedal and Wright, Numerical Optimization, chapter 7) with a diagonal for a first guess.

Knows a loss and its gradient only.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Flat = NDArray[np.float64]
_MEMORY = 8


def minimised(
    loss: Callable[[Flat], tuple[float, Flat]],
    start: Flat,
    curvature: Flat,
    iterations: int,
    step: Callable[[], object],
) -> Flat:
    """Return where the loss is least.

    Args:
        loss: Gives value and gradient at a point.
        start: (n) point to begin at.
        curvature: (n) rough second derivative in each direction, above zero. Only the proportions matter much: where
            they are far apart, as between rare and common n-grams, this saves most of the steps.
        iterations: Most steps.
        step: Called after each.
    """
    point, (value, gradient) = start, loss(start)
    moves: list[tuple[Flat, Flat]] = []
    for _ in range(iterations):
        direction = -_curved(gradient, moves, curvature)
        found = _searched(loss, point, value, direction, float(gradient @ direction))
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
    loss: Callable[[Flat], tuple[float, Flat]], point: Flat, value: float, direction: Flat, slope: float
) -> tuple[Flat, float, Flat] | None:
    """Halve the step until the loss falls enough (Armijo); None when no step helps any more."""
    length = 1.0
    for _ in range(20):
        tried = point + length * direction
        tried_value, tried_gradient = loss(tried)
        if tried_value <= value + 1e-4 * length * slope:
            return tried, tried_value, tried_gradient
        length /= 2
    return None


def _curved(gradient: Flat, moves: list[tuple[Flat, Flat]], curvature: Flat) -> Flat:
    """Multiply by the approximate inverse Hessian (two-loop recursion)."""
    result, factors = gradient.copy(), []
    # in place where possible: a fresh array for every product costs more than the product
    scratch = np.empty_like(gradient)
    for change, turn in reversed(moves):
        factor = float(change @ result) / float(turn @ change)
        factors.append(factor)
        result -= np.multiply(turn, factor, out=scratch)
    result /= curvature
    if moves:
        change, turn = moves[-1]
        result *= float(change @ turn) / float(turn @ np.divide(turn, curvature, out=scratch))
    for (change, turn), factor in zip(moves, reversed(factors), strict=True):
        result += np.multiply(change, factor - float(turn @ result) / float(turn @ change), out=scratch)
    return result
