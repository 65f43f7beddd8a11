"""`Gate`: targets that figures must reach, read from TOML; a target whose figure could not be measured is missed.

The gates that ship are the phases of the reference design (``gates/*.toml``).
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from moslm.errors import ConfigError
from moslm.evals.figures import Figure
from moslm.evals.metrics import AGAINST, METRICS, Metric
from moslm.evals.outcomes import Outcome
from moslm.mistakes import first_mistake


class Target(BaseModel):
    """One figure that must be reached."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: str
    suite: str | None = None
    """The suite it is measured on; by default all that ran, together."""
    system: str = "moslm"
    at_least: float | None = None
    at_most: float | None = None
    """At least one of both; with both it is a band."""
    by: Literal["value", "low", "high"] = "value"
    """What is held against the target: the figure itself, or the bound of its interval. With ``low`` (for ``at_least``)
    or ``high`` (for ``at_most``) the target is proven and not only met."""
    baseline: float | None = Field(default=None, gt=0, le=1)
    """What a metric that is taken against a baseline is taken against."""
    least_n: int = Field(default=1, ge=1)
    """On fewer cases it counts as not measured."""
    why: str = ""
    """Where it comes from."""

    @model_validator(mode="after")
    def _names_a_target(self) -> Target:
        if self.at_least is None and self.at_most is None:
            raise ValueError("needs at_least or at_most")
        return self


class Gate(BaseModel):
    """Targets that must all be reached."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    about: str = ""
    targets: list[Target] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Held:
    """One target, and the figure that was held against it."""

    target: Target
    figure: Figure
    missed: str
    """Why it is missed, in one clause; empty where it is reached."""


def shipped_gates() -> list[str]:
    """Return the names of the gates that ship."""
    folder = resources.files("moslm.evals").joinpath("gates")
    return sorted(each.name.removesuffix(".toml") for each in folder.iterdir() if each.name.endswith(".toml"))


def read_gate(named: str, metrics: Mapping[str, Metric] = METRICS) -> Gate:
    """Read a gate by the name of one that ships, or by its file.

    Args:
        named: A name or a path.
        metrics: Those that it may name.

    Raises:
        ConfigError: There is none, or a target cannot stand.
    """
    if named in shipped_gates():
        file, text = named, resources.files("moslm.evals").joinpath("gates", f"{named}.toml").read_text("utf-8")
    else:
        file, text = named, _text(named)
    try:
        gate = Gate.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"not TOML: {error}", file=file) from None
    except ValidationError as error:
        raise first_mistake(error, Gate, file, "") from None
    for i, target in enumerate(gate.targets):
        if target.metric not in metrics:
            close = get_close_matches(target.metric, list(metrics), n=1)
            mend = f"did you mean {close[0]}?" if close else f"one of: {', '.join(metrics)}"
            raise ConfigError("no such metric", file=file, key=f"targets.{i}.metric", value=target.metric, mend=mend)
        if target.baseline is not None and target.metric not in AGAINST:
            problem = f"{target.metric} is taken against no baseline"
            raise ConfigError(problem, file=file, key=f"targets.{i}.baseline", value=target.baseline, mend="remove it")
    return gate


def held_against(gate: Gate, outcomes: Sequence[Outcome], metrics: Mapping[str, Metric] = METRICS) -> list[Held]:
    """Hold the outcomes of a run against a gate.

    Args:
        gate: The gate.
        outcomes: Outcomes of all systems and suites.
        metrics: The metrics by name.
    """
    return [_held(target, outcomes, metrics) for target in gate.targets]


def _held(target: Target, outcomes: Sequence[Outcome], metrics: Mapping[str, Metric]) -> Held:
    theirs = [each for each in outcomes if each.system == target.system]
    about = [each for each in theirs if target.suite in (None, each.suite)]
    metric: Callable[[Sequence[Outcome]], Figure] = metrics[target.metric]
    if target.baseline is not None:
        metric = AGAINST[target.metric](target.baseline)
    figure = metric(about)
    if not about:
        where = f"the suite {target.suite}" if theirs and target.suite else f"the system {target.system}"
        figure = figure.model_copy(update={"value": None, "why": f"{where} was not run"})
    return Held(target, figure, _missed(target, figure))


def _missed(target: Target, figure: Figure) -> str:
    if figure.value is None:
        return f"could not be measured: {figure.why or 'no case'}"
    if figure.n < target.least_n:
        return f"measured on {figure.n}, and {target.least_n} are the least"
    value = {"value": figure.value, "low": figure.low, "high": figure.high}[target.by]
    if value is None:
        return f"has no {target.by} bound: {figure.why or 'too few cases'}"
    if target.at_least is not None and value < target.at_least:
        return "too low"
    return "too high" if target.at_most is not None and value > target.at_most else ""


def _text(named: str) -> str:
    try:
        return Path(named).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ConfigError("is not UTF-8 text", file=named, mend="save it as UTF-8") from None
    except OSError as error:
        close = get_close_matches(named, shipped_gates(), n=1)
        mend = f"did you mean {close[0]}?" if close else f"name a file, or one of {', '.join(shipped_gates())}"
        raise ConfigError(f"cannot be read: {error.strerror}", key="--gate", value=named, mend=mend) from None
