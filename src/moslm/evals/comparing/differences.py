"""`Difference`: how far apart two systems are on the same cases, and what may be said of it.

The interval is a paired bootstrap over whole groups. Where points differ on few cases a bootstrap draws too narrow an
interval, and none at all where every case ties; so it is never narrower than that of Agresti and Min (2005), here with
the groups as its pairs: half a pair of each kind is added to those that were seen. A verdict of better or worse also
needs six groups that differ: with five, a coin would give the same split once in sixteen.

"Equal" is never said: no test shows it. A stated margin turns the question round (non-inferiority): is the second
system surely not worse by more than that?
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from moslm.evals.figures import Figure, resampled

Array = NDArray[np.float64]
Verdict = Literal["better", "worse", "not worse by more than the margin", "no difference found", "not measured"]

FEWEST_GROUPS = 6
"""Groups that must differ before one system may be called better or worse."""

_NORMAL_95, _NORMAL_90 = 1.959963984540054, 1.6448536269514722


class Difference(BaseModel):
    """The second system less the first, a case."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    figure: Figure
    """The mean difference with its two-sided 95 % interval."""
    verdict: Verdict
    """Of the second system against the first."""
    margin: float | None = None
    """What the second may be worse by; None where nobody stated one."""
    bound: float | None = None
    """The worst that the difference can be, with 95 % confidence (one-sided)."""
    within_margin: bool | None = None
    """Whether that bound lies within the margin: the second is not worse by more than it, whatever else the verdict
    says. None without a margin."""
    groups: int
    """Groups the interval was drawn over."""
    differing: int
    """Groups in which the systems differ."""

    @property
    def said(self) -> str:
        """The verdict as one clause, with the margin in figures."""
        if self.margin is None or self.within_margin is None:
            return self.verdict
        margin = f"{self.margin:g}"
        if self.verdict == "not worse by more than the margin":
            return f"not worse by more than {margin}"
        if self.verdict == "worse" and self.within_margin:
            return f"worse, but not by more than {margin}"
        if self.verdict == "no difference found":
            return f"no difference found; a loss of more than {margin} is not excluded"
        return self.verdict


def difference(
    first: Sequence[float],
    second: Sequence[float],
    groups: Sequence[str],
    *,
    unit: Literal["share", "ms", "usd", "count", "score"] = "score",
    more_is_better: bool = True,
    margin: float | None = None,
    seed: int = 0,
) -> Difference:
    """Compare two systems on the same cases.

    Args:
        first: One number a case.
        second: That of the other system for the same case.
        groups: The group of each case.
        unit: Unit of the numbers.
        more_is_better: Whether a larger number is the better one; not so for money and time.
        margin: What the second may be worse by, in the unit of the numbers; more than 0.
        seed: Of the resampling.

    Raises:
        ValueError: There are not as many numbers as groups, or the margin is not above 0.
    """
    if not len(first) == len(second) == len(groups):
        raise ValueError(f"{len(first)} and {len(second)} numbers, {len(groups)} groups")
    if margin is not None and not margin > 0:
        raise ValueError(f"a margin must be more than 0; this one is {margin}")
    if not groups:
        empty = Figure(value=None, n=0, unit=unit, why="no case that both have")
        return Difference(figure=empty, verdict="not measured", margin=margin, groups=0, differing=0)
    gaps = np.asarray(second, dtype=np.float64) - np.asarray(first, dtype=np.float64)
    sums = _by_group(gaps, groups)
    differing = int((_by_group(np.abs(gaps), groups) > 0).sum())
    drawn = np.array([float(gaps[rows].mean()) for rows in resampled(groups, seed=seed)])
    value = float(gaps.mean())
    if not len(drawn):
        figure = Figure(value=value, n=len(gaps), unit=unit, why="one group has no interval")
        return Difference(
            figure=figure, verdict="no difference found", margin=margin, groups=len(sums), differing=differing
        )
    # money and time have no largest difference, which the second interval rests on
    bounded = unit in ("score", "share")
    low, high = _interval(drawn, sums, len(gaps), 0.025, _NORMAL_95, bounded)
    lowest, highest = _interval(drawn, sums, len(gaps), 0.05, _NORMAL_90, bounded)
    figure = Figure(value=value, low=low, high=high, n=len(gaps), unit=unit, how="bootstrap")
    bound = lowest if more_is_better else highest
    within = None if margin is None else (bound > -margin if more_is_better else bound < margin)
    return Difference(
        figure=figure,
        verdict=_verdict(low, high, differing, more_is_better, within),
        margin=margin,
        bound=bound,
        within_margin=within,
        groups=len(sums),
        differing=differing,
    )


def _verdict(low: float, high: float, differing: int, more_is_better: bool, within: bool | None) -> Verdict:
    if differing >= FEWEST_GROUPS and (low > 0 or high < 0):
        return "better" if (low > 0) == more_is_better else "worse"
    return "not worse by more than the margin" if within else "no difference found"


def _interval(drawn: Array, sums: Array, cases: int, tail: float, normal: float, bounded: bool) -> tuple[float, float]:
    low, high = (float(each) for each in np.quantile(drawn, [tail, 1 - tail]))
    if not bounded:
        return low, high
    count = len(sums)
    scaled = sums * count / cases
    middle = scaled.sum() / (count + 2)
    spread = math.sqrt(max(0.0, float((scaled**2).sum()) + 1 - (count + 2) * middle**2)) / (count + 2)
    return max(-1.0, min(low, middle - normal * spread)), min(1.0, max(high, middle + normal * spread))


def _by_group(gaps: Array, groups: Sequence[str]) -> Array:
    _, inverse = np.unique(np.asarray(groups), return_inverse=True)
    return np.asarray(np.bincount(inverse, weights=gaps), dtype=np.float64)
