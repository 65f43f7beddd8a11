"""`Operating`: cost, quality and share escalated of one gate, wherever its threshold may stand.

Cases of equal need go together, so between two points lies a mix of both, and lines join them. Weights make a bootstrap
cheap: a resample of groups is nothing but another weight a case.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moslm.evals.frontiers.gates import Gate
from moslm.evals.tables.recorded import RecordedTable

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Cases:
    """What a gate meets in one table, most needed first.

    Attributes:
        order: (n,) the cases from the most needed on.
        ends: Places in that order after which a threshold may stand, the last case's among them.
        need: (n,) the needs in that order.
        local: (n,) points of the local answers, in the table's order.
        large: (n,) points of the large model.
        local_cost: (n,) cost of a case that stays.
        large_cost: (n,) cost of a case that is escalated, what was spent on it before included.
        alone_cost: (n,) cost of the large model alone.
    """

    order: NDArray[np.intp]
    ends: NDArray[np.intp]
    need: Array
    local: Array
    large: Array
    local_cost: Array
    large_cost: Array
    alone_cost: Array


@dataclass(frozen=True, slots=True)
class Operating:
    """The curve: nothing escalated first, everything last."""

    escalated: Array
    quality: Array
    cost: Array
    """Mean of a case."""
    local_quality: float
    large_quality: float
    large_cost: float
    """Of the large model alone, for every case."""


def cases_of(table: RecordedTable, gate: Gate, large: str, *, priced: bool) -> Cases:
    """Return what a gate meets in a table.

    Args:
        table: The table; a model without an outcome for a case counts as no points.
        gate: Who answers and who needs more.
        large: The model that is escalated to.
        priced: Whether cost is money; otherwise it counts calls to the large model.
    """
    rows = np.arange(len(table.cases))
    column = table.column(large)
    points = np.nan_to_num(table.points)
    money = table.usd if priced else np.zeros_like(table.usd)
    alone = money[:, column] if priced else np.ones(len(rows))
    drafts = money[:, list(gate.consulted)].sum(axis=1) if gate.consulted else np.zeros(len(rows))
    local = drafts if gate.consulted else money[rows, gate.answers]
    order = np.argsort(-gate.need, kind="stable")
    need = gate.need[order]
    ends = np.flatnonzero(np.append(need[1:] != need[:-1], True))
    return Cases(order, ends, need, points[rows, gate.answers], points[:, column], local, drafts + alone, alone)


def operating(cases: Cases, weights: Array) -> Operating:
    """Return the curve of a gate.

    Args:
        cases: What it meets.
        weights: (n,) how often each case counts, in the table's order.
    """
    own, total = weights[cases.order], float(weights.sum())

    def running(values: Array) -> Array:
        return np.concatenate([[0.0], np.cumsum(own * values)[cases.ends]]) / total

    gained = (cases.large - cases.local)[cases.order]
    dearer = (cases.large_cost - cases.local_cost)[cases.order]
    local, large = float(weights @ cases.local) / total, float(weights @ cases.large) / total
    return Operating(
        running(np.ones(len(own))),
        local + running(gained),
        float(weights @ cases.local_cost) / total + running(dearer),
        local,
        large,
        float(weights @ cases.alone_cost) / total,
    )
