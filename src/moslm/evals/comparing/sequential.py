"""How two arms of live traffic differ, in a form that may be looked at after every conversation.

A confidence sequence: with probability 1 - alpha the true difference lies in every interval of the whole sequence, so
that one may stop at any moment, for any reason. Built by betting on the difference of matched conversations (hedged
capital with predictable plug-in bets; Waudby-Smith and Ramdas, "Estimating means of bounded random variables by
betting", JRSS-B 2024, theorem 3 and section 4.2): whoever bets against the true difference does not win.

The k-th conversation of one arm is matched with the k-th of the other, or with as many of the larger arm as its share
is larger. That needs no more than that both arms get their conversations from the same stream.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from moslm.errors import ConfigError

Array = NDArray[np.float64]
LiveVerdict = Literal["better", "worse", "not worse by more than the margin", "no difference found yet"]

_GRID = 401
"""Differences between -1 and 1 that are bet on: steps of half a point."""
_BOLDEST = 0.5
"""Largest share of its capital that a bet risks."""


class Look(BaseModel):
    """What is known after so many matched conversations."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    matched: int
    """Matches so far."""
    conversations: int
    """Conversations of both arms in them."""
    difference: float
    """Second arm less first, so far."""
    low: float
    high: float
    """The confidence sequence at this point; it never widens again."""


