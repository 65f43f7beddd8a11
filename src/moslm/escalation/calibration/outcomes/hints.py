"""What other questions' outcomes say of a question: which option its wording favours, how hard its like are.

Fitted on some questions, applied to others; whoever calls sees to it that the two share no group. All models' outcomes
on the fitted questions take part, because what is hard for one is hard for most; of the questions it is applied to,
nothing but text and category is read.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moslm.escalation.calibration.outcomes.material import Material
from moslm.escalation.calibration.outcomes.table import Outcomes

Array = NDArray[np.float64]
Rows = NDArray[np.int64]

ROUNDS = 120
"""Trees that learn what the options' wording says."""

_NEIGHBOURS = 40
_MEANING_PENALTY = 25.0
_WORDS_PENALTY = 4.0
_CATEGORY_ROWS = 20.0
"""A category's rate counts as much as the overall one from this many questions on."""


@dataclass(frozen=True, slots=True)
class Hints:
    """For n questions with k options in all.

    Attributes:
        options: (k,) probability that each option is the right one, by the options' wording; sums to 1 a question.
        hardness: (n, h) estimates of the answering models' and of all models' success on questions like this.
    """

    options: Array
    hardness: Array


def hints(
    fitted: tuple[Outcomes, Material, Rows], applied: tuple[Outcomes, Material, Rows], small: tuple[str, ...]
) -> Hints:
    """Fit on rows of one folder and apply to rows of another, or of the same one.

    Args:
        fitted: Folder, its material, and the rows to fit on.
        applied: Folder, its material, and the rows to judge; options come out in the order of these rows.
        small: The models whose success is estimated, beside the mean of all.
    """
    outcomes, material, rows = fitted
    right = outcomes.right[rows].astype(np.float64)
    targets = np.column_stack([right[:, [outcomes.column(name) for name in small]], right.mean(axis=1)])
    parts = [
        _by_category(fitted, applied, targets),
        _by_meaning(material.meaning[rows], applied[1].meaning[applied[2]], targets),
        _by_neighbours(material.meaning[rows], applied[1].meaning[applied[2]], targets),
        _by_words(material.words[rows], applied[1].words[applied[2]], targets[:, [0, -1]]),
    ]
    return Hints(_by_wording(fitted, applied), np.column_stack(parts))


def option_rows(material: Material, rows: Rows) -> Rows:
    """Return where the options of these questions stand in the material, question by question."""
    return np.concatenate([np.arange(material.starts[i], material.starts[i + 1]) for i in rows.tolist()])


def _by_wording(fitted: tuple[Outcomes, Material, Rows], applied: tuple[Outcomes, Material, Rows]) -> Array:
    from sklearn.ensemble import HistGradientBoostingClassifier

    outcomes, material, rows = fitted
    answers = np.array([question.answer for question in outcomes.questions])
    is_right = np.zeros(len(material.figures), dtype=bool)
    is_right[material.starts[:-1] + answers] = True
    places = option_rows(material, rows)
    model = HistGradientBoostingClassifier(
        max_iter=ROUNDS,
        learning_rate=0.07,
        max_leaf_nodes=15,
        min_samples_leaf=60,
        l2_regularization=5.0,
        early_stopping=False,
        random_state=0,
    )
    model.fit(material.figures[places], is_right[places])
    _, there, asked = applied
    said = model.predict_proba(there.figures[option_rows(there, asked)])[:, 1]
    counts = np.diff(there.starts)[asked]
    sums = np.add.reduceat(said, np.concatenate([[0], np.cumsum(counts)[:-1]]))
    return np.asarray(said / np.repeat(sums, counts))


def _by_category(
    fitted: tuple[Outcomes, Material, Rows], applied: tuple[Outcomes, Material, Rows], targets: Array
) -> Array:
    mean = targets.mean(axis=0)
    own = np.array([fitted[0].questions[i].category for i in fitted[2].tolist()])
    asked = np.array([applied[0].questions[i].category for i in applied[2].tolist()])
    found = np.tile(mean, (len(asked), 1))
    for category in set(asked.tolist()):
        members = targets[own == category]
        found[asked == category] = (members.sum(axis=0) + _CATEGORY_ROWS * mean) / (len(members) + _CATEGORY_ROWS)
    return found


def _by_meaning(own: Array, asked: Array, targets: Array) -> Array:
    centre, mean = own.mean(axis=0), targets.mean(axis=0)
    moved = own - centre
    inner = moved.T @ moved + _MEANING_PENALTY * np.eye(own.shape[1])
    return np.asarray((asked - centre) @ np.linalg.solve(inner, moved.T @ (targets - mean)) + mean)


def _by_neighbours(own: Array, asked: Array, targets: Array) -> Array:
    near = min(_NEIGHBOURS, len(own))
    found = np.zeros((len(asked), targets.shape[1]))
    for start in range(0, len(asked), 512):
        alike = asked[start : start + 512].astype(np.float32) @ own.astype(np.float32).T
        best = np.argpartition(-alike, near - 1, axis=1)[:, :near]
        weight = np.exp(5 * np.take_along_axis(alike, best, axis=1).astype(np.float64))
        weight /= weight.sum(axis=1, keepdims=True)
        found[start : start + 512] = (targets[best] * weight[:, :, None]).sum(axis=1)
    return found


def _by_words(own: object, asked: object, targets: Array) -> Array:
    from sklearn.feature_extraction.text import TfidfTransformer
    from sklearn.linear_model import Ridge

    weighting = TfidfTransformer(sublinear_tf=True).fit(own)
    model = Ridge(alpha=_WORDS_PENALTY, solver="sparse_cg", tol=1e-3, max_iter=60)
    model.fit(weighting.transform(own), targets)
    return np.asarray(model.predict(weighting.transform(asked)), dtype=np.float64).reshape(-1, targets.shape[1])
