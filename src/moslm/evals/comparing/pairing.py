"""The same cases of two systems, side by side; what has no counterpart is named and never dropped in silence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from moslm.errors import ConfigError
from moslm.evals.outcomes import Outcome

Key = tuple[str, str]
"""Suite and case."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Cases that both systems have, in the order of the first; and those that one of them lacks.

    Attributes:
        first: Outcomes of the first system.
        second: Outcomes of the second system, of the same cases in the same order.
        only_first: Cases that the second lacks, as ``suite/case``.
        only_second: Cases that the first lacks.
    """

    first: tuple[Outcome, ...]
    second: tuple[Outcome, ...]
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]

    @property
    def groups(self) -> list[str]:
        """The group of each pair; groups of different suites are different."""
        return [f"{each.suite}/{each.group}" for each in self.first]


def paired(first: Sequence[Outcome], second: Sequence[Outcome]) -> Pairs:
    """Put the outcomes of two systems side by side by suite and case.

    Raises:
        ConfigError: A case stands twice in one of them, or is of another group in the other; names it.
    """
    one, two = by_case(first), by_case(second)
    shared = [key for key in one if key in two]
    for key in shared:
        if one[key].group != two[key].group:
            raise ConfigError(
                f"is of the group {one[key].group} in one run and {two[key].group} in the other",
                key=named(key),
                mend="compare runs of the same version of the suite",
            )
    return Pairs(
        tuple(one[key] for key in shared),
        tuple(two[key] for key in shared),
        tuple(named(key) for key in one if key not in two),
        tuple(named(key) for key in two if key not in one),
    )


def by_case(outcomes: Sequence[Outcome]) -> Mapping[Key, Outcome]:
    """Return outcomes by suite and case.

    Raises:
        ConfigError: A case stands twice.
    """
    found: dict[Key, Outcome] = {}
    for each in outcomes:
        key = (each.suite, each.case)
        if key in found:
            raise ConfigError(
                f"stands twice among the outcomes of {each.system}",
                key=named(key),
                mend="keep one outcome a case and system",
            )
        found[key] = each
    return found


def named(key: Key) -> str:
    """Return a case's name for people."""
    return "/".join(key)
