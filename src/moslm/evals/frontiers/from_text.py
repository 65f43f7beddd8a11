"""The probability of being right that a request's text alone allows, out of fold: for tables that hold no answers.

A ridge regression over words, one over sentence vectors, and the rate of the domain, put together by a logistic
regression; a case is always judged by what was fitted without its group.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from moslm.escalation.calibration.labelled import folds_of
from moslm.escalation.calibration.logistic import fit_logistic, sigmoid
from moslm.models.encoders import load_encoder

Array = NDArray[np.float64]

_FOLDS = 5
_ENCODER = "wordllama-l2-supercat-256"


def from_text(texts: Sequence[str], domains: Sequence[str], groups: Sequence[str], right: NDArray[np.bool_]) -> Array:
    """Return for each request the out-of-fold probability that a model answers it right.

    Args:
        texts: The requests.
        domains: The domain of each; the same word for all where a table has none.
        groups: The group of each.
        right: Whether the model was right.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import Ridge

    meaning = load_encoder(_ENCODER).encode(list(texts)).astype(np.float64)
    folds = folds_of(groups, _FOLDS)
    labels = np.array(domains)
    columns = np.zeros((len(texts), 3))
    for fold in range(_FOLDS):
        here, others = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        target = right[others].astype(float)
        words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2, max_features=60_000)
        own = words.fit_transform([texts[i] for i in others.tolist()])
        model = Ridge(alpha=4.0, solver="sparse_cg", tol=1e-3, max_iter=60).fit(own, target)
        columns[here, 0] = model.predict(words.transform([texts[i] for i in here.tolist()]))
        columns[here, 1] = Ridge(alpha=10.0).fit(meaning[others], target).predict(meaning[here])
        for domain in set(domains):
            members = target[labels[others] == domain]
            columns[here[labels[here] == domain], 2] = (members.sum() + 20 * target.mean()) / (len(members) + 20)
    columns = (columns - columns.mean(axis=0)) / np.maximum(columns.std(axis=0), 1e-9)
    said = np.zeros(len(texts))
    for fold in range(_FOLDS):
        here = folds == fold
        weights, intercept = fit_logistic(columns[~here], right[~here], np.full(3, 5.0))
        said[here] = sigmoid(columns[here] @ weights + intercept)
    return said
