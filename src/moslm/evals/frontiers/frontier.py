"""`Frontier`: every system on one table as a curve of cost and quality, with the field's figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from moslm.evals.figures import Figure
from moslm.evals.frontiers import measures
from moslm.evals.frontiers.curves import Cases, Operating, cases_of, operating
from moslm.evals.frontiers.gates import Gate
from moslm.evals.tables.recorded import RecordedTable

Array = NDArray[np.float64]

RESAMPLES = 400
_SHOWN = 41
_HALVINGS = 50


class Point(BaseModel):
    """One place a threshold may stand."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    escalated: float
    """Share of the cases that goes to the large model."""
    cost: float
    """Mean of a case, in the frontier's unit."""
    quality: float
    """Mean points of a case."""


class SystemFrontier(BaseModel):
    """One system on one table."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    system: str
    about: str
    """One sentence: what it goes by."""
    curve: tuple[Point, ...]
    """From nothing escalated to everything."""
    figures: dict[str, Figure]
    """``saved_95``, ``saved_99``: share of the large model's cost saved at 95 and 99 % of its quality, below 0 where it
    costs more. ``escalated_95``, ``escalated_99``, ``escalated_parity``: share of the cases that must be escalated for
    95, 99 and 100 % of it. ``apgr``, ``cpt_50``, ``cpt_80``, ``aiq``. ``held_out_95`` and ``held_out_saved_95``: the
    share of the large model's quality and of its cost saved on one half of the groups with the threshold that reaches
    95 % on the other, because a threshold chosen on the cases it is judged by is a little lucky."""


class ModelPoint(BaseModel):
    """One model that answers everything."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    model: str
    quality: Figure
    cost: float | None
    """Mean of a case; None where no price is known."""
    is_small: bool = False


