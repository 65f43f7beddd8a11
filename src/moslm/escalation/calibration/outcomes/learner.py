"""Whether a small model's answer is right, learned from a folder of outcomes.

Stacked: first hints from other questions (`hints`), out of fold by group; then a boosted forest and a logistic
regression over hints, votes, lengths and text, averaged in log-odds. Of a question it judges it reads the text and the
small models' answers: never the right answer, never the large model's.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from moslm.escalation.calibration.labelled import folds_of
from moslm.escalation.calibration.logistic import fit_logistic, sigmoid
from moslm.escalation.calibration.outcomes.hints import Hints, hints, option_rows
from moslm.escalation.calibration.outcomes.material import Material
from moslm.escalation.calibration.outcomes.table import Outcomes

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
Step = Callable[[], object]

ROUNDS = 150
"""Trees that learn whether an answer is right."""
INNER_FOLDS = 3
STEPS = INNER_FOLDS + 2
"""How often `predict` calls its step."""

_FIGURES_OF_CHOICE = (4, 5, 6, 11, 12, 15, 16, 18, 20, 21, 23, 24, 26, 28)


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of n questions.

    Attributes:
        small: Probability that the first small model's answer is right.
        large: Probability that the large model's would be; its answer is not looked at.
    """

    small: Array
    large: Array


def predict(
    fitted: tuple[Outcomes, Material, Rows],
    applied: tuple[Outcomes, Material, Rows],
    small: tuple[str, ...],
    large: str,
    step: Step,
) -> Said:
    """Fit on rows of one folder and say how probable it is that the answers to others are right.

    Args:
        fitted: Folder, material and rows to fit on.
        applied: The same of the rows to judge; no group may be in both.
        small: The answering model first, then those it is compared with.
        large: The model that would answer instead.
        step: Called `STEPS` times, for a progress bar.
    """
    outcomes, material, rows = fitted
    folds = folds_of([outcomes.questions[i].group for i in rows.tolist()], INNER_FOLDS)
    columns: Array | None = None
    for fold in range(INNER_FOLDS):
        here = np.flatnonzero(folds == fold)
        if len(here):
            inner = (outcomes, material, rows[here])
            found = _columns(inner, hints((outcomes, material, rows[folds != fold]), inner, small), small)
            columns = np.zeros((len(rows), found.shape[1])) if columns is None else columns
            columns[here] = found
        step()
    asked = _columns(applied, hints(fitted, applied, small), small)
    step()
    assert columns is not None  # some fold holds rows, because there are rows
    right = outcomes.right[rows]
    said = [_stacked(columns, right[:, outcomes.column(name)], asked) for name in (small[0], large)]
    step()
    return Said(said[0], said[1])


def cross_fitted(
    outcomes: Outcomes, material: Material, small: tuple[str, ...], large: str, folds: int, step: Step
) -> Said:
    """Say of every question what a learner says that saw no question of its group."""
    dealt = folds_of([question.group for question in outcomes.questions], folds)
    said = Said(np.zeros(len(dealt)), np.zeros(len(dealt)))
    for fold in range(folds):
        here, others = np.flatnonzero(dealt == fold), np.flatnonzero(dealt != fold)
        if len(here):
            found = predict((outcomes, material, others), (outcomes, material, here), small, large, step)
            said.small[here], said.large[here] = found.small, found.large
    return said


def _stacked(columns: Array, right: NDArray[np.bool_], asked: Array) -> Array:
    from sklearn.ensemble import HistGradientBoostingClassifier

    if right.all() or not right.any():
        return np.full(len(asked), (right.sum() + 1) / (len(right) + 2))
    forest = HistGradientBoostingClassifier(
        max_iter=ROUNDS,
        learning_rate=0.04,
        max_leaf_nodes=12,
        min_samples_leaf=30,
        l2_regularization=5.0,
        max_features=0.4,
        early_stopping=False,
        random_state=0,
    )
    boosted = forest.fit(columns, right).decision_function(asked)
    centre, spread = columns.mean(axis=0), columns.std(axis=0)
    spread[spread < 1e-9] = 1.0
    weights, intercept = fit_logistic((columns - centre) / spread, right, np.full(columns.shape[1], 20.0))
    linear = np.clip((asked - centre) / spread, -8, 8) @ weights + intercept
    return sigmoid((boosted + linear) / 2)


def _columns(applied: tuple[Outcomes, Material, Rows], found: Hints, small: tuple[str, ...]) -> Array:
    """Return what the second stage reads of each question."""
    outcomes, material, rows = applied
    counts = np.diff(material.starts)[rows]
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    logs = np.log(np.clip(found.options, 1e-5, 1.0))
    surprise = -np.add.reduceat(found.options * logs, starts)
    parts: list[NDArray[Any]] = [
        material.asked[rows],
        found.hardness,
        surprise,
        np.maximum.reduceat(found.options, starts),
    ]
    places = option_rows(material, rows)
    chosen = outcomes.chosen[rows][:, [outcomes.column(name) for name in small]]
    for i, name in enumerate(small):
        at = starts + np.maximum(chosen[:, i], 0)
        there = chosen[:, i] >= 0
        ahead = np.add.reduceat((found.options > np.repeat(found.options[at], counts)).astype(float), starts)
        parts += [chosen[:, i], there, np.where(there, logs[at], -6.0), np.where(there, ahead, 12.0)]
        parts += [material.figures[places[at]][:, _FIGURES_OF_CHOICE] * there[:, None]]
        parts += [material.usual[rows, outcomes.column(name)]]
    return np.column_stack([*parts, *_votes(chosen, logs, starts, material, rows, outcomes, small)]).astype(np.float64)


def _votes(
    chosen: Rows, logs: Array, starts: Rows, material: Material, rows: Rows, outcomes: Outcomes, small: tuple[str, ...]
) -> list[NDArray[Any]]:
    parts: list[NDArray[Any]] = []
    for a, b in itertools.combinations(range(len(small)), 2):
        both = (chosen[:, a] >= 0) & (chosen[:, b] >= 0)
        favoured = logs[starts + np.maximum(chosen[:, a], 0)] - logs[starts + np.maximum(chosen[:, b], 0)]
        usual = [material.usual[rows, outcomes.column(small[i]), 0] for i in (a, b)]
        parts += [both & (chosen[:, a] == chosen[:, b]), np.where(both, favoured, 0.0), usual[0] - usual[1]]
    if len(small) > 2:
        with_first = (chosen[:, 1:] == chosen[:, :1]) & (chosen[:, :1] >= 0)
        parts.append(with_first.sum(axis=1).astype(np.float64))
    return parts
