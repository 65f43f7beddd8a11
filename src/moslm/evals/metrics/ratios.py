"""A quotient of two sums with its interval, such as dollars for each success; both sums are of the same cases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from moslm.evals.figures import Figure, resampled


def ratio(
    above: Sequence[float], below: Sequence[float], groups: Sequence[str], unit: Literal["share", "usd"]
) -> Figure:
    """Return a quotient; it has no upper bound where too many resamples hold nothing to divide by.

    Args:
        above: What is divided, one number a case.
        below: What it is divided by.
        groups: The group of each case.
        unit: Unit of the quotient.
    """
    top, base = np.asarray(above, dtype=np.float64), np.asarray(below, dtype=np.float64)
    if not len(top) or base.sum() <= 0:
        return Figure(value=None, n=len(top), unit=unit, why="nothing to divide by" if len(top) else "no case")
    value = float(top.sum() / base.sum())
    sums = [(float(top[drawn].sum()), float(base[drawn].sum())) for drawn in resampled(groups)]
    found = np.sort([a / b if b > 0 else np.inf for a, b in sums])
    if not len(found):
        return Figure(value=value, n=len(top), unit=unit, why="one group has no interval")
    low, high = np.quantile(found, [0.025, 0.975], method="nearest")
    return Figure(
        value=value,
        low=float(low) if np.isfinite(low) else None,
        high=float(high) if np.isfinite(high) else None,
        n=len(top),
        unit=unit,
        how="bootstrap",
        why="" if np.isfinite(high) else "one bound is open: too few to divide by",
    )
