"""A sample of cases that keeps every domain and task in proportion: the same seed takes the same cases."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from moslm.evals.cases import Case


def sampled(cases: Sequence[Case], size: int, seed: int = 0) -> list[Case]:
    """Return so many cases, in their order, divided over domains and tasks as the cases are.

    Args:
        cases: All of them.
        size: How many to take; all where there are not as many.
        seed: Another seed takes others.
    """
    if size >= len(cases):
        return list(cases)
    strata: dict[tuple[str, str, str], list[int]] = {}
    for place, case in enumerate(cases):
        told = "" if case.escalate is None else str(case.escalate)
        strata.setdefault((case.domain or "", case.tags.get("task", ""), told), []).append(place)
    shuffled = {
        name: sorted(places, key=lambda place: _drawn(seed, cases[place].id)) for name, places in strata.items()
    }
    # the place of each case in its stratum as a share of it: cutting all strata at one share keeps the proportion
    shares = [
        ((i + 0.5) / len(places), name, place) for name, places in shuffled.items() for i, place in enumerate(places)
    ]
    taken = sorted(place for _, _, place in sorted(shares)[:size])
    return [cases[place] for place in taken]


def _drawn(seed: int, id: str) -> str:
    return hashlib.sha256(f"{seed} {id}".encode()).hexdigest()
