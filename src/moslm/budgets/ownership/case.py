"""`Case`: every input of the comparison as one number each, all money in one currency; and what each may be.

The defaults of what the reference design does not count are neutral, so that a case with its seven inputs gives its
figures. Knows no file and no formula.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Kind = Literal["count", "share", "money", "months", "factor", "power"]


@dataclass(frozen=True, slots=True)
class Input:
    """What one input of a case is.

    Attributes:
        key: Where it stands in the file of a case, such as ``traffic.escalated``.
        label: What it is, in words.
        kind: How it is written.
        least: The least it can be.
        most: The most it can be.
    """

    key: str
    label: str
    kind: Kind
    least: float = 0.0
    most: float = math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The inputs.

    Attributes:
        requests: Requests a month, in the first one.
        growth: By which share they grow from month to month.
        escalated: Share of the requests that the large model answers.
        remembered: Share answered from memory.
        handed_over: Share that a person has to answer.
        refused: Share turned away before a model is asked.
        retried: Share of the large model's calls that fail and are paid once more; of the single model's too.
        success: Share of the requests that end well, for the cost of a successful one.
        single_per_request: What the single large model costs a request.
        single_remembered: Share of the requests that it would be spared by a cache of answers.
        single_handed_over: Share that a person would have to answer with it.
        single_success: Share of the requests that would end well with it.
        large_per_request: What an escalated request costs; None where it is what the single model costs.
        local_per_request: What one answered by a small model costs beside the hardware: rented models.
        classifier_per_thousand: What the classifier costs for a thousand requests, where it costs beside the hardware.
        hardware: Price of the hardware one starts with.
        residual: What it can be sold for in the end.
        months: Over how many months it is written off; the horizon of the case.
        capacity: Local requests a month that it can answer when it is never idle; 0 where nobody knows, and it is taken
            to be enough.
        most_used: From which utilisation on as much hardware is bought once more.
        operating: What running it costs a month.
        kilowatts: Power it draws under full load, where electricity is not within ``operating``.
        idle_power: Share of that power that it draws when idle.
        per_kwh: What a kilowatt-hour costs.
        cooling: Kilowatt-hours paid for each one that the hardware draws.
        people: What the people who run it cost a month.
        people_once: What building it costs.
        per_handed_over: What a request costs that a person answers.
        discount: Interest a year at which later money counts less.
    """

    requests: float
    growth: float = 0.0
    escalated: float
    remembered: float = 0.0
    handed_over: float = 0.0
    refused: float = 0.0
    retried: float = 0.0
    success: float = 1.0
    single_per_request: float
    single_remembered: float = 0.0
    single_handed_over: float = 0.0
    single_success: float = 1.0
    large_per_request: float | None = None
    local_per_request: float = 0.0
    classifier_per_thousand: float = 0.0
    hardware: float
    residual: float = 0.0
    months: int
    capacity: float = 0.0
    most_used: float = 1.0
    operating: float
    kilowatts: float = 0.0
    idle_power: float = 0.3
    per_kwh: float = 0.0
    cooling: float = 1.0
    people: float = 0.0
    people_once: float = 0.0
    per_handed_over: float = 0.0
    discount: float = 0.0

    @property
    def large(self) -> float:
        """What an escalated request costs."""
        return self.single_per_request if self.large_per_request is None else self.large_per_request

    @property
    def local(self) -> float:
        """Share of the requests that a small model answers."""
        return max(1.0 - self.escalated - self.remembered - self.handed_over - self.refused, 0.0)


INPUTS: dict[str, Input] = {
    "requests": Input("traffic.requests_per_month", "requests a month", "count"),
    "growth": Input("traffic.growth_per_month", "growth a month", "share", -0.5, 1),
    "escalated": Input("traffic.escalated", "share escalated", "share", 0, 1),
    "remembered": Input("traffic.remembered", "share remembered", "share", 0, 1),
    "handed_over": Input("traffic.handed_over", "share handed to people", "share", 0, 1),
    "refused": Input("traffic.refused", "share refused", "share", 0, 1),
    "retried": Input("traffic.retried", "paid calls made twice", "share", 0, 1),
    "success": Input("traffic.success", "share that ends well", "share", 0.001, 1),
    "single_per_request": Input("single.per_request", "single model, a request", "money"),
    "single_remembered": Input("single.remembered", "single model: remembered", "share", 0, 1),
    "single_handed_over": Input("single.handed_over", "single model: to people", "share", 0, 1),
    "single_success": Input("single.success", "single model: ends well", "share", 0.001, 1),
    "large_per_request": Input("large.per_request", "an escalated request", "money"),
    "local_per_request": Input("local.per_request", "a local request", "money"),
    "classifier_per_thousand": Input("classifier.per_thousand", "classifier, a thousand", "money"),
    "hardware": Input("hardware.price", "price of the hardware", "money"),
    "residual": Input("hardware.residual", "residual value", "money"),
    "months": Input("hardware.months", "months of depreciation", "months", 1, 600),
    "capacity": Input("hardware.requests_per_month", "requests it can answer", "count"),
    "most_used": Input("hardware.most_used", "utilisation that is full", "share", 0.01, 1),
    "operating": Input("operating.per_month", "operating a month", "money"),
    "kilowatts": Input("operating.kilowatts", "power under load", "power"),
    "idle_power": Input("operating.idle_power", "power when idle", "share", 0, 1),
    "per_kwh": Input("operating.per_kwh", "a kilowatt-hour", "money"),
    "cooling": Input("operating.cooling", "cooling", "factor", 1, 5),
    "people": Input("people.per_month", "people a month", "money"),
    "people_once": Input("people.once", "building it", "money"),
    "per_handed_over": Input("people.per_handed_over", "a request handed over", "money"),
    "discount": Input("discount.per_year", "discount a year", "share", 0, 1),
}
"""Every input, by its name in `Case`."""

BY_KEY = {each.key: name for name, each in INPUTS.items()}
"""Names in `Case` by where they stand in a file."""


def value_of(case: Case, name: str) -> float:
    """Return one input, as the number that counts."""
    return case.large if name == "large_per_request" else float(getattr(case, name))


def why_not(case: Case) -> tuple[str, str] | None:
    """Return the first thing that cannot be: (name of an input, what is wrong with it); None where all can."""
    for name, each in INPUTS.items():
        value = value_of(case, name)
        if not math.isfinite(value) or not each.least <= value <= each.most:
            upper = f" to {each.most:g}" if math.isfinite(each.most) else " or more"
            return name, f"must be {each.least:g}{upper}"
    shares = case.escalated + case.remembered + case.handed_over + case.refused
    if shares > 1 + 1e-9:
        return "escalated", f"the shares escalated, remembered, handed over and refused come to {shares:.3g}, over 1"
    if case.residual > case.hardware:
        return "residual", "is more than the price of the hardware"
    return None
