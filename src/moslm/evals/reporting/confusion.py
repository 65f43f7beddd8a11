"""`Confusion`: the domain a request belongs to, against the domain it was taken for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from moslm.evals.figures import Figure
from moslm.evals.metrics.router_accuracy import router_accuracy
from moslm.evals.outcomes import Outcome
from moslm.evals.reporting.part import Part

NOWHERE = "no domain"
"""Where a request belongs that belongs to none; whatever it is taken for, the router alone cannot be right there."""
OTHERS = "other domains"
_MOST = 12


class Confusion(Part):
    """One system."""

    system: str
    rows: tuple[str, ...]
    """The domains that requests belong to."""
    columns: tuple[str, ...]
    """The domains they were taken for."""
    counts: tuple[tuple[int, ...], ...]
    """A row for each domain that requests belong to."""
    accuracy: Figure


def confusion(system: str, outcomes: Sequence[Outcome]) -> Confusion | None:
    """Return what one system took requests for; None for a system that does not say.

    Beyond the twelve most frequent, domains are put together.
    """
    pairs = [(each.domain or NOWHERE, each.routed_to) for each in outcomes if each.routed_to is not None]
    if not pairs:
        return None
    frequent = Counter(name for pair in pairs for name in pair if name != NOWHERE)
    shown = {name for name, _ in frequent.most_common(_MOST)} | {NOWHERE}
    counts = Counter((_shown(belongs, shown), _shown(taken, shown)) for belongs, taken in pairs)
    rows = _ordered({belongs for belongs, _ in counts})
    columns = _ordered({taken for _, taken in counts} | {each for each in rows if each not in (NOWHERE, OTHERS)})
    return Confusion(
        system=system,
        rows=rows,
        columns=columns,
        counts=tuple(tuple(counts[row, column] for column in columns) for row in rows),
        accuracy=router_accuracy(outcomes),
    )


def _shown(name: str, shown: set[str]) -> str:
    return name if name in shown else OTHERS


def _ordered(names: set[str]) -> tuple[str, ...]:
    return tuple(sorted(names, key=lambda name: (name == NOWHERE, name == OTHERS, name)))
