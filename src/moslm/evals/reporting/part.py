"""`Part`: base of what a report is made of: frozen, closed to unknown keys, plain JSON."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from moslm.evals.outcomes import Outcome


class Part(BaseModel):
    """Base of the parts of a report."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def by_system(outcomes: Sequence[Outcome]) -> dict[str, list[Outcome]]:
    """Return outcomes by their system, in the order in which each first appears."""
    found: dict[str, list[Outcome]] = {}
    for each in outcomes:
        found.setdefault(each.system, []).append(each)
    return found


def by_suite(outcomes: Sequence[Outcome]) -> dict[str, list[Outcome]]:
    """Return outcomes by their suite, in the order in which each first appears."""
    found: dict[str, list[Outcome]] = {}
    for each in outcomes:
        found.setdefault(each.suite, []).append(each)
    return found