class Followed(BaseModel):
    """The whole sequence and what follows from it."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    first: str
    second: str
    alpha: float
    """Chance that the true difference is ever outside."""
    margin: float | None = None
    looks: tuple[Look, ...]
    """About fifty of them, and the last."""
    verdict: LiveVerdict
    """Of the second arm against the first, at the last look."""
    since: int | None = None
    """Matches after which that could first be said; None where nothing was found."""
    unmatched: int
    """Conversations that wait for a match."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One conversation, in the order in which its value became known.

    Attributes:
        arm: The arm it was assigned to.
        value: What was measured, between 0 and 1: 0 or 1 for a proportion.
    """

    arm: str
    value: float


def sequence(
    arrivals: Sequence[Arrival],
    first: str,
    second: str,
    shares: tuple[float, float] = (0.5, 0.5),
    *,
    alpha: float = 0.05,
    margin: float | None = None,
    more_is_better: bool = True,
) -> Followed:
    """Follow the difference of two arms.

    Args:
        arrivals: One value a conversation; those of other arms are passed over.
        first: The arm that is compared with.
        second: The arm that is judged.
        shares: Of the traffic, for each arm; fixed before the first conversation.
        alpha: Chance that the sequence ever excludes the true difference.
        margin: What the second may be worse by; None asks for no such verdict.
        more_is_better: Whether a larger value is the better one.

    Raises:
        ConfigError: A value is not between 0 and 1, or alpha, a share or the margin cannot stand.
    """
    _check(arrivals, shares, alpha, margin)
    gaps, size, left = _matched(arrivals, first, second, shares)
    if not len(gaps):
        return Followed(
            first=first,
            second=second,
            alpha=alpha,
            margin=margin,
            looks=(),
            verdict="no difference found yet",
            unmatched=left,
        )
    low, high = bounds(gaps, alpha)
    means = np.cumsum(gaps) / np.arange(1, len(gaps) + 1)
    verdict, since = _verdict(low, high, margin, more_is_better)
    shown = sorted({*np.unique(np.geomspace(1, len(gaps), 50).astype(int)).tolist(), len(gaps)})
    looks = [
        Look(
            matched=n,
            conversations=n * size,
            difference=float(means[n - 1]),
            low=float(low[n - 1]),
            high=float(high[n - 1]),
        )
        for n in shown
    ]
    return Followed(
        first=first,
        second=second,
        alpha=alpha,
        margin=margin,
        looks=tuple(looks),
        verdict=verdict,
        since=since,
        unmatched=left,
    )


def bounds(gaps: Array, alpha: float) -> tuple[Array, Array]:
    """Return the confidence sequence of the mean of numbers between -1 and 1, after each of them.

    Args:
        gaps: The numbers, in order; their conditional mean must stay the same, nothing else is asked of them.
        alpha: Chance that the mean is ever outside.
    """
    scaled = (np.asarray(gaps, dtype=np.float64) + 1) / 2
    bets = _bets(scaled, alpha)[:, None]
    grid = np.linspace(0, 1, _GRID)
    inner = np.clip(grid, 1e-12, 1 - 1e-12)
    gains = scaled[:, None] - grid
    rising = np.cumsum(np.log1p(np.minimum(bets, _BOLDEST / inner) * gains), axis=0)
    falling = np.cumsum(np.log1p(-np.minimum(bets, _BOLDEST / (1 - inner)) * gains), axis=0)
    won = math.log(2 / alpha)  # each half of the hedge starts with half of the capital
    # capital only falls along the grid in one direction, so what is rejected is a ray: its end is the bound
    above = np.maximum.accumulate(rising, axis=0) >= won
    below = np.maximum.accumulate(falling, axis=0) >= won
    low = np.where(above.any(axis=1), grid[_GRID - 1 - above[:, ::-1].argmax(axis=1)], 0.0)
    high = np.where(below.any(axis=1), grid[below.argmax(axis=1)], 1.0)
    return 2 * low - 1, 2 * high - 1


def _bets(scaled: Array, alpha: float) -> Array:
    """Return how boldly each number is bet on, from those before it alone."""
    place = np.arange(1, len(scaled) + 1)
    means = (0.5 + np.cumsum(scaled)) / (place + 1)
    spread = (0.25 + np.cumsum((scaled - means) ** 2)) / (place + 1)
    before = np.concatenate([[0.25], spread[:-1]])
    return np.asarray(np.sqrt(2 * math.log(2 / alpha) / (before * place * np.log1p(place))))


def _matched(
    arrivals: Sequence[Arrival], first: str, second: str, shares: tuple[float, float]
) -> tuple[Array, int, int]:
    """Return the differences of the matches, the conversations in each, and how many wait."""
    of = [np.array([each.value for each in arrivals if each.arm == arm], dtype=np.float64) for arm in (first, second)]
    each = [max(1, round(shares[0] / shares[1])), max(1, round(shares[1] / shares[0]))]
    count = min(len(of[0]) // each[0], len(of[1]) // each[1])
    means = [rows[: count * size].reshape(count, size).mean(axis=1) for rows, size in zip(of, each, strict=True)]
    return means[1] - means[0], sum(each), len(of[0]) + len(of[1]) - count * sum(each)


def _verdict(low: Array, high: Array, margin: float | None, more_is_better: bool) -> tuple[LiveVerdict, int | None]:
    if not more_is_better:
        low, high = -high, -low
    crossed: list[tuple[LiveVerdict, NDArray[np.bool_]]] = [("better", low > 0), ("worse", high < 0)]
    if margin is not None:
        crossed.append(("not worse by more than the margin", low > -margin))
    for verdict, when in crossed:
        if when[-1]:
            return verdict, int(when.argmax()) + 1
    return "no difference found yet", None


def _check(arrivals: Sequence[Arrival], shares: tuple[float, float], alpha: float, margin: float | None) -> None:
    if not 0 < alpha < 1:
        raise ConfigError("must lie between 0 and 1, both excluded", key="alpha", value=alpha, mend="write e.g. 0.05")
    if min(shares) <= 0:
        raise ConfigError("must both be more than 0", key="shares", value=shares)
    if margin is not None and not margin > 0:
        raise ConfigError("must be more than 0", key="margin", value=margin)
    wrong = next((each for each in arrivals if not 0 <= each.value <= 1), None)
    if wrong is not None:
        raise ConfigError("must lie between 0 and 1", key=f"value of {wrong.arm}", value=wrong.value)
