"""Which sources are left out, in what company, and how many of their rows are asked.

With encoders that MoSLM tuned without some sources, every system leaves out those together: a fold for all of them, so
that none has seen more than another. Without, each source is left out alone. Knows nothing of the systems.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from measures.encoders import folders_in, unseen_by

from contenders.rows import LeftOut, Pair


@dataclass(frozen=True, slots=True)
class Plan:
    """What the stages read: the groups of sources, and the rows asked of each source at most."""

    groups: tuple[LeftOut, ...]
    most: int

    @property
    def pairs(self) -> list[Pair]:
        """Every source that is left out, group by group."""
        return [pair for out in self.groups for pair in out.pairs]


def one_by_one(pairs: Collection[Pair], most: int) -> Plan:
    """Return the plan that leaves out each source alone."""
    return Plan(tuple(LeftOut((pair,)) for pair in pairs), most)


def as_tuned(encoders: Path, pairs: Collection[Pair], most: int) -> Plan:
    """Return the plan that leaves out together what each encoder was tuned without.

    Args:
        encoders: Folder of the encoders.
        pairs: What can be left out; a source that no encoder was tuned without is not.
        most: Rows asked of each source at most.
    """
    groups = [
        LeftOut(tuple(sorted(unseen_by(folder) & set(pairs))), folder.resolve()) for folder in folders_in(encoders)
    ]
    return Plan(tuple(out for out in groups if out.pairs), most)


def write(plan: Plan, file: Path) -> None:
    """Keep a plan for the processes that learn and answer."""
    groups = [{"pairs": out.pairs, "encoder": out.encoder and str(out.encoder)} for out in plan.groups]
    file.write_text(json.dumps({"groups": groups, "most": plan.most}), encoding="utf-8")


def kept(file: Path) -> Plan:
    """Read what `write` kept."""
    told = json.loads(file.read_text(encoding="utf-8"))
    groups = [
        LeftOut(
            tuple((domain, source) for domain, source in group["pairs"]),
            Path(group["encoder"]) if group["encoder"] else None,
        )
        for group in told["groups"]
    ]
    return Plan(tuple(groups), told["most"])
