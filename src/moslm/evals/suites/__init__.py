"""What is asked: suites as data, those that ship, those of public data, and samples of them."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from importlib import resources
from pathlib import Path

from moslm.errors import ConfigError
from moslm.evals.suites.public import public_suites
from moslm.evals.suites.reading import read_suite
from moslm.evals.suites.suite import Suite


def shipped() -> list[str]:
    """Return the names of the suites that ship."""
    folder = resources.files("moslm.evals.suites").joinpath("shipped")
    return sorted(each.name.removesuffix(".toml") for each in folder.iterdir() if each.name.endswith(".toml"))


def find_suites(names: Sequence[str], data: Path | None = None) -> list[Suite]:
    """Return suites by name or by the file of their head.

    Args:
        names: Names of shipped suites or of data sets in ``data``, or paths of heads; none means all: of ``data``
            where there is one, else those that ship.
        data: A folder of public data sets.

    Raises:
        ConfigError: One is not known or cannot be read, or two have one name.
    """
    known = {suite.name: suite for suite in (public_suites(data) if data is not None else [])}
    found: dict[str, Suite] = {}
    for name in names or [*known] or shipped():
        suite = known.get(name) or _read(name, [*known])
        if suite.name in found:
            raise ConfigError("is named twice", key="suite", value=suite.name, mend="give each suite a name of its own")
        found[suite.name] = suite
    return list(found.values())


def _read(name: str, beside: Sequence[str]) -> Suite:
    if name in shipped():
        with resources.as_file(resources.files("moslm.evals.suites").joinpath("shipped")) as folder:
            return read_suite(Path(folder) / f"{name}.toml")
    if name.endswith(".toml") or "/" in name:
        return read_suite(Path(name))
    there = [*beside, *shipped()]
    close = get_close_matches(name, there, n=1)
    mend = f"did you mean {close[0]}?" if close else f"there are {', '.join(there)}; or name the file of a suite"
    raise ConfigError("no such suite", key="suite", value=name, mend=mend)
