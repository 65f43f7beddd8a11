"""Labelled answers to a calibration: one half fits it, the other half reports what it is worth.

Halves are made of whole groups (a page's section, a fact), so that no question is judged by its own paraphrase. An
answer that declined goes up whatever its confidence, so it neither fits nor is counted among what is kept.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

import numpy as np

from moslm.errors import ConfigError
from moslm.escalation.calibration.artefact import Calibration, versioned
from moslm.escalation.calibration.fitting import Promise, fit_calibration
from moslm.escalation.calibration.judging import Bin, equal_mass_bins, equal_mass_error
from moslm.escalation.calibration.labelled import LabelledAnswer
from moslm.escalation.calibration.tracks import Track, track
from moslm.escalation.signals import COSTLY, SignalFunction
from moslm.evals.answers import Answer

Array = np.ndarray[tuple[int], np.dtype[np.float64]]

_LEAST_GAIN = 0.001
_BINS = 10
LEAST_ANSWERS = 20
"""Fewer answers to fit on are refused: what they would say is chance."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What a threshold keeps of the reported questions."""

    questions: int
    """All of them, also those that were declined or failed."""
    outcomes: Mapping[str, int]
    """How they ended: ``right``, ``wrong``, ``declined``, ``failed``."""
    threshold: float | None
    """None: nothing may be kept."""
    kept: int
    wrong: int

    @property
    def coverage(self) -> float:
        """Share of all questions that is answered locally."""
        return self.kept / self.questions if self.questions else 0.0

    @property
    def risk(self) -> float | None:
        """Share of the kept answers that is wrong; None when none is kept."""
        return self.wrong / self.kept if self.kept else None


@dataclass(frozen=True, slots=True)
class Report:
    """What a calibration is worth on answers it never saw; ``""`` stands for all domains together."""

    calibration: Calibration
    fitted_on: int
    """Answers it was fitted on; declined ones not counted."""
    at_threshold: Mapping[str, Kept]
    """At the threshold in force."""
    promised: Mapping[str, Kept]
    """At the thresholds of the promise."""
    bins: tuple[Bin, ...]
    chance_error: float
    """Calibration error that chance alone explains on so many answers."""

    def document(self) -> dict[str, Any]:
        """Return the report as plain JSON values."""
        made = self.calibration
        return {
            "model": made.model,
            "revision": made.revision,
            "version": made.version,
            "signals": list(made.signals),
            "expires": made.expires.isoformat(),
            "fitted_on": self.fitted_on,
            "domains": {
                name or "all": {
                    **asdict(made.figures[name]),
                    "questions": kept.questions,
                    "outcomes": dict(kept.outcomes),
                    "at_threshold": _plain(kept),
                    "promised": _plain(self.promised[name]),
                }
                for name, kept in self.at_threshold.items()
                if name in made.figures
            },
            "calibration_error_of_chance": self.chance_error,
            "reliability": [asdict(each) for each in self.bins],
        }


def _plain(kept: Kept) -> dict[str, Any]:
    return {
        "threshold": kept.threshold,
        "kept": kept.kept,
        "wrong": kept.wrong,
        "coverage": kept.coverage,
        "risk": kept.risk,
    }


def calibrate_answers(
    answers: Sequence[Answer],
    signals: Mapping[str, SignalFunction],
    *,
    chosen: Sequence[str] | None,
    model: str,
    revision: str,
    threshold: Callable[[str], float],
    promise: Promise,
    today: date,
    valid_days: int,
) -> Report:
    """Fit a calibration on one half of the answers and report on the other.

    Args:
        answers: Graded answers of one model.
        signals: The signals by name.
        chosen: Names of the signals to fit on; by default `chosen_signals`.
        model: Id of the model.
        revision: Its revision.
        threshold: The threshold in force by domain.
        promise: What the stored thresholds shall keep.
        today: The day.
        valid_days: Days until the calibration expires.

    Raises:
        ConfigError: There are too few answers, or all are right or all wrong.
    """
    fitting, reporting = halves(answers)
    rows, held_out = _rows(fitting, signals), _rows(reporting, signals)
    if len(rows) < LEAST_ANSWERS:
        raise ConfigError(
            f"only {len(rows)} questions of the fitting half were answered, and {LEAST_ANSWERS} are the least",
            key="--questions",
            mend="write more questions, or take a model that declines less",
        )
    calibration = fit_calibration(
        rows,
        signals=list(chosen) if chosen else chosen_signals(rows, signals, model, today),
        model=model,
        revision=revision,
        created=today,
        promise=promise,
        held_out=held_out,
        valid_days=valid_days,
    )
    calibration = versioned(replace(calibration, tracks=tracks_of(calibration, reporting, signals)))
    said = np.array([calibration.probability(row.domain, row.signals) or 0.0 for row in held_out])
    right = np.array([row.right for row in held_out], dtype=bool)
    return Report(
        calibration,
        len(rows),
        _kept(reporting, held_out, said, threshold),
        _kept(reporting, held_out, said, calibration.threshold),
        equal_mass_bins(said, right, _BINS),
        chance_error(said),
    )


