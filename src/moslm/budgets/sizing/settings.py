"""The section of a case that sizes it, and the way from there to a load: rate, seconds an answer takes, samples."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from pydantic import ConfigDict, Field

from moslm.budgets.sizing.hardware import Hardware, hardware_of
from moslm.budgets.sizing.plan import Level, Load, Plan, planned
from moslm.config import Settings
from moslm.errors import ConfigError

_FEWEST = 30
"""Samples from which on their variation says something."""


class Promised(Settings):
    """A service level."""

    model_config = ConfigDict(allow_inf_nan=False)

    percentile: float = Field(gt=0, lt=1)
    seconds: float = Field(gt=0)


class Sizing(Settings):
    """What replicas and GPUs are sized for."""

    model_config = ConfigDict(allow_inf_nan=False)

    requests_per_second: float | None = Field(default=None, gt=0)
    """At the peak; by default from the month's local requests and the three figures below."""
    days: float = Field(default=21, gt=0, le=31)
    """Days of a month on which requests come."""
    peak_hour: float = Field(default=0.15, gt=0, le=1)
    """Share of a day's requests that come in its peak hour."""
    bursts: float = Field(default=2.0, ge=1)
    """How much more than the hour's mean comes in its worst minutes."""
    calls: float = Field(default=1.0, gt=0)
    """Calls of the model for each request."""
    tokens_in: float = Field(ge=0)
    tokens_out: float = Field(gt=0)
    tokens_per_second: float | None = Field(default=None, gt=0)
    """Tokens one replica writes, over all answers side by side, prompts being read between them: measured."""
    prompt_tokens_per_second: float | None = Field(default=None, gt=0)
    """Prompt tokens one replica reads, where ``tokens_per_second`` was measured without reading any."""
    side_by_side: int = Field(default=1, ge=1)
    samples: Path | None = None
    """Seconds that answers took: JSON of ``bench/capacity.py``, or one figure a line."""
    arrivals_scv: float = Field(default=1.0, ge=0, le=100)
    service_scv: float = Field(default=1.0, ge=0, le=100)
    level: Promised | None = None
    most_used: float = Field(default=0.7, gt=0, lt=1)
    spare: int = Field(default=1, ge=0)
    """Replicas more, so that one may die."""
    hardware: str
    """Class of hardware, and how many of it one replica takes."""
    gpus: int = Field(default=1, ge=1)
    weights_gb: float | None = Field(default=None, gt=0)
    seed: int = Field(default=7, ge=0)


@dataclass(frozen=True, slots=True)
class Sized:
    """What it takes, in machines and money.

    Attributes:
        plan: The replicas.
        load: What they were sized for.
        level: What is promised; None promises only that the queue has an end.
        hardware: Name of the class.
        pieces: How many of it, the spare replicas' too.
        spare: Replicas of them that are spare.
        price: What they cost to buy, in the currency of their class; None where nobody stated it.
        hour: What they cost to rent for an hour; None likewise.
        currency: Of both.
        as_of: Since when the price, and the hour's, are known to stand.
        kilowatts: What they may draw; None where nobody stated it.
    """

    plan: Plan
    load: Load
    level: Level | None
    hardware: str
    pieces: int
    spare: int
    price: float | None
    hour: float | None
    currency: str
    as_of: tuple[str, str]
    kilowatts: float | None


