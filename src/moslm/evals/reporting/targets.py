"""`GateResult`: the targets of a gate, each with the figure that was held against it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from moslm.evals.figures import Figure
from moslm.evals.gate import Gate, Held
from moslm.evals.reporting.part import Part


class TargetResult(Part):
    """One target."""

    metric: str
    system: str
    suite: str | None = None
    """None where it is measured on all suites together."""
    at_least: float | None = None
    at_most: float | None = None
    by: Literal["value", "low", "high"] = "value"
    """What was held against it."""
    figure: Figure
    missed: str
    """Why it is missed; empty where it is reached."""
    why: str = ""
    """Where the target comes from."""


class GateResult(Part):
    """A gate and how it went."""

    name: str
    about: str
    targets: tuple[TargetResult, ...]
    reached: int
    missed: int


def gate_result(gate: Gate, held: Sequence[Held]) -> GateResult:
    """Return a gate with its targets as they were held."""
    targets = tuple(
        TargetResult(
            metric=each.target.metric,
            system=each.target.system,
            suite=each.target.suite,
            at_least=each.target.at_least,
            at_most=each.target.at_most,
            by=each.target.by,
            figure=each.figure,
            missed=each.missed,
            why=each.target.why,
        )
        for each in held
    )
    missed = sum(bool(each.missed) for each in targets)
    return GateResult(name=gate.name, about=gate.about, targets=targets, reached=len(targets) - missed, missed=missed)
