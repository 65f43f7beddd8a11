"""`Finding`: a piece of personal data or a secret in a text; `Recogniser`: whatever finds them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Characters ``start`` to ``end`` of a text that must not leave as they are."""

    start: int
    end: int
    kind: str
    """What it is, in Presidio's words where it has one: ``EMAIL_ADDRESS``, ``PERSON``, ``CREDIT_CARD`` ..."""
    score: float
    """How sure the recogniser is, 0 to 1; decides only what an overlap is called, never whether it is hidden."""


class Recogniser(Protocol):
    """Finds personal data in a text."""

    def find(self, text: str) -> list[Finding]:
        """Return what was found, in any order; findings may overlap."""
        ...


def merged(findings: Iterable[Finding]) -> list[Finding]:
    """Turn findings of several recognisers into findings that do not overlap, in reading order.

    What overlaps becomes one finding over all of it, so that no character anyone found is left out; it bears the kind
    of the longest among them, of the surer one where two are equally long.
    """
    groups: list[list[Finding]] = []
    end = -1
    for finding in sorted(each for each in findings if each.start < each.end):
        if finding.start < end:
            groups[-1].append(finding)
        else:
            groups.append([finding])
        end = max(end, finding.end)
    return [_as_one(group) for group in groups]


def _as_one(group: list[Finding]) -> Finding:
    best = max(group, key=lambda each: (each.end - each.start, each.score))
    return Finding(group[0].start, max(each.end for each in group), best.kind, best.score)
