"""The signals of one answer, taken together as the probability that it is right.

A calibrator is a logistic regression over standardised signals followed by a monotone curve. Shares become log-odds
first, so that 0.99 and 0.999 are told apart. Knows how to apply itself, not how it was fitted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from moslm.escalation.calibration.curves import Curve

_EDGE = 1e-4
"""Shares nearer to 0 or 1 than this are alike."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How one signal becomes a standardised number.

    Attributes:
        name: The signal.
        kind: ``logit`` for shares between 0 and 1, ``linear`` for anything else.
        centre: Mean of the fitted rows after the transformation.
        spread: Their standard deviation.
        can_lack: Some fitted rows lacked the signal, so its absence has a weight of its own.
    """

    name: str
    kind: Literal["logit", "linear"]
    centre: float
    spread: float
    can_lack: bool

    def standardised(self, value: float) -> float:
        """Return the value on the fitted scale, held within six standard deviations."""
        return min(6.0, max(-6.0, (transformed(value, self.kind) - self.centre) / self.spread))


@dataclass(frozen=True, slots=True)
class Reach:
    """What one signal can still become.

    Attributes:
        least: The lowest value it may have.
        most: The highest.
        may_lack: Whether it may turn out not to be measurable.
    """

    least: float
    most: float
    may_lack: bool = True


ANYTHING = Reach(0.0, 1.0)
Reaches = Mapping[str, Reach | None]
"""By signal: what it can still become; None for one that is missing for good. What is not listed may be anything."""


@dataclass(frozen=True, slots=True)
class Calibrator:
    """Signals to probability, for one domain.

    Attributes:
        scales: One a signal, in the order of the calibration's signals.
        weights: What a standardised signal adds to the log-odds.
        lacking: What the absence of a signal adds.
        intercept: Log-odds of the average answer.
        curve: From log-odds to probability.
    """

    scales: tuple[Scale, ...]
    weights: tuple[float, ...]
    lacking: tuple[float, ...]
    intercept: float
    curve: Curve

    def judges(self, values: Mapping[str, float | None]) -> bool:
        """Tell whether rows like this were fitted: at least one signal is there, and none lacks that never lacked."""
        there = [known(values.get(scale.name)) is not None for scale in self.scales]
        return any(there) and all(
            is_there or scale.can_lack for is_there, scale in zip(there, self.scales, strict=True)
        )

    def score(self, values: Mapping[str, float | None]) -> float:
        """Return the log-odds of being right, before the curve."""
        total = self.intercept
        for scale, weight, lacking in zip(self.scales, self.weights, self.lacking, strict=True):
            value = known(values.get(scale.name))
            total += lacking if value is None else weight * scale.standardised(value)
        return total

    def best(self, reaches: Reaches) -> float | None:
        """Return the largest probability of an answer whose signals are known in part; None where it never judges."""
        total = self.intercept
        for scale, weight, lacking in zip(self.scales, self.weights, self.lacking, strict=True):
            reach = reaches.get(scale.name, ANYTHING)
            ends = [] if reach is None else [weight * scale.standardised(end) for end in (reach.least, reach.most)]
            ends += [lacking] if scale.can_lack and (reach is None or reach.may_lack) else []
            if not ends:
                return None
            total += max(ends)
        # no curve falls anywhere, so the largest log-odds give the largest probability
        return float(self.curve.apply(np.array([total]))[0])

    def probability(self, values: Mapping[str, float | None]) -> float:
        """Return the probability that the answer is right."""
        return float(self.curve.apply(np.array([self.score(values)]))[0])


def first_word(calibrators: Sequence[Calibrator], values: Mapping[str, float | None]) -> float | None:
    """Return the probability by the first calibrator that judges such signals; None where none does."""
    return next((each.probability(values) for each in calibrators if each.judges(values)), None)


def known(value: float | None) -> float | None:
    """Return the value, or None where it is none: missing, not a number, or infinite."""
    return value if value is not None and math.isfinite(value) else None


def transformed(value: float, kind: str) -> float:
    """Return a share's log-odds, held off 0 and 1, and anything else as it is."""
    if kind == "linear":
        return value
    share = min(1 - _EDGE, max(_EDGE, value))
    return math.log(share / (1 - share))
