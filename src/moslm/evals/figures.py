"""`Figure`: a number with its interval and its n, and the two ways of making one.

Shares get Wilson's interval (Wilson 1927; Brown, Cai and DasGupta 2001), everything else the percentiles of a
bootstrap over whole groups, because cases of one group do not speak independently (Efron and Tibshirani 1993). Where
all values are alike a bootstrap would claim certainty: a share of 0 or 1 then gets Wilson's interval over the groups.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

Array = np.ndarray[tuple[int], np.dtype[np.float64]]
Places = np.ndarray[tuple[int], np.dtype[np.intp]]

_NORMAL_95 = 1.959963984540054
RESAMPLES = 2_000

Unit = Literal["share", "ms", "usd", "count", "score"]


class Figure(BaseModel):
    """One measured number."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    value: float | None
    """None where nothing could be measured; ``why`` says so."""
    low: float | None = None
    high: float | None = None
    """Bounds of the 95 % interval; None where n is too small for one."""
    n: int
    """Cases it rests on."""
    unit: Unit = "share"
    how: Literal["wilson", "bootstrap", "none"] = "none"
    why: str = ""


def share(hits: int, n: int) -> Figure:
    """Return a share with Wilson's 95 % interval.

    Args:
        hits: How many of the cases count.
        n: How many there are.

    Raises:
        ValueError: There are more hits than cases, or fewer than none.
    """
    if not 0 <= hits <= n:
        raise ValueError(f"{hits} of {n} is no share")
    if n == 0:
        return Figure(value=None, n=0, why="no case")
    z2 = _NORMAL_95**2
    at, among = hits / n, 1 + z2 / n
    middle = (at + z2 / (2 * n)) / among
    half = _NORMAL_95 / among * math.sqrt(at * (1 - at) / n + z2 / (4 * n * n))
    low, high = (0.0 if hits == 0 else middle - half), (1.0 if hits == n else middle + half)
    return Figure(value=at, low=low, high=high, n=n, how="wilson")


def bootstrap(
    values: Sequence[float],
    groups: Sequence[str],
    statistic: Callable[[Array], float] = lambda drawn: float(np.mean(drawn)),
    *,
    unit: Unit = "score",
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Figure:
    """Return a statistic with the 95 % percentile interval of a bootstrap over whole groups.

    Args:
        values: One number a case.
        groups: The group of each case; cases of one group are drawn together.
        statistic: What is computed from drawn values, such as a mean or a quantile.
        unit: Unit of the values.
        resamples: How often is drawn.
        seed: Of the drawing: the same values give the same interval.

    Raises:
        ValueError: There are not as many groups as values.
    """
    if len(values) != len(groups):
        raise ValueError(f"{len(values)} values and {len(groups)} groups")
    if not values:
        return Figure(value=None, n=0, unit=unit, why="no case")
    every = np.asarray(values, dtype=np.float64)
    value = statistic(every)
    drawn = [statistic(every[chosen]) for chosen in resampled(groups, resamples, seed)]
    if len(drawn) == 0:
        return Figure(value=value, n=len(values), unit=unit, why="one group has no interval")
    if np.ptp(every) == 0:
        return _all_alike(value, len(values), len(set(groups)), unit)
    low, high = np.quantile(np.asarray(drawn), [0.025, 0.975])
    return Figure(value=value, low=float(low), high=float(high), n=len(values), unit=unit, how="bootstrap")


def _all_alike(value: float, n: int, groups: int, unit: Unit) -> Figure:
    """Return what values without any spread allow: draws of them would say that nothing could be otherwise."""
    if unit == "share" and value in (0.0, 1.0):
        rule = share(round(value) * groups, groups)
        return rule.model_copy(update={"n": n})
    return Figure(value=value, n=n, unit=unit, why="all alike, which leaves no interval")


def resampled(groups: Sequence[str], resamples: int = RESAMPLES, seed: int = 0) -> list[Places]:
    """Return the places of the cases of each resample: as many groups as there are, drawn with replacement.

    Nothing is returned where there is one group only: it says nothing about how groups differ.
    """
    names, inverse = np.unique(np.asarray(groups), return_inverse=True)
    if len(names) < 2:
        return []
    order = np.argsort(inverse, kind="stable")
    sizes = np.bincount(inverse)
    starts = np.cumsum(sizes) - sizes
    random = np.random.default_rng(seed)
    draws = random.integers(0, len(names), (resamples, len(names)))
    if len(names) == len(groups):
        return list(order[draws])
    return [order[_places(starts[draw], sizes[draw])] for draw in draws]


def _places(starts: Places, sizes: Places) -> Places:
    """Return the places from each start on, as many as its size: those of the groups of one draw, side by side."""
    before = np.cumsum(sizes) - sizes
    return np.repeat(starts - before, sizes) + np.arange(sizes.sum())
