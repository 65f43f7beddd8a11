"""`Example`: a case to look at: wrong answers, those kept at high confidence first; and what has no grade."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

from moslm.evals.metrics.scope import asked
from moslm.evals.outcomes import Outcome, Way
from moslm.evals.reporting.part import Part

SHOWN = 20
"""Cases of a kind that are shown."""
LONGEST = 1_200
"""Characters of a text that are kept."""

Questions = Mapping[tuple[str, str], str]
"""By (suite, case), what was asked."""


class Example(Part):
    """One case."""

    suite: str
    case: str
    domain: str | None
    way: Way
    confidence: float | None
    threshold: float | None
    score: float | None
    question: str | None
    """What was asked; None where the run kept no texts, or the suite is not at hand."""
    answer: str | None
    """What was answered; None where the run kept no texts."""
    why: str
    """A sentence of the grader, or what failed."""


class Examples(Part):
    """Cases of one system that have something in common."""

    system: str
    kind: Literal["wrong", "unparsed", "failed", "refused"]
    of: int
    """How many there are; the first are shown."""
    shown: tuple[Example, ...]
    whys: dict[str, int]
    """The reasons of all of them that occur more than once, the most frequent first."""


def wrong(system: str, outcomes: Sequence[Outcome], questions: Questions) -> Examples:
    """Return the wrong answers of one system: those of small models that were shown first, the surest before others."""
    found = [each for each in asked(outcomes) if each.ending == "wrong"]
    found.sort(key=lambda each: (each.way != "local", 1.0 if each.confidence is None else -each.confidence))
    return _examples(system, "wrong", found, questions)


def without_grade(system: str, outcomes: Sequence[Outcome], questions: Questions) -> tuple[Examples, ...]:
    """Return what could not be read, what got no answer and what was turned away; kinds without a case are left out."""
    kinds: tuple[Literal["unparsed", "failed", "refused"], ...] = ("unparsed", "failed", "refused")
    found = {kind: [each for each in asked(outcomes) if each.ending == kind] for kind in kinds}
    return tuple(_examples(system, kind, those, questions) for kind, those in found.items() if those)


def _examples(
    system: str,
    kind: Literal["wrong", "unparsed", "failed", "refused"],
    found: Sequence[Outcome],
    questions: Questions,
) -> Examples:
    shown = tuple(_example(each, questions) for each in found[:SHOWN])
    whys = {why: count for why, count in Counter(each.why for each in found).most_common(10) if why and count > 1}
    return Examples(system=system, kind=kind, of=len(found), shown=shown, whys=whys)


def _example(outcome: Outcome, questions: Questions) -> Example:
    question = questions.get((outcome.suite, outcome.case)) if outcome.answer is not None else None
    return Example(
        suite=outcome.suite,
        case=outcome.case,
        domain=outcome.domain,
        way=outcome.way,
        confidence=outcome.confidence,
        threshold=outcome.threshold,
        score=outcome.score,
        question=_cut(question),
        answer=_cut(outcome.answer),
        why=outcome.why,
    )


def _cut(text: str | None) -> str | None:
    if text is None or len(text) <= LONGEST:
        return text
    return f"{text[:LONGEST]} … and {len(text) - LONGEST:,} characters more"
