"""A quantile of times with its interval, for the service levels that are stated as one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from moslm.evals.figures import Array, Figure, bootstrap


def quantile(times: Sequence[float], groups: Sequence[str], at: float) -> Figure:
    """Return a quantile of times in milliseconds.

    Args:
        times: One a request.
        groups: The group of each.
        at: Which quantile, between 0 and 1.
    """

    def statistic(drawn: Array) -> float:
        return float(np.quantile(drawn, at))

    return bootstrap(times, groups, statistic, unit="ms")
