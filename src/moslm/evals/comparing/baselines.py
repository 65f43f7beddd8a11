"""MoSLM against what one would have without it: the large model, the best small one, the small models ungated.

Always all three; one that has no outcomes is named as missing. The best single small model is not chosen by hindsight:
the groups are halved, and each half is answered by the model that is best on the other.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict

from moslm.errors import ConfigError
from moslm.evals.comparing.comparison import Comparison, compare
from moslm.evals.comparing.pairing import by_case
from moslm.evals.outcomes import Outcome

LARGE, SMALL, UNGATED = "large", "small", "ungated"
BASELINES = (LARGE, SMALL, UNGATED)
CANDIDATE = "small:"
"""Begins the name of a system that is one small model among several, such as ``small:phi-3-mini``."""


class AgainstBaselines(BaseModel):
    """One system against each baseline that has outcomes."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    system: str
    comparisons: tuple[Comparison, ...]
    """Each with the baseline first and the system second."""
    missing: tuple[str, ...] = ()
    """Baselines without outcomes: nothing is said of the system against them."""


def against_baselines(
    outcomes: Sequence[Outcome], system: str = "moslm", *, margin: float | None = None, seed: int = 0
) -> AgainstBaselines:
    """Compare one system with all three baselines.

    Args:
        outcomes: Those of every system. Several small models come as ``small:NAME`` each, one alone as ``small``.
        system: Which is judged.
        margin: As for `compare`.
        seed: Of the resampling.

    Raises:
        ConfigError: The system has no outcomes, or a case stands twice.
    """
    by_system: dict[str, list[Outcome]] = defaultdict(list)
    for each in outcomes:
        by_system[each.system].append(each)
    if system not in by_system:
        raise ConfigError(
            "has no outcomes", key="system", value=system, mend=f"one of: {', '.join(sorted(by_system)) or 'none'}"
        )
    rivals, notes = _rivals(by_system)
    comparisons = [
        compare(name, rivals[name], system, by_system[system], margin=margin, seed=seed, notes=notes.get(name, ()))
        for name in BASELINES
        if name in rivals
    ]
    missing = tuple(name for name in BASELINES if name not in rivals)
    return AgainstBaselines(system=system, comparisons=tuple(comparisons), missing=missing)


def best_single(candidates: Mapping[str, Sequence[Outcome]]) -> tuple[list[Outcome], tuple[str, ...]]:
    """Return the outcomes of the best single model, chosen for each half of the groups on the other half.

    Args:
        candidates: Outcomes by model; only cases that all of them have are taken.

    Returns:
        The outcomes, and sentences on what was chosen and left out.

    Raises:
        ConfigError: A case stands twice.
    """
    tables = {name: by_case(rows) for name, rows in candidates.items()}
    shared = [key for key in next(iter(tables.values())) if all(key in table for table in tables.values())]
    lost = len({key for table in tables.values() for key in table}) - len(shared)
    chosen: dict[bool, str] = {}
    halves = {key: _half(next(iter(tables.values()))[key]) for key in shared}
    for half in (False, True):
        judged = [key for key in shared if halves[key] != half] or shared
        points = {name: sum(table[key].worth for key in judged) for name, table in tables.items()}
        chosen[half] = max(points, key=lambda name: points[name])
    picked = " and ".join(dict.fromkeys(name.removeprefix(CANDIDATE) for name in chosen.values()))
    notes = [f"The best of {len(tables)} small models was chosen on the other half of the groups: {picked}."]
    if lost:
        notes.append(f"{lost} cases that not every small model has were left out of that choice and comparison.")
    found = [tables[chosen[halves[key]]][key].model_copy(update={"system": SMALL}) for key in shared]
    return found, tuple(notes)


def _rivals(by_system: Mapping[str, list[Outcome]]) -> tuple[dict[str, list[Outcome]], dict[str, tuple[str, ...]]]:
    rivals = {name: by_system[name] for name in BASELINES if name in by_system}
    notes: dict[str, tuple[str, ...]] = {}
    if SMALL in rivals:
        notes[SMALL] = ("There is one small model; whoever ran it chose it.",)
    candidates = {name: rows for name, rows in by_system.items() if name.startswith(CANDIDATE)}
    if candidates:
        rivals[SMALL], notes[SMALL] = best_single(candidates)
    return rivals, notes


def _half(outcome: Outcome) -> bool:
    return bool(hashlib.sha256(f"{outcome.suite}/{outcome.group}".encode("utf-8", "replace")).digest()[0] & 1)