class Frontier(BaseModel):
    """One table."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    table: str
    cases: int
    groups: int
    large: str
    unit: str
    """Of cost: ``usd per 1,000 cases``, or ``calls to the large model a case`` where prices are missing."""
    models: tuple[ModelPoint, ...]
    best_single: str
    systems: tuple[SystemFrontier, ...]
    notes: tuple[str, ...] = ()


def frontier(
    table: RecordedTable,
    gates: Mapping[str, tuple[str, Gate]],
    large: str,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Frontier:
    """Measure every gate on one table.

    Args:
        table: The table.
        gates: By the name of the system, a sentence on what it goes by, and its gate.
        large: The model that is escalated to.
        resamples: How often the groups are drawn anew for the intervals.
        seed: Of the drawing.

    Raises:
        ConfigError: The large model has no outcomes.
    """
    columns = {table.column(large), *(column for _, gate in gates.values() for column in _used(gate))}
    priced = not np.isnan(table.usd[:, sorted(columns)]).any()
    scale = 1000.0 if priced else 1.0
    weights = _drawn(table.groups, resamples, seed)
    cases = {name: cases_of(table, gate, large, priced=priced) for name, (_, gate) in gates.items()}
    everything = np.ones(len(table.cases))
    cheapest = min(float(operating(each, everything).cost[0]) for each in cases.values())
    systems = [
        _system(name, gates[name][0], each, weights, cheapest, scale, table.groups) for name, each in cases.items()
    ]
    models = _models(table, weights, priced)
    best = max(models, key=lambda each: each.quality.value or 0.0)
    notes = table.notes
    if best.model != large:
        notes = (*notes, f"The best single model is {best.model}, not the {large} that is escalated to here.")
    return Frontier(
        table=table.name,
        cases=len(table.cases),
        groups=len(set(table.groups)),
        large=large,
        unit="usd per 1,000 cases" if priced else "calls to the large model a case",
        models=models,
        best_single=best.model,
        systems=tuple(systems),
        notes=notes,
    )


def _used(gate: Gate) -> set[int]:
    return {*gate.consulted, *np.unique(gate.answers).tolist()}


def _drawn(groups: list[str], resamples: int, seed: int) -> Array:
    """Return for each resample how often each case counts."""
    names, inverse = np.unique(np.asarray(groups), return_inverse=True)
    random = np.random.default_rng(seed)
    counts = random.multinomial(len(names), np.full(len(names), 1 / len(names)), size=resamples)
    return np.asarray(counts[:, inverse], dtype=np.float64)


Measure = Callable[[Operating], float | None]


def _measures(cheapest: float) -> dict[str, tuple[str, Measure]]:
    return {
        "saved_95": ("share", lambda curve: measures.saved(curve, 0.95)),
        "saved_99": ("share", lambda curve: measures.saved(curve, 0.99)),
        "escalated_95": ("share", lambda curve: measures.escalated(curve, 0.95)),
        "escalated_99": ("share", lambda curve: measures.escalated(curve, 0.99)),
        "escalated_parity": ("share", lambda curve: measures.escalated(curve, 1.0)),
        "apgr": ("score", measures.apgr),
        "cpt_50": ("share", lambda curve: measures.cpt(curve, 0.5)),
        "cpt_80": ("share", lambda curve: measures.cpt(curve, 0.8)),
        "aiq": ("score", lambda curve: measures.aiq(curve.cost, curve.quality, cheapest, curve.large_cost)),
    }


def _system(
    name: str, about: str, cases: Cases, weights: Array, cheapest: float, scale: float, groups: list[str]
) -> SystemFrontier:
    whole = operating(cases, np.ones(len(cases.need)))
    drawn = [operating(cases, each) for each in weights]
    figures = {
        key: _figure(measure(whole), [measure(each) for each in drawn], unit, len(cases.need))
        for key, (unit, measure) in _measures(cheapest).items()
    }
    figures |= _held_out(cases, groups, 0.95)
    return SystemFrontier(system=name, about=about, curve=_shown(whole, scale), figures=figures)


def _held_out(cases: Cases, groups: list[str], share: float) -> dict[str, Figure]:
    names, inverse = np.unique(np.asarray(groups), return_inverse=True)
    random = np.random.default_rng(1)
    kept: list[float] = []
    spared: list[float] = []
    for _ in range(_HALVINGS):
        first = (random.permutation(len(names)) < len(names) // 2)[inverse]
        chosen, judged = (operating(cases, half.astype(np.float64)) for half in (first, ~first))
        places = np.arange(len(chosen.quality), dtype=np.float64)
        # between two places lies the share of a tie that goes up
        place = measures.first_reaching(chosen, share * chosen.large_quality, places)
        if place is not None and judged.large_cost > 0:
            kept.append(float(np.interp(place, places, judged.quality) / judged.large_quality))
            spared.append(float(1 - np.interp(place, places, judged.cost) / judged.large_cost))
    found = {"held_out_95": kept, "held_out_saved_95": spared}
    if len(kept) < _HALVINGS:
        why = f"the threshold was reached in {len(kept)} of {_HALVINGS} halvings"
        return {key: Figure(value=None, n=len(groups), why=why) for key in found}
    why = f"mean of {_HALVINGS} halvings"
    return {key: Figure(value=float(np.mean(each)), n=len(groups), why=why) for key, each in found.items()}


def _figure(value: float | None, drawn: list[float | None], unit: str, n: int) -> Figure:
    kept = [each for each in drawn if each is not None]
    about = {"n": n, "unit": unit}
    if value is None:
        return Figure.model_validate({"value": None, "why": "never reached, or no gap to recover", **about})
    if len(kept) < 0.9 * len(drawn) or not kept:
        return Figure.model_validate({"value": value, "why": "not reached in a tenth of the resamples", **about})
    low, high = np.quantile(kept, [0.025, 0.975])
    return Figure.model_validate({"value": value, "low": float(low), "high": float(high), "how": "bootstrap", **about})


def _shown(curve: Operating, scale: float) -> tuple[Point, ...]:
    shares = np.linspace(0, 1, _SHOWN)
    cost, quality = (np.interp(shares, curve.escalated, each) for each in (curve.cost, curve.quality))
    return tuple(
        Point(escalated=round(float(x), 4), cost=round(float(c) * scale, 6), quality=round(float(q), 5))
        for x, c, q in zip(shares, cost, quality, strict=True)
    )


def _models(table: RecordedTable, weights: Array, priced: bool) -> tuple[ModelPoint, ...]:
    found = []
    for column, model in enumerate(table.models):
        points = np.nan_to_num(table.points[:, column])
        means = weights @ points / weights.sum(axis=1)
        low, high = np.quantile(means, [0.025, 0.975])
        figure = Figure(
            value=float(points.mean()), low=float(low), high=float(high), n=len(points), unit="score", how="bootstrap"
        )
        cost = float(table.usd[:, column].mean()) * 1000
        known = priced and not np.isnan(cost)
        found.append(
            ModelPoint(model=model, quality=figure, cost=cost if known else None, is_small=model in table.small)
        )
    return tuple(found)
