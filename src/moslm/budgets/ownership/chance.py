"""What comes out when nobody knows the inputs exactly: Monte Carlo over named distributions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from moslm.budgets.ownership.case import INPUTS, Case, value_of, why_not
from moslm.budgets.ownership.horizon import horizon
from moslm.budgets.ownership.sensitivity import with_inputs

_TRIES = 50
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Uncertain:
    """How an input is distributed.

    Attributes:
        distribution: ``triangular`` and ``uniform`` go from ``low`` to ``high``, the first with its peak at ``mode``;
            ``normal`` has a ``mean`` and a standard deviation ``sd``; ``lognormal`` a ``median`` and ``sigma``, the
            standard deviation of its logarithm.
        low: The least it is.
        mode: Where it most often is.
        high: The most it is.
        mean: Its mean.
        sd: Its standard deviation.
        median: Its median.
        sigma: Standard deviation of its logarithm.
    """

    distribution: Literal["triangular", "uniform", "normal", "lognormal"]
    low: float = 0.0
    mode: float = 0.0
    high: float = 0.0
    mean: float = 0.0
    sd: float = 0.0
    median: float = 1.0
    sigma: float = 0.0

    def draw(self, generator: np.random.Generator, count: int) -> Floats:
        """Return so many values."""
        if self.distribution == "triangular":
            if self.low == self.high:
                return np.full(count, self.low)
            return generator.triangular(self.low, self.mode, self.high, count)
        if self.distribution == "uniform":
            return generator.uniform(self.low, self.high, count)
        if self.distribution == "normal":
            return generator.normal(self.mean, self.sd, count)
        return generator.lognormal(math.log(self.median), self.sigma, count)


@dataclass(frozen=True, slots=True)
class Draws:
    """How is drawn.

    Attributes:
        count: How many cases.
        seed: The same seed draws the same cases.
        interval: Share of the cases that an interval holds, as many below it as above.
    """

    count: int = 10_000
    seed: int = 20_240_101
    interval: float = 0.9


@dataclass(frozen=True, slots=True)
class Spread:
    """Quantiles of one figure over all cases; infinite where too many cases never reach it."""

    low: float
    median: float
    high: float


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What came out.

    Attributes:
        draws: How was drawn.
        saving: Monthly saving of each case, in the first month.
        spread: Quantiles of ``saving``, ``saved`` (share of the single model's cost), ``npv`` and ``payback`` (months).
        saves: Share of the cases that save in the first month.
        pays_back: Share of the cases whose investment comes back within the horizon.
    """

    draws: Draws
    saving: Floats
    spread: dict[str, Spread]
    saves: float
    pays_back: float

    @property
    def saving_cases(self) -> int:
        """How many of the cases save in the first month."""
        return round(self.saves * len(self.saving))

    @property
    def returning_cases(self) -> int:
        """In how many of them the investment comes back."""
        return round(self.pays_back * len(self.saving))


def default_distributions(ranges: Mapping[str, tuple[float, float]], case: Case) -> dict[str, Uncertain]:
    """Return a triangle over each range, with its peak where the case has the input."""
    return {
        name: Uncertain("triangular", low=low, mode=value_of(case, name), high=high)
        for name, (low, high) in ranges.items()
    }


def drawn(case: Case, uncertain: Mapping[str, Uncertain], draws: Draws = Draws()) -> Outcomes:
    """Return what comes out of cases whose uncertain inputs are drawn, each independently of the others.

    A case that cannot be (a negative price, shares of more than 1 in all) is drawn again.

    Args:
        case: The inputs that are certain.
        uncertain: How the others are distributed, by their names in `Case`.
        draws: How many cases, from which seed.

    Raises:
        ValueError: Hardly a case that is drawn can be.
    """
    found = [_figures(each) for each in _cases(case, uncertain, draws)]
    saving, saved, npv, payback = (np.array(each, dtype=np.float64) for each in zip(*found, strict=True))
    figures = {"saving": saving, "saved": saved, "npv": npv, "payback": payback}
    return Outcomes(
        draws=draws,
        saving=saving,
        spread={name: _spread(values, draws.interval) for name, values in figures.items()},
        saves=float(np.mean(saving > 0)),
        pays_back=float(np.mean(np.isfinite(payback))),
    )


def _cases(case: Case, uncertain: Mapping[str, Uncertain], draws: Draws) -> list[Case]:
    generator = np.random.default_rng(draws.seed)
    kept: list[Case] = []
    for _ in range(_TRIES):
        missing = draws.count - len(kept)
        columns = {name: each.draw(generator, missing) for name, each in uncertain.items()}
        for row in range(missing):
            one = with_inputs(case, {name: float(values[row]) for name, values in columns.items()})
            if why_not(one) is None:
                kept.append(one)
        if len(kept) == draws.count:
            return kept
    keys = ", ".join(INPUTS[name].key for name in uncertain)
    raise ValueError(f"hardly a case drawn from the distributions of {keys} can be; narrow them")


def _figures(case: Case) -> tuple[float, float, float, float]:
    made = horizon(case)
    first = made.months[0]
    return first.saving, first.saved, made.npv, math.inf if made.payback is None else made.payback


def _spread(values: Floats, interval: float) -> Spread:
    tail = (1 - interval) / 2
    # without interpolation: between a number and infinity there is none
    low, median, high = np.quantile(values, [tail, 0.5, 1 - tail], method="inverted_cdf")
    return Spread(float(low), float(median), float(high))
