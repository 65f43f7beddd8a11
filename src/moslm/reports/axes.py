"""Axes: from figures to places in a drawing, with round numbers along the way."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass


def plain(value: float) -> str:
    """Write a figure as people read it: 1,200 and 0.25, with four figures at most."""
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def percent(value: float) -> str:
    """Write a share as a percentage."""
    return f"{100 * value:.3g} %"


@dataclass(frozen=True, slots=True)
class Axis:
    """One direction of a chart.

    Attributes:
        label: What is measured, with its unit.
        write: How a figure is written along it.
        low: Where it begins; None begins at the smallest figure.
        high: Where it ends; None ends at the largest.
        log: Whether equal steps are equal factors; all figures must be positive then.
    """

    label: str
    write: Callable[[float], str] = plain
    low: float | None = None
    high: float | None = None
    log: bool = False


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps figures from ``low`` to ``high`` to places from ``start`` to ``end``."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """Return the place of a figure."""
        low, high, at = self.low, self.high, value
        if self.log:
            low, high, at = math.log10(low), math.log10(high), math.log10(value)
        return self.start + (at - low) / (high - low) * (self.end - self.start)

    def ticks(self, about: int = 5) -> list[float]:
        """Return the round numbers it passes."""
        return _powers(self.low, self.high) if self.log else _steps(self.low, self.high, about)


def scale(axis: Axis, values: Sequence[float], start: float, end: float) -> Scale:
    """Return the scale of an axis that shows these figures.

    Raises:
        ValueError: A figure is not finite, or not positive on an axis of equal factors.
    """
    if any(not math.isfinite(each) for each in values):
        raise ValueError(f"{axis.label}: a figure that is not finite cannot be drawn")
    if axis.log and min(values, default=1.0) <= 0:
        raise ValueError(f"{axis.label}: a figure that is not positive cannot stand on an axis of equal factors")
    low = min(values, default=0.0) if axis.low is None else axis.low
    high = max(values, default=1.0) if axis.high is None else axis.high
    if high <= low:
        # one figure alone: it stands in the middle
        width = abs(low) / 2 or 1.0
        low, high = (low / 2, low * 2) if axis.log else (low - width, low + width)
    if not axis.log:
        step = _step(low, high, 5)
        low = low if axis.low is not None else math.floor(low / step) * step
        high = high if axis.high is not None else math.ceil(high / step - 1e-9) * step
    return Scale(low, high, start, end, axis.log)


def _step(low: float, high: float, about: int) -> float:
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    steps = [factor * power for factor in (1.0, 2.0, 2.5, 5.0, 10.0)]
    return min(steps, key=lambda step: abs(step - rough))


def _steps(low: float, high: float, about: int) -> list[float]:
    step = _step(low, high, about)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [count * step for count in range(first, last + 1)]


def _powers(low: float, high: float) -> list[float]:
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    factors = (1,) if math.log10(high / low) > 2.5 else (1, 2, 5)
    made = [factor * 10.0**exponent for exponent in exponents for factor in factors]
    return [each for each in made if low * (1 - 1e-9) <= each <= high * (1 + 1e-9)]
