"""Every figure that ``moslm cost`` tells, once: the terminal, the page, JSON and CSV show the same ones."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from moslm.budgets.ownership import (
    INPUTS,
    BreakEven,
    Horizon,
    Month,
    Outcomes,
    Swing,
    break_even_share,
    break_even_volume,
    drawn,
    horizon,
    month,
    tornado,
)
from moslm.budgets.ownership.case import value_of
from moslm.budgets.ownership.records import ModelUse, Recorded
from moslm.budgets.ownership.resolving import Question
from moslm.budgets.sizing.settings import Sized
from moslm.config import Price


@dataclass(frozen=True, slots=True)
class Effective:
    """What the tokens of a model on one's own GPUs really cost over a window, idle time included.

    Attributes:
        model: Its name.
        usd_per_million: US dollars for a million tokens that it wrote; None where it wrote none.
        utilisation: Share of the window in which it was writing; None where that is not recorded.
    """

    model: str
    usd_per_million: float | None
    utilisation: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """What was reckoned.

    Attributes:
        name: The file of the case.
        question: The case and what was asked about it.
        first: Its first month.
        over_time: All of its months.
        swings: What the saving depends on, most first.
        volume: Requests a month from which on it pays.
        share: Share escalated up to which it pays.
        outcomes: What comes out of uncertain inputs.
        record: The real traffic it was taken from; None where it was not.
        effective: What tokens of one's own GPUs really cost; empty without a record.
        size: What it takes; None where the case does not ask.
    """

    name: str
    question: Question
    first: Month
    over_time: Horizon
    swings: tuple[Swing, ...]
    volume: BreakEven
    share: BreakEven
    outcomes: Outcomes
    record: Recorded | None
    effective: tuple[Effective, ...]
    size: Sized | None

    @property
    def moving(self) -> list[Swing]:
        """The inputs that move the first month's saving, the dozen that move it most."""
        return [each for each in self.swings if each.span > 0][:12]

    @property
    def per_request(self) -> tuple[float, float]:
        """What a request costs, and what one that ends well costs."""
        each = self.first.total / self.first.requests
        return each, each / self.question.case.success

    @property
    def single_per_request(self) -> tuple[float, float]:
        """The same of the single model."""
        each = self.first.single / self.first.requests
        return each, each / self.question.case.single_success


def figures_of(
    question: Question, name: str, record: Recorded | None, size: Sized | None, prices: Mapping[str, Price]
) -> Figures:
    """Reckon everything about a case."""
    case = question.case
    return Figures(
        name=name,
        question=question,
        first=month(case),
        over_time=horizon(case),
        swings=tuple(tornado(case, question.ranges)),
        volume=break_even_volume(case),
        share=break_even_share(case),
        outcomes=drawn(case, question.uncertain, question.draws),
        record=record,
        effective=tuple(_effective(each, record, prices) for each in _small(record) if each.model in _owned(prices)),
        size=size,
    )


def plain(found: Figures) -> dict[str, Any]:
    """Return every figure as plain JSON values; what is infinite or not there is null."""
    first, time, case = found.first, found.over_time, found.question.case
    made = {
        "case": found.name,
        "currency": found.question.currency,
        "notes": list(found.question.notes),
        "inputs": {INPUTS[each.name].key: value_of(case, each.name) for each in fields(case)},
        "month": {
            "requests": first.requests,
            "parts": first.parts,
            "total": first.total,
            "single_parts": first.single_parts,
            "single": first.single,
            "saving": first.saving,
            "saved": first.saved,
            "saving_per_year": 12 * first.saving,
            "per_request": found.per_request[0],
            "per_successful_request": found.per_request[1],
            "single_per_request": found.single_per_request[0],
            "single_per_successful_request": found.single_per_request[1],
            "units": first.units,
            "utilisation": first.utilisation,
            "idle": first.idle,
        },
        "horizon": {
            "months": case.months,
            "investment": time.investment,
            "payback_months": time.payback,
            "discounted_payback_months": time.discounted_payback,
            "simple_payback_months": time.simple_payback,
            "saved": time.saved,
            "npv": time.npv,
            "cumulative": list(time.cumulative),
            "discounted": list(time.discounted),
        },
        "tornado": [{"input": INPUTS[each.name].key, **_without(asdict(each), "name")} for each in found.swings],
        "break_even": {"requests_per_month": asdict(found.volume), "escalated": asdict(found.share)},
        "monte_carlo": {
            **asdict(found.outcomes.draws),
            "distributions": {INPUTS[name].key: asdict(each) for name, each in found.question.uncertain.items()},
            "quantiles": {name: asdict(each) for name, each in found.outcomes.spread.items()},
            "saves": found.outcomes.saves,
            "pays_back": found.outcomes.pays_back,
        },
        "records": None if found.record is None else _record(found.record),
        "effective_prices": [asdict(each) for each in found.effective],
        "sizing": None if found.size is None else _size(found.size),
    }
    checked: dict[str, Any] = _finite(made)
    return checked


def rows(found: Figures) -> Iterator[tuple[str, ...]]:
    """Yield every figure as a line: where it stands in the JSON, and its value; empty where there is none."""
    yield "figure", "value"
    yield from _flat(plain(found), "")


def _flat(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _flat(inner, f"{path}.{place}")
    else:
        yield path, "" if value is None else str(value)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _record(record: Recorded) -> dict[str, Any]:
    return {
        "begins": record.begins.isoformat(timespec="seconds"),
        "ends": record.ends.isoformat(timespec="seconds"),
        "requests": record.requests,
        "outcomes": dict(record.outcomes),
        "requests_with_a_failed_model": record.failed,
        "models": [asdict(each) for each in record.models],
        "baseline_model": record.baseline_model,
        "baseline_usd": record.baseline_usd,
        "large_usd": record.large_usd,
        "lost_usd": record.lost_usd,
        "unrecorded": record.unrecorded,
    }


def _size(size: Sized) -> dict[str, Any]:
    load = {**_without(asdict(size.load), "samples"), "samples": len(size.load.samples)}
    return {**asdict(size), "load": load}


def _without(values: dict[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in names}


def _small(record: Recorded | None) -> list[ModelUse]:
    return [] if record is None else [each for each in record.models if each.role == "small"]


def _owned(prices: Mapping[str, Price]) -> set[str]:
    return {name for name, price in prices.items() if price.gpu_hour is not None}


def _effective(use: ModelUse, record: Recorded | None, prices: Mapping[str, Price]) -> Effective:
    price = prices[use.model]
    assert record is not None
    assert price.gpu_hour is not None
    paid = price.gpu_hour * price.gpus * record.hours
    return Effective(use.model, 1_000_000 * paid / use.output_tokens if use.output_tokens else None, use.busy)
