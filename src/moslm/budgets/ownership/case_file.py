"""The file of a case: TOML, a section for each concern; a mistake is one line with file, key, value and mend."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, field_validator

from moslm.budgets.sizing.hardware import Hardware
from moslm.budgets.sizing.settings import Sizing
from moslm.config import Settings, validated
from moslm.errors import ConfigError

EXAMPLE = "reference.toml"
Share = Annotated[float, Field(ge=0, le=1)]
Money = Annotated[float, Field(ge=0)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class Section(Settings):
    """Base of every section: infinite is no figure."""

    model_config = ConfigDict(allow_inf_nan=False)


class Traffic(Section):
    """What is asked, and how it ends; the shares are of all requests."""

    requests_per_month: float = Field(gt=0)
    growth_per_month: float = Field(default=0.0, ge=-0.5, le=1)
    escalated: Share
    remembered: Share = 0.0
    handed_over: Share = 0.0
    refused: Share = 0.0
    retried: Share = 0.0
    """Share of the paid calls that fail and are paid once more."""
    success: float = Field(default=1.0, gt=0, le=1)
    """Share of the requests that end well, for the cost of a successful one."""


class Single(Section):
    """One large model for everything: its price in exactly one of three ways."""

    per_month: Money | None = None
    """For the requests of the first month, none of them remembered."""
    per_request: Money | None = None
    model: str | None = None
    """Priced by the table of prices, with the two lengths below."""
    tokens_in: float | None = Field(default=None, ge=0)
    tokens_out: float | None = Field(default=None, ge=0)
    remembered: Share = 0.0
    handed_over: Share = 0.0
    success: float = Field(default=1.0, gt=0, le=1)


class PerRequest(Section):
    """What one request costs; by default nothing, or for the large model what the single one costs."""

    per_request: Money | None = None


class Classifier(Section):
    """What the classifier costs, where it costs beside the hardware."""

    per_thousand: Money = 0.0


class Bought(Section):
    """So many of one class of hardware."""

    name: str
    count: int = Field(ge=1)
    price: Money | None = None
    """Of one, in the currency of the case; by default that of its class."""


class Owned(Section):
    """The hardware: its price, or what it consists of."""

    price: Money | None = None
    items: tuple[Bought, ...] = ()
    months: int = Field(ge=1, le=600)
    """Over which it is written off; the horizon of the case."""
    residual: Money = 0.0
    requests_per_month: float | None = Field(default=None, gt=0)
    """Local requests it can answer in a month when it is never idle."""
    utilisation: float | None = Field(default=None, gt=0, le=1)
    """Share of the time it is busy with the local requests of the first month: the same said in another way."""
    most_used: float = Field(default=1.0, gt=0, le=1)
    """Utilisation from which on as much hardware is bought once more."""


class Operating(Section):
    """What running it costs."""

    per_month: Money
    kilowatts: Money = 0.0
    """Power under full load, where electricity is not within ``per_month``."""
    idle_power: Share = 0.3
    per_kwh: Money = 0.0
    cooling: float = Field(default=1.0, ge=1, le=5)


class People(Section):
    """What people cost."""

    per_month: Money = 0.0
    once: Money = 0.0
    per_handed_over: Money = 0.0


class Discount(Section):
    """What later money is worth less."""

    per_year: Share = 0.0


class Distribution(Section):
    """How an input is distributed; see `moslm.budgets.ownership.chance.Uncertain`."""

    distribution: Literal["triangular", "uniform", "normal", "lognormal"]
    low: float | None = None
    mode: float | None = None
    high: float | None = None
    mean: float | None = None
    sd: float | None = Field(default=None, ge=0)
    median: float | None = Field(default=None, gt=0)
    sigma: float | None = Field(default=None, ge=0, le=5)


class Drawing(Section):
    """How is drawn."""

    count: int = Field(default=10_000, ge=100, le=1_000_000)
    seed: int = Field(default=20_240_101, ge=0)
    interval: float = Field(default=0.9, gt=0, lt=1)


class CaseFile(Section):
    """Everything the file of a case may say."""

    currency: Currency = "USD"
    """Of all money in this file."""
    currencies: dict[Currency, Annotated[float, Field(gt=0)]] = {}  # noqa: RUF012 -- pydantic copies it
    """What one unit of a currency is worth in US dollars."""
    traffic: Traffic
    single: Single
    large: PerRequest = PerRequest()
    local: PerRequest = PerRequest()
    classifier: Classifier = Classifier()
    hardware: Owned
    operating: Operating
    people: People = People()
    discount: Discount = Discount()
    ranges: dict[str, tuple[float, float]] = {}  # noqa: RUF012 -- pydantic copies it
    """(low, high) of inputs for the tornado, by their keys in this file; by default a fifth to either side."""
    uncertain: dict[str, Distribution] = {}  # noqa: RUF012 -- pydantic copies it
    """Distributions of inputs for the Monte Carlo; by default triangles over the ranges."""
    draws: Drawing = Drawing()
    hardware_classes: dict[str, Hardware] = {}  # noqa: RUF012 -- pydantic copies it
    """One's own classes and prices of hardware."""
    sizing: Sizing | None = None

    @field_validator("ranges", "uncertain", mode="before")
    @classmethod
    def _dotted(cls, value: object) -> object:
        return dict(_flat(value, "")) if isinstance(value, Mapping) else value


def read_case(path: str | Path) -> CaseFile:
    """Read the file of a case.

    Raises:
        ConfigError: It is missing or no TOML, or an input cannot stand.
    """
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError("no such file", file=str(path), mend="run: moslm cost --example > case.toml") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"not TOML: {error}", file=str(path)) from None
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=str(path)) from None
    return parsed_case(text, str(path))


def parsed_case(text: str, name: str) -> CaseFile:
    """Read a case from text.

    Args:
        text: TOML.
        name: What the file is called in messages.

    Raises:
        ConfigError: It is no TOML, or an input cannot stand.
    """
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"not TOML: {error}", file=name) from None
    try:
        return validated(CaseFile, values, file=name)
    except ConfigError as error:
        if "moslm config schema" not in error.mend:
            raise
        mend = "remove it (moslm cost --example shows every key)"
        raise ConfigError(error.problem, file=name, key=error.key, value=error.value, mend=mend) from None


def example() -> str:
    """Return the reference design's case as a commented file to start from."""
    return resources.files("moslm.budgets.ownership").joinpath(EXAMPLE).read_text(encoding="utf-8")


def _flat(table: Mapping[str, Any], prefix: str) -> list[tuple[str, Any]]:
    """Return the leaves of a table by their dotted keys: ``traffic.escalated = ...`` need not be quoted."""
    leaves = []
    for key, value in table.items():
        if (
            isinstance(value, Mapping)
            and "distribution" not in value
            and any(isinstance(v, Mapping | list) for v in value.values())
        ):
            leaves.extend(_flat(value, f"{prefix}{key}."))
        else:
            leaves.append((f"{prefix}{key}", value))
    return leaves
