"""What the saving depends on: each input moved alone, and where nothing is saved any more."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from moslm.budgets.ownership.case import INPUTS, Case, value_of, why_not
from moslm.budgets.ownership.monthly import month

_TRIED_UNITS = 100_000
_ROUNDS = 200
_STRAIGHT = "closed form: a straight line between two purchases of hardware"
_SETTLED = ("months", "cooling", "idle_power", "most_used", "success", "single_success")
"""Inputs that are agreed on rather than guessed, or do not move the saving: they have no default range."""


@dataclass(frozen=True, slots=True)
class Swing:
    """How the monthly saving moves with one input.

    Attributes:
        name: The input's name in `Case`.
        low: Its low end.
        high: Its high end.
        at_low: The saving there.
        at_high: The saving at the other end.
    """

    name: str
    low: float
    high: float
    at_low: float
    at_high: float

    @property
    def span(self) -> float:
        """How far the saving moves in all."""
        return abs(self.at_high - self.at_low)


@dataclass(frozen=True, slots=True)
class BreakEven:
    """Where nothing is saved and nothing lost.

    Attributes:
        value: The figure; None where there is none.
        why: How it was found, or why there is none.
    """

    value: float | None
    why: str


def with_inputs(case: Case, values: Mapping[str, float]) -> Case:
    """Return the case with some inputs moved, by their names; months are whole."""
    whole = {name: max(round(value), 1) if name == "months" else value for name, value in values.items()}
    changes: dict[str, Any] = dict(whole)
    return replace(case, **changes)


def default_ranges(case: Case, by: float = 0.2) -> dict[str, tuple[float, float]]:
    """Return a range around each input that counts: a fifth to either side, within what it may be."""
    ranges = {}
    for name, each in INPUTS.items():
        value = value_of(case, name)
        followed = name == "large_per_request" and case.large_per_request is None
        if value == 0 or followed or name in _SETTLED:
            continue
        low, high = sorted((value * (1 - by), value * (1 + by)))
        ranges[name] = (max(low, each.least), min(high, each.most))
    return ranges


def tornado(case: Case, ranges: Mapping[str, tuple[float, float]]) -> list[Swing]:
    """Return how the monthly saving moves with each input alone, the one it depends on most first.

    Args:
        case: The inputs.
        ranges: (low, high) of each input that is moved, by its name in `Case`.

    Raises:
        ValueError: A case at one end cannot be, such as shares of more than 1 in all.
    """
    swings = []
    for name, (low, high) in ranges.items():
        ends = [with_inputs(case, {name: end}) for end in (low, high)]
        for end in ends:
            if wrong := why_not(end):
                raise ValueError(f"{INPUTS[name].key} from {low:g} to {high:g}: {wrong[1]}")
        swings.append(Swing(name, low, high, month(ends[0]).saving, month(ends[1]).saving))
    return sorted(swings, key=lambda each: -each.span)


def break_even_volume(case: Case) -> BreakEven:
    """Return the fewest requests a month from which on MoSLM costs less, or why there are none.

    Between two purchases of hardware the saving is a straight line in the requests, so each stretch is solved exactly.
    """
    reach = case.capacity * case.most_used / case.local if case.capacity > 0 and case.local > 0 else math.inf
    begin, before = 0.0, -math.inf
    for units in range(1, _TRIED_UNITS + 1):
        # at the beginning of a stretch the hardware of the one before is enough; any two points tell the line
        end = begin + (reach if math.isfinite(reach) else max(case.requests, 1.0))
        one = begin + (end - begin) * 1e-9
        low, high = (month(case, each, least_units=units).saving for each in (one, end))
        if low >= 0:
            return BreakEven(begin, _STRAIGHT)
        if high >= 0 or (high > low and math.isinf(reach)):
            return BreakEven(one - low * (end - one) / (high - low), _STRAIGHT)
        if math.isinf(reach):
            return BreakEven(None, "none: each request costs as much as the single model's, or more")
        if high <= before:
            return BreakEven(None, "none: with each further purchase of hardware less is saved")
        before, begin = high, end
    return BreakEven(None, f"none with up to {_TRIED_UNITS:,} times the hardware")


def break_even_share(case: Case) -> BreakEven:
    """Return the share escalated at which nothing is saved, by bisection between 0 and the most it can be."""
    most = 1 - case.remembered - case.handed_over - case.refused

    def saving(share: float) -> float:
        return month(replace(case, escalated=share)).saving

    low, high = 0.0, max(most, 0.0)
    at_low, at_high = saving(low), saving(high)
    within = f"between 0 and {high:.3g}"
    if at_low < 0 and at_high < 0:
        return BreakEven(None, f"none: it costs more at both ends {within}")
    if at_low >= 0 and at_high >= 0:
        return BreakEven(None, f"none: it saves at both ends {within}")
    for _ in range(_ROUNDS):
        middle = (low + high) / 2
        if (saving(middle) < 0) == (at_low < 0):
            low = middle
        else:
            high = middle
    return BreakEven((low + high) / 2, f"bisection {within}")
