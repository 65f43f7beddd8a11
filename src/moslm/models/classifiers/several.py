"""Is a request about several domains, or one long story about one of them?

A second domain that some part names is weak evidence: whoever asks one thing mentions others on the way. So what the
whole request says is weighed beside what its surest part says, how familiar that part is as a request of its own, and
how many pieces there are to find one in, and the sentence vector of the whole, which holds how it is told. A regression
over these, none of which depends on which labels there are, gives log-odds. Knows scores and vectors only.

Vector and sure parts are dear. A regression over the figures alone, taken from the quick reading, says first which
requests are `clearly_one`, and most of them are.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from moslm.models.classifiers.regression import Array, Linear, fit_softmax, log_sum, softmax

CLEARLY_ONE = -2.5
"""Log-odds of several domains below which nothing dearer is asked. On dev a fifth of the single requests that have more
than one piece are read piece by piece, and as many of the pairs are found at 5 % false ones as if all were."""
_FIGURES = 6
_LEAST = 1e-4
_VECTOR_SCALE = 15.0
"""Brings the numbers of a vector to the size of the standardised figures; chosen, as the penalty, on dev."""
_PENALTY, _ITERATIONS = 3e-2, 200


def several_features(whole: Array, pieces: Array, words: int, vector: Array) -> Array:
    """Return what the regression sees of one request, (6 + d,).

    Args:
        whole: (k + 1,) the head's scores of the whole request; the last is "belongs nowhere".
        pieces: (n, k + 1) those of its pieces; none when it has only one.
        words: Words of the request.
        vector: (d,) its sentence vector; zeros when nothing gave reason to ask for it.
    """
    return np.concatenate([glance_features(whole, pieces, words), _VECTOR_SCALE * vector]).astype(np.float32)


def clearly_one(odds: float) -> bool:
    """Tell whether a request is so surely about one domain that it need not be read more closely."""
    return odds < CLEARLY_ONE


def glance_features(whole: Array, pieces: Array, words: int) -> Array:
    """Return the figures among `several_features`, (6,); the pieces' scores may be those of the first reading."""
    if len(whole) < 3:
        return np.zeros(_FIGURES, np.float32)
    share = softmax(whole[:-1])
    first, second = np.sort(share)[::-1][:2]
    lead = np.log(second + _LEAST) - np.log(first + _LEAST)
    if not len(pieces):
        return np.array([1, lead, 0, 0, np.log(second + _LEAST), np.log1p(words)], np.float32)
    own = softmax(pieces[:, :-1])
    odds = np.log(own + _LEAST) - np.log(1 - own + _LEAST)
    familiar = log_sum(pieces[:, :-1]) - pieces[:, -1]
    surest = (odds + np.minimum(familiar, 0)[:, None]).max(axis=0)
    other = int(np.argsort(-surest, kind="stable")[1])
    return np.array(
        [0, lead, surest[other], np.log(len(pieces)), np.log(share[other] + _LEAST), np.log1p(words)], np.float32
    )


def fit_several(rows: Sequence[Array], several: NDArray[np.bool_], sources: NDArray[np.str_]) -> Linear:
    """Fit the regression; both kinds of request count alike, and within a kind every source does.

    Args:
        rows: `several_features` of each request.
        several: Whether it is about several domains.
        sources: Where it comes from.
    """
    features = np.array(rows, np.float32)
    middle, scale = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-3)
    middle[_FIGURES:], scale[_FIGURES:] = 0, 1
    weights = np.zeros(len(features), np.float32)
    for kind in (True, False):
        own = np.unique(sources[several == kind])
        for source in own:
            chosen = (several == kind) & (sources == source)
            weights[chosen] = 1 / chosen.sum() / len(own)
    fitted = fit_softmax(
        ((features - middle) / scale).astype(np.float32),
        np.zeros(len(features), np.int64) + several,
        weights,
        count=2,
        penalty=_PENALTY,
        iterations=_ITERATIONS,
    )
    slope = (fitted.weights[:, 1] - fitted.weights[:, 0]) / scale
    bias = fitted.bias[1] - fitted.bias[0] - slope @ middle
    return Linear(slope[:, None].astype(np.float32), np.array([bias], np.float32))


def log_odds(features: Array, fitted: Linear | None) -> float:
    """Return the log-odds of several domains; without a regression both clues, whole and surest part, count alike."""
    return float(features[1] + features[2]) if fitted is None else float(fitted.scores(features[None])[0, 0])
