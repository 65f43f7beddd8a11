"""From two folders of outcomes to one report: how well right answers are told from wrong ones, and what that buys.

Knows the order of the work and every figure of the report; nothing of how it is shown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from moslm.errors import ConfigError, MissingExtraError
from moslm.escalation.calibration.curves import Curve, fit_curve
from moslm.escalation.calibration.guarantee import Certificate, certify
from moslm.escalation.calibration.judging import Bin, equal_mass_bins, judged
from moslm.escalation.calibration.labelled import folds_of
from moslm.escalation.calibration.outcomes.learner import STEPS, Said, cross_fitted, predict
from moslm.escalation.calibration.outcomes.material import Material, gather
from moslm.escalation.calibration.outcomes.table import Outcomes
from moslm.escalation.calibration.routing import needed, routed

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
Right = NDArray[np.bool_]
Step = Callable[[], object]

OUTER_FOLDS = 5
_GATHER_STEPS = 10
_FEWEST = 30
_RESPLITS = 100
"""How often the groups are halved, to choose on one half and check on the other: one halving is a matter of luck."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is asked of the outcomes.

    Attributes:
        small: The model whose answers are judged, then those it is compared with.
        large: The model that answers instead.
        risk: Largest share of wrong answers among those kept.
        delta: Chance that this does not hold.
    """

    small: tuple[str, ...]
    large: str
    risk: float
    delta: float


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What thresholds kept of answers they were not chosen on.

    Attributes:
        checks: How many thresholds were checked: one on another folder, or one for every halving of this one.
        feasible: How many of them there were; the rest of the figures is over these.
        exceeded: How many kept more wrong answers than stated.
        coverage: Share of the answers that was kept.
        risk: Share of the kept answers that was wrong.
    """

    checks: int
    feasible: int
    exceeded: int
    coverage: float | None
    risk: float | None


@dataclass(frozen=True, slots=True)
class Report:
    """Every figure; `document` is its JSON form."""

    task: Task
    outcomes: Outcomes
    fitted_on: Outcomes
    cross_fitted: bool
    probabilities: Array
    need: Array
    certificate: Certificate
    held_out: HeldOut
    notes: tuple[str, ...]

    @property
    def right(self) -> Right:
        """Whether each answer of the first small model is right."""
        return self.outcomes.right[:, self.outcomes.column(self.task.small[0])]

    @property
    def bins(self) -> tuple[Bin, ...]:
        """The reliability diagram."""
        return equal_mass_bins(self.probabilities, self.right)

    def document(self) -> dict[str, Any]:
        """Return the report as JSON; docs/guides/calibrating.md explains every key."""
        strong = self.outcomes.right[:, self.outcomes.column(self.task.large)]
        figures = asdict(judged(self.probabilities, self.right, "cross_fitted" if self.cross_fitted else "held_out"))
        accuracies = dict(zip(self.outcomes.models, self.outcomes.right.mean(axis=0).tolist(), strict=True))
        best = max(accuracies, key=lambda name: accuracies[name])
        return {
            "outcomes": _described(self.outcomes),
            "fitted_on": {"cross_fitted": self.cross_fitted, **_described(self.fitted_on)},
            "small": list(self.task.small),
            "large": self.task.large,
            "accuracy": accuracies,
            "best_single": {"model": best, "accuracy": accuracies[best]},
            **{key: figures[key] for key in ("auroc", "aurc", "brier")},
            "ece": figures["calibration_error"],
            "ece_bins": "ten bins of equal mass",
            "ece_equal_width": figures["calibration_error_equal_width"],
            "routing": asdict(routed(self.need, self.right, strong)),
            "routing_by_probability_alone": asdict(routed(-self.probabilities, self.right, strong)),
            "oracle_escalations": needed(strong.astype(np.float64) - self.right, self.right, strong),
            "guarantee": self._guaranteed(),
            "reliability": [asdict(each) for each in self.bins],
            "notes": list(self.notes),
        }

    def _guaranteed(self) -> dict[str, Any]:
        about = {"risk": self.task.risk, "delta": self.task.delta}
        return {
            **about,
            **asdict(self.certificate),
            "coverage": self.certificate.coverage,
            "held_out": asdict(self.held_out),
        }


def steps(*, two_folders: bool) -> int:
    """Return how often `report` calls its step, for a progress bar."""
    folds = OUTER_FOLDS * STEPS
    return folds + STEPS + 2 * _GATHER_STEPS if two_folders else folds + _GATHER_STEPS


def report(outcomes: Outcomes, fit_on: Outcomes | None, task: Task, step: Step) -> Report:
    """Learn and judge.

    Args:
        outcomes: What is reported on.
        fit_on: What is learned from; None to cross-fit within ``outcomes`` by group.
        task: Models and promise.
        step: Called `steps` times, for a progress bar.

    Raises:
        MissingExtraError: scikit-learn is not installed.
        ConfigError: A model is unknown, too few questions are left, or all answers to learn from are right, or wrong.
    """
    _models_known(outcomes, task)
    notes = list(outcomes.notes)
    if fit_on is not None:
        _models_known(fit_on, task)
        fit_on, dropped = _disjoint(fit_on, outcomes)
        notes += [f"{fit_on.folder.name}: {note}" for note in fit_on.notes]
        if dropped:
            notes.append(
                f"{dropped} questions to fit on were left out: they share a group or their text with judged ones."
            )
    source = outcomes if fit_on is None else fit_on
    _learnable(source, task)
    _packages()
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # small matrices: more threads cost more than they bring, and other figures come out
        return _reported(outcomes, fit_on, task, notes, step)


