"""Everything that can be said of a folder's questions before any outcome is looked at.

Sentence vectors, hashed words, figures of the options, and how long each output is for its model. Holds no answer and
no outcome, so that it may be computed once for fitted and judged rows alike.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from moslm.escalation.calibration.outcomes.options import option_figures
from moslm.escalation.calibration.outcomes.table import Outcomes
from moslm.models.encoders import load_encoder

Array = NDArray[np.float64]

_ENCODER = "wordllama-l2-supercat-256"
_WORD_BUCKETS = 1 << 16
_DIGIT = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class Material:
    """What is known of n questions with k options in all.

    Attributes:
        figures: (k, f) figures of each option.
        starts: (n + 1,) the options of question i are ``starts[i]:starts[i + 1]``.
        meaning: (n, 512) sentence vectors of the question, and of the question with its options.
        words: (n, buckets) hashed words and pairs of words, a scipy sparse matrix.
        asked: (n, a) plain figures of the question's text.
        usual: (n, m, 3) output length: standardised within its model, its rank there, and against the model's median
            in the category; 0 where unknown.
    """

    figures: Array
    starts: NDArray[np.int64]
    meaning: Array
    words: Any
    asked: Array
    usual: Array


def gather(outcomes: Outcomes, step: Callable[[], object]) -> Material:
    """Compute the material of a folder; calls ``step`` ten times, for a progress bar."""
    from sklearn.feature_extraction.text import HashingVectorizer

    encoder = load_encoder(_ENCODER)
    questions = outcomes.questions
    full = [" \n ".join([question.text, *question.options]) for question in questions]
    alone = encoder.encode([question.text for question in questions]).astype(np.float64)
    vectors = encoder.encode([option for question in questions for option in question.options]).astype(np.float64)
    starts = np.concatenate([[0], np.cumsum([len(question.options) for question in questions])]).astype(np.int64)
    figures = []
    for i, question in enumerate(questions):
        own = vectors[starts[i] : starts[i + 1]]
        figures.append(option_figures(question.text, question.options, alone[i], own))
        if i * 10 // len(questions) != (i + 1) * 10 // len(questions):
            step()
    hashed = HashingVectorizer(ngram_range=(1, 2), n_features=_WORD_BUCKETS, alternate_sign=False, norm=None)
    return Material(
        np.vstack(figures),
        starts,
        np.column_stack([alone, encoder.encode(full).astype(np.float64)]),
        hashed.transform(full),
        np.array([_asked(question.text, len(question.options)) for question in questions]),
        _usual(outcomes),
    )


def _asked(text: str, options: int) -> list[float]:
    digits, formulas = len(_DIGIT.findall(text)), text.count("\\") + text.count("$")
    ends = [text.rstrip().endswith("?"), "_" in text, "tatement" in text]
    return [np.log1p(len(text)), digits, digits / (len(text) + 1), formulas, options, *map(float, ends)]


def _usual(outcomes: Outcomes) -> Array:
    logs = np.log1p(outcomes.lengths)
    known = np.isfinite(logs)
    found = np.zeros((*logs.shape, 3))
    categories = np.array([question.category for question in outcomes.questions])
    for column in range(logs.shape[1]):
        here = known[:, column]
        if not here.any():
            continue
        values = logs[here, column]
        low, middle, high = np.percentile(values, [25, 50, 75])
        found[here, column, 0] = np.clip((values - middle) / max(high - low, 0.05), -6, 6)
        found[here, column, 1] = np.searchsorted(np.sort(values), values, side="left") / len(values) - 0.5
        for category in set(categories[here]):
            inside = here & (categories == category)
            if inside.sum() >= 10:
                found[inside, column, 2] = logs[inside, column] - np.median(logs[inside, column])
    return found
