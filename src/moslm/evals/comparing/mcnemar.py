"""McNemar's test: of the cases that only one of two systems has right, are there more of one kind than chance gives?

Up to 25 such cases the exact conditional test, which never errs more often than it says; beyond, its mid-p variant,
which is nearer to the stated level (Fagerland, Lydersen and Laake, 2013). Both are two-sided. Takes every case for
independent: where groups have several cases, the bootstrap over groups says more.
"""

from __future__ import annotations

import math
from typing import Literal

from pydantic import BaseModel, ConfigDict

from moslm.tails import binomial_tail

_FEW = 25


class McNemar(BaseModel):
    """The test and what went into it."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    only_first: int
    """Cases that only the first system has right."""
    only_second: int
    """Cases that only the second system has right."""
    p: float
    """Chance of so uneven a split, or a more uneven one, if both were right equally often."""
    how: Literal["exact", "mid_p"]


def mcnemar(only_first: int, only_second: int) -> McNemar:
    """Test whether the cases on which two systems differ favour one of them.

    Args:
        only_first: Cases that only the first has right.
        only_second: Cases that only the second has right.
    """
    discordant, fewer = only_first + only_second, min(only_first, only_second)
    tail = binomial_tail(fewer, discordant, 0.5) if discordant else 1.0
    if discordant <= _FEW:
        return McNemar(only_first=only_first, only_second=only_second, p=min(1.0, 2 * tail), how="exact")
    # the split that was seen counts half; an even one counts once on each side
    seen = math.exp(
        math.lgamma(discordant + 1)
        - math.lgamma(fewer + 1)
        - math.lgamma(discordant - fewer + 1)
        - discordant * math.log(2)
    )
    return McNemar(only_first=only_first, only_second=only_second, p=min(1.0, 2 * tail - seen), how="mid_p")
