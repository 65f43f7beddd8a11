"""How unusual a request is among familiar ones, as a p-value one can hold it to.

Split conformal prediction (Vovk, Gammerman and Shafer, 2005): held-out familiar requests are the yardstick. As long as
requests to come are drawn as those were, at most a share `alpha` of familiar ones gets a p-value of `alpha` or less,
whatever the classifier. Knows neither texts nor classifiers, only numbers.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence


def p_value(strangeness: float, calibration: Sequence[float]) -> float:
    """Return the share of familiar requests that are at least as strange, this one counted among them.

    Args:
        strangeness: How unlike anything fitted on; larger is stranger. Not a number counts as strangest.
        calibration: Strangeness of held-out familiar requests, ascending. Without any the value is 1: nothing is known.

    Returns:
        ``(1 + #{c >= strangeness}) / (n + 1)``, between ``1 / (n + 1)`` and 1.
    """
    if not calibration:
        return 1.0
    stranger = 0 if math.isnan(strangeness) else len(calibration) - bisect_left(calibration, strangeness)
    return (1 + stranger) / (len(calibration) + 1)
