"""What a grader says of an answer, and what a grader is. An answer it cannot read is ``unparsed``, never wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from moslm.evals.cases import Case

Verdict = Literal["right", "partly", "wrong", "declined", "unparsed"]

_WHOLE = 1 - 1e-9


@dataclass(frozen=True, slots=True)
class Graded:
    """One graded answer."""

    ending: Verdict
    score: float | None
    """Points between 0 and 1; None where the answer could not be read, or declined."""
    why: str = ""
    usd: float = 0.0
    """What grading cost."""


Grade = Callable[[str], Graded]
"""Grades one answer."""
Preparing = Callable[[Case], Grade]
"""Reads what a case expects, once. Raises `ValueError` where answers cannot be held against that."""


def points(score: float, why: str = "") -> Graded:
    """Return an answer that got this share of the points."""
    return Graded("right" if score >= _WHOLE else "partly" if score > 0 else "wrong", score, why)


def unparsed(why: str) -> Graded:
    """Return an answer that could not be read."""
    return Graded("unparsed", None, why)