def sized(said: Sizing, local_per_month: float, table: dict[str, Hardware], file: str) -> Sized:
    """Return the replicas and GPUs that a load takes.

    Args:
        said: What is sized for.
        local_per_month: Requests a month that small models answer.
        table: Classes of hardware.
        file: The file it stands in, for messages; samples lie beside it.

    Raises:
        ConfigError: The speed is neither measured nor stated, the weights do not fit, samples cannot be read, or no
            number of replicas keeps the level.
    """
    hardware = hardware_of(table, said.hardware, file=file, key="sizing.hardware")
    if said.weights_gb is not None and said.weights_gb > said.gpus * hardware.memory_gb:
        problem = f"do not fit into {said.gpus} x {hardware.memory_gb:g} GB of {said.hardware}"
        raise ConfigError(problem, file=file, key="sizing.weights_gb", value=said.weights_gb, mend="raise sizing.gpus")
    load = load_of(said, local_per_month, file)
    level = Level(said.level.percentile, said.level.seconds) if said.level else None
    try:
        plan = planned(load, level, most_used=said.most_used, seed=said.seed)
    except ValueError as error:
        mend = "allow more time, or measure with fewer side by side, a smaller model or a faster GPU"
        raise ConfigError(str(error), file=file, key="sizing.level", mend=mend) from None
    pieces = (plan.replicas + said.spare) * said.gpus
    price, hour, watts = hardware.price, hardware.hour, hardware.watts
    return Sized(
        plan=plan,
        load=load,
        level=level,
        hardware=said.hardware,
        pieces=pieces,
        spare=said.spare,
        price=None if price is None else pieces * price,
        hour=None if hour is None else pieces * hour,
        currency=hardware.currency,
        as_of=(hardware.price_as_of, hardware.hour_as_of),
        kilowatts=None if watts is None else pieces * watts / 1000,
    )


def load_of(said: Sizing, local_per_month: float, file: str) -> Load:
    """Return the load of a section.

    Raises:
        ConfigError: The speed is neither measured nor stated, or samples cannot be read.
    """
    rate = said.requests_per_second
    if rate is None:
        rate = local_per_month * said.calls / said.days * said.peak_hour / 3600 * said.bursts
    if rate <= 0:
        mend = "say requests_per_second, or let small models answer something"
        raise ConfigError("nothing is asked of small models", file=file, key="sizing", mend=mend)
    samples = () if said.samples is None else _samples(Path(file).parent / said.samples, said.side_by_side, file)
    if samples:
        answer_s = math.fsum(samples) / len(samples)
    elif said.tokens_per_second is None:
        mend = f"measure it on {said.hardware}: bench/capacity.py, or name its output in sizing.samples"
        raise ConfigError("is missing", file=file, key="sizing.tokens_per_second", mend=mend)
    else:
        reading = said.tokens_in / said.prompt_tokens_per_second if said.prompt_tokens_per_second else 0.0
        # the prompts of those side by side are read in the time of all of them
        answer_s = said.side_by_side * (said.tokens_out / said.tokens_per_second + reading)
    return Load(rate, answer_s, said.side_by_side, samples, said.arrivals_scv, said.service_scv)


def _samples(path: Path, side_by_side: int, file: str) -> tuple[float, ...]:
    """Read seconds: one a line, or those of ``bench/capacity.py --json`` with so many side by side."""
    try:
        text = path.read_text(encoding="utf-8")
        found = _of_capacity(text, side_by_side) if text.lstrip().startswith("{") else [float(x) for x in text.split()]
    except OSError as error:
        _unreadable(f"cannot be read: {error.strerror}", path, file)
    except (ValueError, KeyError, TypeError) as error:
        _unreadable(f"holds no seconds: {error}", path, file)
    if len(found) < _FEWEST or not all(math.isfinite(each) and each > 0 for each in found):
        _unreadable(f"must hold {_FEWEST} positive figures or more, and holds {len(found)}", path, file)
    return tuple(found)


def _of_capacity(text: str, side_by_side: int) -> list[float]:
    rows = json.loads(text)["rows"]
    found = [row["seconds"] for row in rows if row["side_by_side"] == side_by_side]
    if not found:
        measured = ", ".join(str(row["side_by_side"]) for row in rows)
        raise ValueError(f"{side_by_side} side by side were not measured, but {measured}")
    return [float(each) for each in found[0]]


def _unreadable(problem: str, path: Path, file: str) -> NoReturn:
    mend = "name what bench/capacity.py --json wrote, or a file with one figure a line"
    raise ConfigError(problem, file=file, key="sizing.samples", value=str(path), mend=mend)
