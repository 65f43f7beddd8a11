"""What an answer is worth, measured or estimated, and the mean of many with an interval that knows the difference.

An estimate of 0.8 is a draft that will be right or wrong: the bootstrap draws that too, else its intervals would be a
good deal too narrow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from moslm.evals.figures import RESAMPLES, Figure, resampled
from moslm.evals.replaying.changes import Changes
from moslm.evals.replaying.records import Record
from moslm.evals.replaying.routes import Route

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Worth:
    """Points of one answer.

    Attributes:
        points: Between 0 and 1.
        measured: Whether somebody graded it; otherwise the points are a probability of being right.
    """

    points: float
    measured: bool


def worth(
    record: Record, when: Literal["was", "now"], way: Route, large_quality: float | None, changes: Changes
) -> Worth | None:
    """Return the points of a request, as it was or under the changes; None where nothing is known of them.

    Args:
        record: The request.
        when: Which of the two.
        way: How it went, and goes.
        large_quality: Points of an answer of the large model that nobody graded; None where nobody stated any.
        changes: What is set otherwise: another large model has no graded answers.
    """
    at = way.was if when == "was" else way.now
    same = when == "was" or not way.changed
    if at == "escalated":
        own = when == "was" or changes.large is None
        score = record.score if same else record.large_score
        return Worth(score, True) if own and score is not None else _estimated(large_quality)
    if same and record.score is not None:
        return Worth(record.score, True)
    if at == "local":
        return _estimated(_calibrated(record)) if record.draft_score is None else Worth(record.draft_score, True)
    return None if at == "recalled" else Worth(0.0, same)


def mean_worth(points: Sequence[Worth | None], groups: Sequence[str], seed: int) -> Figure:
    """Return the mean points; no value where nothing is known of some."""
    nothing = [Worth(0.0, True)] * len(points)
    return gained_worth(nothing, points, groups, seed)


def gained_worth(was: Sequence[Worth | None], now: Sequence[Worth | None], groups: Sequence[str], seed: int) -> Figure:
    """Return the mean of the points under the changes less those before; no value where nothing is known of some."""
    known = [(a, b) for a, b in zip(was, now, strict=True) if a is not None and b is not None]
    if not was:
        return Figure(value=None, n=0, unit="score", why="no case")
    if len(known) < len(was):
        why = f"nothing is known of the quality of {len(was) - len(known)} of {len(was)} answers"
        return Figure(value=None, n=len(was), unit="score", why=why)
    before, after = (np.array([pair[side].points for pair in known]) for side in (0, 1))
    # an answer that stays is right or wrong on both sides alike
    moved = [a != b for a, b in known]
    guessed = [
        np.array([m and not pair[side].measured for m, pair in zip(moved, known, strict=True)]) for side in (0, 1)
    ]
    random = np.random.default_rng(seed)
    drawn = [
        _drawn(after[rows], guessed[1][rows], random) - _drawn(before[rows], guessed[0][rows], random)
        for rows in resampled(groups, RESAMPLES, seed)
    ]
    value = float((after - before).mean())
    if not drawn:
        return Figure(value=value, n=len(known), unit="score", why="one group has no interval")
    low, high = (float(each) for each in np.quantile(drawn, [0.025, 0.975]))
    return Figure(value=value, low=low, high=high, n=len(known), unit="score", how="bootstrap")


def _drawn(points: Array, guessed: NDArray[np.bool_], random: np.random.Generator) -> float:
    return float(np.where(guessed, random.random(len(points)) < points, points).mean())


def _estimated(points: float | None) -> Worth | None:
    return None if points is None else Worth(points, False)


def _calibrated(record: Record) -> float | None:
    """Return the probability that a draft is right, where its confidence is one."""
    found = record.decision.confidence
    uses = [draft.calibration for draft in record.decision.drafts]
    return found if uses and all(use is not None and use.state == "in_force" for use in uses) else None
