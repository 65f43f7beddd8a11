"""Which answers raters see: any, those the models were least sure of, those graded wrong, those that went up."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from moslm.evals.outcomes import Outcome
from moslm.evals.people.shown import Shown

_UNKNOWN_THRESHOLD = 0.5

CONDITIONS: dict[str, Callable[[Outcome], bool]] = {
    "random": lambda outcome: True,
    "uncertain": lambda outcome: outcome.confidence is not None,
    "wrong": lambda outcome: outcome.ending in ("wrong", "partly", "unparsed"),
    "escalated": lambda outcome: outcome.way == "escalated",
}
"""By what answers are chosen: name -> whether an outcome comes into question."""


def choose(rows: Sequence[Shown], by: str, sample: int | None, seed: int) -> list[Shown]:
    """Return answers in an order that says nothing about them.

    Args:
        rows: Those there are.
        by: One of `CONDITIONS`. ``uncertain`` takes those whose confidence is nearest to what it was held against.
        sample: How many; None for all that come into question.
        seed: Of the drawing and of the order.
    """
    fitting = [row for row in rows if any(map(CONDITIONS[by], row.outcomes))]
    order = shuffled(fitting, f"draw {seed}")
    if by == "uncertain":
        order = sorted(order, key=_sureness)
    return shuffled(order[:sample], f"order {seed}")


def shuffled(rows: Sequence[Shown], seed: str) -> list[Shown]:
    """Return answers in the order that a seed gives them, whatever order they came in."""
    return sorted(rows, key=lambda row: hashlib.sha256(f"{seed} {row.id}".encode()).digest())


def _sureness(row: Shown) -> float:
    return min(
        abs(each.confidence - (_UNKNOWN_THRESHOLD if each.threshold is None else each.threshold))
        for each in row.outcomes
        if each.confidence is not None
    )
