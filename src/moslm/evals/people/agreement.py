"""How far raters agree: percent, Cohen's kappa, Fleiss' kappa and Krippendorff's alpha, each with its interval.

Cohen (1960) is for two raters, Fleiss (1971) for as many ratings of every answer, Krippendorff (2011) for any number
and for gaps. Each is a function of a sum over answers, so an interval is a bootstrap over groups of answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from moslm.evals.figures import Figure, resampled

Array = NDArray[np.float64]
Codes = Mapping[str, int]
"""What raters said of one answer: rater -> number of the category."""
Distance = Callable[[Array], Array]
"""From how often each category was given to the squared distance of every two (k, k)."""


def nominal(totals: Array) -> Array:
    """Take every two categories for equally far apart."""
    return np.asarray(1.0 - np.eye(len(totals)))


def ordinal(totals: Array) -> Array:
    """Take categories for as far apart as ratings lie between them (Krippendorff 2011)."""
    below = np.cumsum(totals) - totals / 2
    return np.asarray((below[:, None] - below[None, :]) ** 2)


def percent_agreement(rated: Sequence[Codes], groups: Sequence[str]) -> Figure:
    """Return the share of pairs of raters who say the same of an answer, averaged over answers."""
    units, theirs = _twice_rated(rated, groups)
    return _figure([_pairs_alike(each) for each in units], theirs, lambda sums: float(sums[0] / sums[1]), "share")


def cohen_kappa(rated: Sequence[Codes], groups: Sequence[str], categories: int) -> Figure:
    """Return Cohen's kappa of two raters; no value where there are more, or fewer.

    Args:
        rated: What was said of each answer.
        groups: The group of each answer.
        categories: How many categories there are.
    """
    units, theirs = _twice_rated(rated, groups)
    raters = sorted({rater for each in units for rater in each})
    if len(raters) != 2:
        return Figure(value=None, n=len(units), unit="score", why=f"for two raters, and there are {len(raters)}")
    tables = []
    for each in units:
        table = np.zeros((categories, categories))
        table[each[raters[0]], each[raters[1]]] = 1
        tables.append(table)
    return _figure(tables, theirs, _kappa)


def fleiss_kappa(rated: Sequence[Codes], groups: Sequence[str], categories: int) -> Figure:
    """Return Fleiss' kappa; no value where answers have unequal numbers of ratings."""
    units, theirs = _twice_rated(rated, groups)
    if len({len(each) for each in units}) > 1:
        why = "answers have unequal numbers of ratings; Krippendorff's alpha allows that"
        return Figure(value=None, n=len(units), unit="score", why=why)
    told = [np.concatenate([_pairs_alike(each), _counts(each, categories)]) for each in units]
    return _figure(told, theirs, _fleiss)


def krippendorff_alpha(
    rated: Sequence[Codes], groups: Sequence[str], categories: int, distance: Distance = nominal
) -> Figure:
    """Return Krippendorff's alpha; answers with one rating say nothing about agreement and do not count.

    Args:
        rated: What was said of each answer.
        groups: The group of each answer.
        categories: How many categories there are.
        distance: How far categories lie apart.
    """
    units, theirs = _twice_rated(rated, groups)
    tables = [_coincidences(each, categories) for each in units]
    return _figure(tables, theirs, lambda table: _alpha(table, distance))


def _twice_rated(rated: Sequence[Codes], groups: Sequence[str]) -> tuple[list[Codes], list[str]]:
    kept = [(each, group) for each, group in zip(rated, groups, strict=True) if len(each) > 1]
    return [each for each, _ in kept], [group for _, group in kept]


def _figure(
    units: Sequence[Array],
    groups: Sequence[str],
    statistic: Callable[[Array], float | None],
    unit: Literal["share", "score"] = "score",
) -> Figure:
    if not units:
        return Figure(value=None, n=0, unit=unit, why="no answer was rated by two")
    every = np.stack(units)
    value = statistic(every.sum(axis=0))
    if value is None:
        return Figure(value=None, n=len(units), unit=unit, why="all say the same of all, so chance alone would agree")
    found = [statistic(every[drawn].sum(axis=0)) for drawn in resampled(groups)]
    known = [each for each in found if each is not None]
    if not known:
        return Figure(value=value, n=len(units), unit=unit, why="one group has no interval")
    low, high = np.quantile(known, [0.025, 0.975])
    return Figure(value=value, low=float(low), high=float(high), n=len(units), unit=unit, how="bootstrap")


def _counts(each: Codes, categories: int) -> Array:
    return np.bincount(list(each.values()), minlength=categories).astype(np.float64)


def _pairs_alike(each: Codes) -> Array:
    counts, ratings = _counts(each, 1), len(each)
    return np.array([(counts @ counts - ratings) / (ratings * (ratings - 1)), 1.0])


def _coincidences(each: Codes, categories: int) -> Array:
    counts = _counts(each, categories)
    return np.asarray((np.outer(counts, counts) - np.diag(counts)) / (len(each) - 1))


def _kappa(table: Array) -> float | None:
    share = table / table.sum()
    return _beyond_chance(float(np.trace(share)), float(share.sum(axis=1) @ share.sum(axis=0)))


def _fleiss(sums: Array) -> float | None:
    share = sums[2:] / sums[2:].sum()
    return _beyond_chance(float(sums[0] / sums[1]), float(share @ share))


def _beyond_chance(agreed: float, chance: float) -> float | None:
    return None if chance > 1 - 1e-12 else (agreed - chance) / (1 - chance)


def _alpha(table: Array, distance: Distance) -> float | None:
    totals = table.sum(axis=0)
    apart = distance(totals)
    expected = float((np.outer(totals, totals) * apart).sum())
    return None if expected <= 0 else 1 - (totals.sum() - 1) * float((table * apart).sum()) / expected
