"""What the ratings of a run come to: how far raters agree, and whether the automatic grader is right. By suite."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from moslm.evals.figures import Figure, share
from moslm.evals.people.agreement import (
    Codes,
    cohen_kappa,
    fleiss_kappa,
    krippendorff_alpha,
    ordinal,
    percent_agreement,
)
from moslm.evals.people.ratings import Rating, Verdict
from moslm.evals.people.shown import Shown

JUDGED: tuple[Verdict, ...] = ("wrong", "partly", "right")
"""Verdicts that say something of the answer, from worst to best. Who cannot tell has given none."""
EVERY = "all"
"""Name of the figures over all suites."""


@dataclass(frozen=True, slots=True)
class RatedRow:
    """One answer and what people said of it."""

    shown: Shown
    ratings: tuple[Rating, ...]

    @property
    def verdicts(self) -> list[Verdict]:
        """What they said of it, without those who cannot tell."""
        return [each.verdict for each in self.ratings if each.verdict in JUDGED]

    @property
    def majority(self) -> Verdict | None:
        """What more of them say than anything else; None where no verdict is ahead."""
        ahead = Counter(self.verdicts).most_common(2)
        return None if not ahead or (len(ahead) == 2 and ahead[0][1] == ahead[1][1]) else ahead[0][0]

    @property
    def graded(self) -> str:
        """How the automatic grader ended it."""
        return self.shown.outcomes[0].ending


@dataclass(frozen=True, slots=True)
class Findings:
    """What ratings come to, over some answers."""

    answers: int
    ratings: int
    cannot_tell: int
    raters: tuple[str, ...]
    figures: Mapping[str, Figure]
    """By name: agreement of raters with each other, and of the grader with them."""
    graded: Mapping[str, Mapping[str, int]]
    """How the grader ended an answer -> what most raters say of it -> how often. ``split`` where none is ahead."""


def rows_of(shown: Sequence[Shown], ratings: Sequence[Rating]) -> list[RatedRow]:
    """Return the answers that somebody rated, with what was said of each."""
    said: dict[str, list[Rating]] = {}
    for each in ratings:
        said.setdefault(each.row, []).append(each)
    return [RatedRow(row, tuple(said[row.id])) for row in shown if row.id in said]


def findings(rows: Sequence[RatedRow]) -> dict[str, Findings]:
    """Return what ratings come to: over all suites, and for each."""
    parts: dict[str, list[RatedRow]] = {EVERY: list(rows)}
    for row in rows:
        parts.setdefault(row.shown.suite, []).append(row)
    return {name: _found(part) for name, part in parts.items()}


def _found(rows: Sequence[RatedRow]) -> Findings:
    groups = [row.shown.group for row in rows]
    verdicts: list[Codes] = [
        {each.rater: JUDGED.index(each.verdict) for each in row.ratings if each.verdict in JUDGED} for row in rows
    ]
    liked: list[Codes] = [
        {each.rater: each.satisfaction - 1 for each in row.ratings if each.satisfaction is not None} for row in rows
    ]
    ratings = [each for row in rows for each in row.ratings]
    return Findings(
        answers=len(rows),
        ratings=len(ratings),
        cannot_tell=sum(each.verdict not in JUDGED for each in ratings),
        raters=tuple(sorted({each.rater for each in ratings})),
        figures={
            "same verdict": percent_agreement(verdicts, groups),
            "Cohen's kappa": cohen_kappa(verdicts, groups, len(JUDGED)),
            "Fleiss' kappa": fleiss_kappa(verdicts, groups, len(JUDGED)),
            "Krippendorff's alpha": krippendorff_alpha(verdicts, groups, len(JUDGED)),
            "alpha of satisfaction": krippendorff_alpha(liked, groups, 5, ordinal),
            **_grader(rows),
        },
        graded=_confusion(rows),
    )


def _grader(rows: Sequence[RatedRow]) -> dict[str, Figure]:
    """Hold the grader against what most raters say, over the answers that both have a verdict on."""
    both = [(row.graded, row.majority, row.shown.group) for row in rows if row.graded in JUDGED and row.majority]
    codes: list[Codes] = [{"grader": JUDGED.index(graded), "people": JUDGED.index(said)} for graded, said, _ in both]
    passed = [said for graded, said, _ in both if graded == "right"]
    failed = [said for graded, said, _ in both if graded == "wrong"]
    return {
        "grader agrees": share(sum(graded == said for graded, said, _ in both), len(both)),
        "grader's kappa": cohen_kappa(codes, [group for *_, group in both], len(JUDGED)),
        "graded right, not so": share(sum(said != "right" for said in passed), len(passed)),
        "graded wrong, right": share(sum(said == "right" for said in failed), len(failed)),
    }


def _confusion(rows: Iterable[RatedRow]) -> dict[str, dict[str, int]]:
    found: dict[str, Counter[str]] = {}
    for row in rows:
        if row.verdicts:
            found.setdefault(row.graded, Counter())[row.majority or "split"] += 1
    return {ending: dict(said) for ending, said in found.items()}
