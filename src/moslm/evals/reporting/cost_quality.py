"""`CostQuality`: what each system costs and is worth on the same cases, and what other thresholds would have given.

The curve is the gate's own: drafts as they were graded, the large model's outcomes as they were run, and the
confidence that was measured. Beside it the blind mix of both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce

import numpy as np

from moslm.evals.comparing.baselines import CANDIDATE, LARGE, SMALL, best_single
from moslm.evals.comparing.pairing import Key, by_case
from moslm.evals.figures import Figure, bootstrap
from moslm.evals.frontiers.frontier import SystemFrontier, frontier
from moslm.evals.frontiers.gates import random_mix, scored
from moslm.evals.metrics.scope import asked, groups
from moslm.evals.outcomes import Outcome
from moslm.evals.reporting.drafts import too_few, with_confidence
from moslm.evals.reporting.part import Part
from moslm.evals.tables.recorded import RecordedCase, RecordedTable, recorded

PRICED = "usd per 1,000 cases"
CALLS = "calls to the large model a case"
BY_CONFIDENCE, BLIND = "other thresholds", "random mix"
_DRAFT = "draft"


class Placed(Part):
    """One system on the cases that all have."""

    system: str
    quality: Figure
    cost: float | None
    """In the unit of the chart; None where a price is missing."""
    escalated: float
    """Share of the cases that the large model answered."""


class CostQuality(Part):
    """Every system of a run, and the curve of one."""

    system: str
    """Whose confidence the curve follows."""
    cases: int
    """Cases that every system has."""
    lacking: int
    """Cases that some system lacks; they count for nothing here."""
    unit: str
    systems: tuple[Placed, ...]
    curve_cases: int = 0
    """Of these cases, those with a graded draft and a confidence: the curve is drawn over them alone."""
    curves: tuple[SystemFrontier, ...] = ()
    why: str = ""
    """Why there is no curve."""
    notes: tuple[str, ...] = ()


def cost_quality(system: str, outcomes: Mapping[str, Sequence[Outcome]]) -> CostQuality:
    """Place every system by cost and quality.

    Args:
        system: Whose confidence the curve follows.
        outcomes: Outcomes by system.
    """
    tables = {name: by_case(asked(theirs)) for name, theirs in outcomes.items()}
    tables = {name: table for name, table in tables.items() if table}
    notes: tuple[str, ...] = ()
    candidates = {name: [*table.values()] for name, table in tables.items() if name.startswith(CANDIDATE)}
    if len(candidates) > 1 and SMALL not in tables:
        best, notes = best_single(candidates)
        tables[SMALL] = by_case(best)
    shared = _shared(tables)
    rows = {name: [table[key] for key in shared] for name, table in tables.items()}
    every = {key for table in tables.values() for key in table}
    priced = bool(shared) and all(each.usd is not None for name in (system, LARGE) for each in rows.get(name, ()))
    placed = tuple(_placed(name, found, priced) for name, found in rows.items()) if shared else ()
    made = CostQuality(
        system=system,
        cases=len(shared),
        lacking=len(every) - len(shared),
        unit=PRICED if priced else CALLS,
        systems=placed,
        notes=notes,
    )
    return made.model_copy(update=_curve(rows.get(system, []), rows.get(LARGE, []), priced))


def _shared(tables: Mapping[str, Mapping[Key, Outcome]]) -> list[Key]:
    if not tables:
        return []
    kept = reduce(lambda left, right: left & right, (set(table) for table in tables.values()))
    return [key for key in next(iter(tables.values())) if key in kept]


def _placed(name: str, outcomes: Sequence[Outcome], priced: bool) -> Placed:
    up = float(np.mean([each.way == "escalated" for each in outcomes]))
    known = [each.usd for each in outcomes if each.usd is not None]
    money = 1000 * float(np.mean(known)) if len(known) == len(outcomes) else None
    quality = bootstrap([each.worth for each in outcomes], groups(outcomes), unit="share")
    return Placed(system=name, quality=quality, cost=money if priced else up, escalated=up)


def _curve(own: Sequence[Outcome], large: Sequence[Outcome], priced: bool) -> dict[str, object]:
    if not large:
        return {"why": f"the system {LARGE} was not run, so nobody knows what it would have made of these cases"}
    usable = {id(each) for each in with_confidence(own)}
    pairs = [(mine, theirs) for mine, theirs in zip(own, large, strict=True) if id(mine) in usable]
    if why := too_few(len(pairs)):
        return {"curve_cases": len(pairs), "why": why}
    table = _table(pairs, priced)
    confidence = np.array([mine.confidence for mine, _ in pairs], dtype=np.float64)
    gates = {
        BY_CONFIDENCE: ("by the confidence in the draft", scored(table, _DRAFT, confidence, before_any_draft=False)),
        BLIND: ("so many cases drawn blindly", random_mix(table, _DRAFT)),
    }
    found = frontier(table, gates, LARGE)
    if priced and found.unit != PRICED:
        why = "what the drafts of escalated requests cost is not known, so their curve cannot be drawn in money"
        return {"curve_cases": len(pairs), "why": why}
    return {"curve_cases": len(pairs), "curves": found.systems}


def _table(pairs: Sequence[tuple[Outcome, Outcome]], priced: bool) -> RecordedTable:
    points = np.array([[mine.draft_score, theirs.worth] for mine, theirs in pairs], dtype=np.float64)
    money = [[draft_usd(mine) if priced else None, theirs.usd if priced else None] for mine, theirs in pairs]
    return recorded(
        "run",
        [RecordedCase(f"{mine.suite}/{mine.case}", "", f"{mine.suite}/{mine.group}") for mine, _ in pairs],
        [_DRAFT, LARGE],
        points,
        np.array(money, dtype=np.float64),
        small=(_DRAFT,),
        large=LARGE,
    )


def draft_usd(outcome: Outcome) -> float | None:
    """Return what a request cost before it went up; None where nobody knows.

    Of one that stayed that is all it cost; of one that went up its Decision says what the small models cost.
    """
    if outcome.way == "local":
        return outcome.usd
    usage = (outcome.decision or {}).get("usage")
    if not isinstance(usage, list):
        return None
    return float(sum(each["cost_usd"] for each in usage if each["role"] != "large"))
