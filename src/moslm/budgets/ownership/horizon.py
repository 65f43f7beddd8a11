"""A case over its months: growth, hardware bought later, discounting, and when it has paid for itself."""

from __future__ import annotations

from dataclasses import dataclass

from moslm.budgets.ownership.case import Case
from moslm.budgets.ownership.monthly import Month, month


@dataclass(frozen=True, slots=True)
class Horizon:
    """What became of the money.

    Attributes:
        months: Each month.
        investment: What was paid at the start.
        cumulative: What was saved less what was paid, from the start (first) to the end of each month.
        discounted: The same in the money of today.
        saved: All that was saved in the end, with what the hardware can be sold for.
        npv: The same in the money of today: net present value.
        payback: Months until the investment has come back, in money that is really paid; None within these months.
        discounted_payback: The same in the money of today.
        simple_payback: Investment over the first month's saving after depreciation, as the reference design reckons;
            None where nothing is saved.
    """

    months: tuple[Month, ...]
    investment: float
    cumulative: tuple[float, ...]
    discounted: tuple[float, ...]
    saved: float
    npv: float
    payback: float | None
    discounted_payback: float | None
    simple_payback: float | None


def horizon(case: Case) -> Horizon:
    """Return a case over all of its months.

    Money of a month is paid at its end, hardware at the beginning of the month that needs it.
    """
    rate = (1 + case.discount) ** (1 / 12) - 1
    first = month(case)
    investment = first.units * case.hardware + case.people_once
    units, cumulative, discounted, months = first.units, [-investment], [-investment], []
    for place in range(case.months):
        # without growth every month is the first one
        asked = case.requests * (1 + case.growth) ** place
        now = first if case.growth == 0 else month(case, asked, least_units=units)
        bought, units = (now.units - units) * case.hardware, now.units
        saved = now.single - now.cash
        months.append(now)
        cumulative.append(cumulative[-1] + saved - bought)
        discounted.append(discounted[-1] + saved / (1 + rate) ** (place + 1) - bought / (1 + rate) ** place)
    residual = units * case.residual
    return Horizon(
        months=tuple(months),
        investment=investment,
        cumulative=tuple(cumulative),
        discounted=tuple(discounted),
        saved=cumulative[-1] + residual,
        npv=discounted[-1] + residual / (1 + rate) ** case.months,
        payback=_crossing(cumulative),
        discounted_payback=_crossing(discounted),
        simple_payback=investment / first.saving if first.saving > 0 else None,
    )


def _crossing(cumulative: list[float]) -> float | None:
    """Return when the sum is no longer below zero and stays so, between two months in proportion."""
    if cumulative[-1] < 0:
        return None
    below = [place for place, value in enumerate(cumulative) if value < 0]
    if not below:
        return 0.0
    last = below[-1]
    return last + -cumulative[last] / (cumulative[last + 1] - cumulative[last])