def halves(answers: Sequence[Answer]) -> tuple[list[Answer], list[Answer]]:
    """Divide answers by whole groups, every domain by itself, the same way each time."""
    place: dict[tuple[str, str], int] = {}
    for domain in dict.fromkeys(answer.question.domain for answer in answers):
        groups = {answer.question.group for answer in answers if answer.question.domain == domain}
        place |= {(domain, group): i for i, group in enumerate(sorted(groups, key=_shuffled))}
    sides: tuple[list[Answer], list[Answer]] = ([], [])
    for answer in answers:
        sides[place[answer.question.domain, answer.question.group] % 2].append(answer)
    return sides


def chosen_signals(
    rows: Sequence[LabelledAnswer], signals: Mapping[str, SignalFunction], model: str, today: date
) -> list[str]:
    """Return the signals worth fitting on: one is added as long as it lowers the cross-fitted Brier score.

    Looks at the rows to fit on alone, so that the report stays honest. Costly signals come last.
    """
    left, found, best = measured_signals(rows, signals), list[str](), math.inf
    while left:
        scores = {name: _brier(rows, [*found, name], model, today) for name in left}
        name = min(scores, key=lambda each: scores[each])
        if scores[name] > best - _LEAST_GAIN:
            break
        best = scores[name]
        found.append(name)
        left.remove(name)
    return sorted(found, key=lambda each: each in COSTLY)


def chance_error(said: Array, draws: int = 400) -> float:
    """Return the calibration error that perfectly calibrated probabilities would show on so many answers, on average.

    A measured error near this one says nothing against the calibration, nor much for it.
    """
    random = np.random.default_rng(0)
    return float(np.mean([equal_mass_error(said, random.random(len(said)) < said) for _ in range(draws)]))


def _brier(rows: Sequence[LabelledAnswer], names: Sequence[str], model: str, today: date) -> float:
    found = fit_calibration(rows, signals=names, model=model, revision="", created=today).figures[""].brier
    return math.inf if found is None else found


def measured_signals(rows: Sequence[LabelledAnswer], signals: Mapping[str, SignalFunction]) -> list[str]:
    """Return the signals that most rows have, the costly ones last."""
    most = [name for name in signals if sum(row.signals[name] is not None for row in rows) * 2 > len(rows)]
    return sorted(most, key=lambda name: name in COSTLY)


def _rows(answers: Sequence[Answer], signals: Mapping[str, SignalFunction]) -> list[LabelledAnswer]:
    return [
        LabelledAnswer(
            domain=answer.question.domain,
            group=f"{answer.question.domain}/{answer.question.group}",
            signals={name: signal(answer.draft).value for name, signal in signals.items()},
            right=answer.outcome == "right",
        )
        for answer in answers
        if answer.outcome in ("right", "wrong")
    ]


def tracks_of(
    calibration: Calibration, answers: Sequence[Answer], signals: Mapping[str, SignalFunction]
) -> dict[str, tuple[Track, ...]]:
    """Return by domain how the confidence of each answer ran, where it was watched while it was written.

    Args:
        calibration: The calibration that reads the confidence.
        answers: Answers it was not fitted on. Those it was fitted on end higher than others for as low a run: with
            them a stated 10 % of false stops became 20 % (SmolLM2-135M, thresholds of 0.4 and 0.5).
        signals: The signals by name.
    """
    found: dict[str, list[Track]] = {}
    for answer in answers:
        domain = answer.question.domain
        if answer.outcome not in ("right", "wrong") or not any(answer.looks):
            continue
        end = calibration.probability(domain, {name: signal(answer.draft).value for name, signal in signals.items()})
        ran = [[calibration.probability(domain, values) or 0.0 for values in message] for message in answer.looks]
        if end is not None:
            found.setdefault(domain, []).append(Track(end, min(track(end, looks).lowest for looks in ran)))
    return {domain: tuple(tracks) for domain, tracks in sorted(found.items())}


def _kept(
    answers: Sequence[Answer],
    rows: Sequence[LabelledAnswer],
    said: Array,
    threshold: Callable[[str], float | None],
) -> dict[str, Kept]:
    found: dict[str, Kept] = {}
    for domain in ["", *dict.fromkeys(answer.question.domain for answer in answers)]:
        asked = [answer for answer in answers if domain in ("", answer.question.domain)]
        kept = [
            row
            for row, probability in zip(rows, said, strict=True)
            if domain in ("", row.domain) and (least := threshold(row.domain)) is not None and probability >= least
        ]
        found[domain] = Kept(
            questions=len(asked),
            outcomes=Counter(answer.outcome for answer in asked),
            threshold=threshold(domain) if domain else None,
            kept=len(kept),
            wrong=sum(not row.right for row in kept),
        )
    return found


def _shuffled(group: str) -> str:
    return hashlib.sha256(group.encode()).hexdigest()
