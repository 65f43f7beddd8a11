"""What a judge is worth: its agreement with exact graders beyond chance, and its bias."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from moslm.evals.figures import Figure, bootstrap, resampled
from moslm.evals.outcomes import Outcome

Answers = np.ndarray[tuple[int], np.dtype[np.bool_]]

LEAST = 0.6
"""Kappa below which a judge is not to be relied on ("substantial" begins here, Landis and Koch 1977)."""
JUDGED = "judged"
"""Tag of an outcome that a judge graded as well: its grade from 1 to 5."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How a judge's grades compare with those of exact graders."""

    kappa: Figure
    """Cohen's kappa of right against not right; 0 is chance, 1 is the same."""
    bias: Figure
    """The judge's mean points less the exact graders'; above 0 it is too kind."""

    @property
    def is_enough(self) -> bool:
        """Whether the judge agrees often enough to be relied on."""
        return self.kappa.value is not None and self.kappa.value >= LEAST

    @property
    def verdict(self) -> str:
        """What that means, in one clause."""
        if self.kappa.value is None:
            return f"not known: {self.kappa.why}"
        return "good enough" if self.is_enough else f"below {LEAST:g}: do not rely on its grades"


def agreement(outcomes: Sequence[Outcome]) -> Agreement:
    """Return how a judge compares, over the outcomes that both graded."""
    both = [(each, int(each.tags[JUDGED])) for each in outcomes if _by_both(each)]
    groups = [f"{each.suite}/{each.group}" for each, _ in both]
    theirs = np.array([grade >= 4 for _, grade in both], dtype=bool)
    ours = np.array([each.ending == "right" for each, _ in both], dtype=bool)
    gaps = [(grade - 1) / 4 - each.worth for each, grade in both]
    return Agreement(_kappa_figure(theirs, ours, groups), bootstrap(gaps, groups))


def _by_both(outcome: Outcome) -> bool:
    by_another = outcome.tags.get("grader") != "rubric"
    return by_another and JUDGED in outcome.tags and outcome.score is not None


def kappa(theirs: Answers, ours: Answers) -> float | None:
    """Return Cohen's kappa of two yes-or-no gradings; None where chance alone would agree always."""
    agreed = float(np.mean(theirs == ours))
    chance = float(theirs.mean() * ours.mean() + (1 - theirs.mean()) * (1 - ours.mean()))
    return None if chance > 1 - 1e-12 else (agreed - chance) / (1 - chance)


def _kappa_figure(theirs: Answers, ours: Answers, groups: Sequence[str]) -> Figure:
    if not len(theirs):
        return Figure(value=None, n=0, unit="score", why="no case was graded by both")
    value = kappa(theirs, ours)
    if value is None:
        return Figure(value=None, n=len(theirs), unit="score", why="both graded all cases alike")
    drawn = [kappa(theirs[chosen], ours[chosen]) for chosen in resampled(groups)]
    found = [each for each in drawn if each is not None]
    if not found:
        return Figure(value=value, n=len(theirs), unit="score", why="one group has no interval")
    low, high = np.quantile(found, [0.025, 0.975])
    return Figure(value=value, low=float(low), high=float(high), n=len(theirs), unit="score", how="bootstrap")
