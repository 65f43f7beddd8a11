"""What hardware there is and what it costs: a dated table as data, and one's own lines before it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from importlib import resources
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from moslm.config import Settings
from moslm.errors import ConfigError


class Measured(Settings):
    """Tokens a second that somebody measured, and under what."""

    model_config = ConfigDict(allow_inf_nan=False)

    model: str
    side_by_side: int = Field(ge=1)
    tokens_in: int = Field(ge=0)
    tokens_out: int = Field(ge=1)
    tokens_per_second: float = Field(gt=0)
    as_of: str = ""


class Hardware(Settings):
    """One class of hardware; prices in US dollars unless ``currency`` says another."""

    model_config = ConfigDict(allow_inf_nan=False)

    kind: Literal["gpu", "cpu"] = "gpu"
    memory_gb: float = Field(gt=0)
    """Memory of one."""
    watts: float | None = Field(default=None, gt=0)
    """Power it may draw, by its data sheet."""
    price: float | None = Field(default=None, ge=0)
    """What one costs to buy; None where nobody stated it."""
    price_as_of: str = ""
    hour: float | None = Field(default=None, ge=0)
    """What one costs to rent for an hour, on demand."""
    hour_as_of: str = ""
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "USD"
    note: str = ""
    measured: tuple[Measured, ...] = ()


def hardware_table(own: Mapping[str, Hardware] | None = None) -> dict[str, Hardware]:
    """Return every class by its name; one's own take the place of the shipped ones."""
    return {**_shipped(), **(own or {})}


def hardware_of(table: Mapping[str, Hardware], name: str, *, file: str | None, key: str) -> Hardware:
    """Return a class by its name.

    Raises:
        ConfigError: There is none of that name.
    """
    found = table.get(name)
    if found is None:
        close = [each for each in table if name and each.lower().startswith(name.lower())]
        close = close or get_close_matches(name, table, n=1, cutoff=0.4)
        mend = f"did you mean {close[0]}?" if close else f"there are {', '.join(table)}"
        raise ConfigError("is no class of hardware", file=file, key=key, value=name, mend=mend)
    return found


@cache
def _shipped() -> dict[str, Hardware]:
    text = resources.files("moslm.budgets.sizing").joinpath("hardware.toml").read_text(encoding="utf-8")
    return {name: Hardware.model_validate(line) for name, line in tomllib.loads(text).items()}