def _reported(outcomes: Outcomes, fit_on: Outcomes | None, task: Task, notes: list[str], step: Step) -> Report:
    source = outcomes if fit_on is None else fit_on
    material = gather(source, step)
    said = cross_fitted(source, material, task.small, task.large, OUTER_FOLDS, step)
    right = source.right[:, source.column(task.small[0])]
    groups = [question.group for question in source.questions]
    codes = np.unique(np.array(groups), return_inverse=True)[1].astype(np.int64)
    if fit_on is None:
        probabilities = _curved(said.small, right, groups)
        chosen = certify(probabilities, right, task.risk, task.delta, groups=codes)
        found = _resplit(probabilities, right, codes, task)
        return Report(
            task, outcomes, source, True, probabilities, said.large - probabilities, chosen, found, tuple(notes)
        )
    curve = fit_curve("platt", _log_odds(said.small), right)
    own = curve.apply(_log_odds(said.small))
    chosen = certify(own, right, task.risk, task.delta, groups=codes)
    asked = _asked(source, material, outcomes, task, step)
    probabilities = curve.apply(_log_odds(asked.small))
    threshold = chosen.threshold
    found = _checked([] if threshold is None else [(probabilities, _answered(outcomes, task), threshold)], 1, task.risk)
    return Report(
        task, outcomes, source, False, probabilities, asked.large - probabilities, chosen, found, tuple(notes)
    )


def _answered(outcomes: Outcomes, task: Task) -> Right:
    return outcomes.right[:, outcomes.column(task.small[0])]


def _resplit(probabilities: Array, right: Right, codes: Rows, task: Task) -> HeldOut:
    random, count = np.random.default_rng(0), int(codes.max()) + 1
    found = []
    for _ in range(_RESPLITS):
        first = (random.permutation(count) < count // 2)[codes]
        own = (probabilities[first], right[first])
        threshold = certify(*own, task.risk, task.delta, groups=codes[first], offer=False).threshold
        if threshold is not None:
            found.append((probabilities[~first], right[~first], threshold))
    return _checked(found, _RESPLITS, task.risk)


def _checked(found: Sequence[tuple[Array, Right, float]], checks: int, risk: float) -> HeldOut:
    kept = np.array([int((said >= threshold).sum()) for said, _, threshold in found])
    wrong = np.array([int((~right[said >= threshold]).sum()) for said, right, threshold in found])
    asked = sum(len(said) for said, _, _ in found)
    return HeldOut(
        checks,
        len(found),
        int((wrong > risk * kept + 1e-9).sum()),
        float(kept.sum() / asked) if asked else None,
        float(wrong.sum() / kept.sum()) if kept.sum() else None,
    )


def _asked(source: Outcomes, material: Material, outcomes: Outcomes, task: Task, step: Step) -> Said:
    there = gather(outcomes, step)
    rows, asked = np.arange(len(source.questions)), np.arange(len(outcomes.questions))
    # columns may stand in another order there: everything below asks for a model by its name
    return predict((source, material, rows), (outcomes, there, asked), task.small, task.large, step)


def _curved(said: Array, right: Right, groups: Sequence[str]) -> Array:
    """Return each probability through a curve fitted on the other groups."""
    folds, scores = folds_of(groups), _log_odds(said)
    found = np.zeros(len(said))
    for fold in range(int(folds.max()) + 1):
        here = folds == fold
        found[here] = _platt(scores[~here], right[~here]).apply(scores[here])
    return found


def _platt(scores: Array, right: Right) -> Curve:
    return fit_curve("platt", scores, right) if right.any() and not right.all() else Curve()


def _log_odds(probability: Array) -> Array:
    held = np.clip(probability, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(held / (1 - held)), dtype=np.float64)


def _models_known(outcomes: Outcomes, task: Task) -> None:
    for name in (*task.small, task.large):
        outcomes.column(name)
    if len(set(task.small)) != len(task.small) or task.large in task.small:
        raise ConfigError("every model may be named once only", key="--small, --large")


def _learnable(source: Outcomes, task: Task) -> None:
    count = len(source.questions)
    if count < _FEWEST:
        raise ConfigError(f"holds {count} questions to learn from; {_FEWEST} are the fewest", file=str(source.folder))
    groups = {question.group for question in source.questions}
    if len(groups) < OUTER_FOLDS:
        raise ConfigError(f"holds {len(groups)} groups; {OUTER_FOLDS} are the fewest", file=str(source.folder))
    right = source.right[:, source.column(task.small[0])]
    if right.all() or not right.any():
        which = "right" if right.all() else "wrong"
        problem = f"all {count} answers of {task.small[0]} are {which}: nothing tells right from wrong"
        raise ConfigError(problem, file=str(source.folder))


def _disjoint(fit_on: Outcomes, outcomes: Outcomes) -> tuple[Outcomes, int]:
    """Leave out what is also judged; a group is shared by its name, a question by its text and options."""
    grouped = {q.group for q in outcomes.questions if q.group != f"question {q.id}"}
    asked = {(q.text, q.options) for q in outcomes.questions}
    kept = [i for i, q in enumerate(fit_on.questions) if q.group not in grouped and (q.text, q.options) not in asked]
    return fit_on.take(np.array(kept, dtype=np.int64)), len(fit_on.questions) - len(kept)


def _packages() -> None:
    try:
        import sklearn  # noqa: F401
        import threadpoolctl  # noqa: F401
    except ImportError:
        raise MissingExtraError("learning from outcomes", "calibrate") from None


def _described(outcomes: Outcomes) -> dict[str, Any]:
    questions = outcomes.questions
    text = "\n".join(f"{q.id}\t{q.answer}\t{c.tolist()}" for q, c in zip(questions, outcomes.chosen, strict=True))
    return {
        "folder": str(outcomes.folder),
        "questions": len(questions),
        "groups": len({question.group for question in questions}),
        "categories": len({question.category for question in questions}),
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
    }
