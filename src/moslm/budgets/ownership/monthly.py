"""One month of a case: what each part costs, beside the single large model."""

from __future__ import annotations

import math
from dataclasses import dataclass

from moslm.budgets.ownership.case import Case

HOURS = 8766 / 12
"""Hours of a month."""
PARTS = ("hardware", "operating", "energy", "people", "small models", "classifier", "large model", "failed calls")


@dataclass(frozen=True, slots=True)
class Month:
    """What one month costs.

    Attributes:
        requests: Requests in it.
        parts: MoSLM's costs by part, in the order of `PARTS`; hardware as depreciation.
        single_parts: What the single large model costs, by the same parts.
        units: How many times the hardware was bought.
        utilisation: Share of the time that the hardware is busy; None where its capacity is not known.
    """

    requests: float
    parts: dict[str, float]
    single_parts: dict[str, float]
    units: int
    utilisation: float | None

    @property
    def total(self) -> float:
        """What MoSLM costs."""
        return sum(self.parts.values())

    @property
    def single(self) -> float:
        """What the single large model costs."""
        return sum(self.single_parts.values())

    @property
    def cash(self) -> float:
        """What MoSLM costs without the depreciation of what was paid at the start."""
        return self.total - self.parts["hardware"]

    @property
    def saving(self) -> float:
        """The single model's cost less MoSLM's; negative where it costs more."""
        return self.single - self.total

    @property
    def saved(self) -> float:
        """That saving as a share of the single model's cost; 0 where that is nothing."""
        return self.saving / self.single if self.single > 0 else 0.0

    @property
    def idle(self) -> float | None:
        """Hardware and operating costs that are paid for time in which nothing is asked."""
        if self.utilisation is None:
            return None
        return (1 - self.utilisation) * (self.parts["hardware"] + self.parts["operating"])


def month(case: Case, requests: float | None = None, *, least_units: int = 1) -> Month:
    """Return what one month costs.

    Building it (``people_once``) is spread over the months like the hardware.

    Args:
        case: The inputs.
        requests: Requests in the month; by default those of the first one.
        least_units: How many times the hardware has been bought by then.
    """
    asked = case.requests if requests is None else requests
    units = max(units_for(case, asked), least_units)
    used = min(asked * case.local / (units * case.capacity), 1.0) if case.capacity > 0 else None
    large = asked * case.escalated * case.large
    single = asked * (1 - case.single_remembered) * case.single_per_request
    parts = {
        "hardware": (units * (case.hardware - case.residual) + case.people_once) / case.months,
        "operating": units * case.operating,
        "energy": units * _energy(case, used),
        "people": case.people + asked * case.handed_over * case.per_handed_over,
        "small models": asked * case.local * case.local_per_request,
        "classifier": asked * (1 - case.remembered - case.refused) * case.classifier_per_thousand / 1000,
        "large model": large,
        "failed calls": large * case.retried,
    }
    single_parts = {
        **dict.fromkeys(PARTS, 0.0),
        "people": asked * case.single_handed_over * case.per_handed_over,
        "large model": single,
        "failed calls": single * case.retried,
    }
    return Month(asked, parts, single_parts, units, used)


def units_for(case: Case, requests: float) -> int:
    """Return how many times the hardware is needed for so many requests a month."""
    if case.capacity <= 0:
        return 1
    # what rounding adds to a product is no request
    return max(1, math.ceil(requests * case.local / (case.capacity * case.most_used) - 1e-9))


def _energy(case: Case, used: float | None) -> float:
    load = 1.0 if used is None else case.idle_power + (1 - case.idle_power) * used
    return case.kilowatts * load * HOURS * case.cooling * case.per_kwh
