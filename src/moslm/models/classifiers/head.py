"""`Head`: what was fitted over the encoder, and how it scores texts.

Two regressions whose scores are added: one over sentence vectors, which carries over to wording it has not seen, one
over hashed n-grams, which is sharper on wording it has. Beside the labels each has a column for requests that are known
to belong nowhere; it is not a label but the larger part of `strangeness`. Knows nothing of conversations, files or how
it was fitted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from moslm.models.classifiers.regression import Array, Linear, log_sum, softmax
from moslm.models.encoders import Encoder, load_encoder
from moslm.models.encoders.ngrams import hashed_ngrams

DENSE_FACTOR = 0.5
"""What the sentence vectors' scores count beside those of the n-grams; chosen on dev and on left-out train sources."""
_HEAD_CHARS, _TAIL_CHARS = 6000, 2000


@dataclass(frozen=True, slots=True)
class AddedLabel:
    """A label fitted beside a finished head from a few examples.

    Attributes:
        name: The label.
        examples: (m, d) sentence vectors of its examples.
        weights: Regression over `nearness_features`: the odds of this label against all others together.
    """

    name: str
    examples: Array
    weights: Linear


@dataclass(frozen=True)
class Head:
    """A fitted head.

    Attributes:
        version: What names it in a Decision: hash of its files.
        encoder_name: The encoder it was fitted on.
        fitted_labels: The labels of the two regressions; their last column is "belongs nowhere".
        dense: Regression over sentence vectors.
        lexical: Regression over hashed n-grams.
        importance: Inverse document frequency of every n-gram bucket.
        temperature: Divisor of the scores that makes probabilities honest on held-out rows.
        calibration: Sorted strangeness of held-out familiar requests.
        labels: The labels in force: fitted ones less removed ones, then added ones.
        added: What was fitted beside.
    """

    version: str
    encoder_name: str
    fitted_labels: tuple[str, ...]
    dense: Linear
    lexical: Linear
    importance: Array
    temperature: float
    calibration: NDArray[np.float64]
    labels: tuple[str, ...]
    added: tuple[AddedLabel, ...] = ()

    @cached_property
    def encoder(self) -> Encoder:
        """The encoder it was fitted on, loaded at its first use."""
        return load_encoder(self.encoder_name)

    def scores(self, texts: Sequence[str]) -> Array:
        """Return one row a text: the score of each label in force, then that of "belongs nowhere"."""
        seen = [window(text) for text in texts]
        vectors = self.encoder.encode(seen)
        return self.columns(vectors, self._fitted(seen, vectors))

    def fitted_scores(self, texts: Sequence[str]) -> Array:
        """Return one row a text: the score of each fitted label, in force or not, then that of "belongs nowhere"."""
        seen = [window(text) for text in texts]
        return self._fitted(seen, self.encoder.encode(seen))

    def columns(self, vectors: Array, fitted: Array) -> Array:
        """Return what `scores` returns, from sentence vectors and `fitted_scores`."""
        kept = [self.fitted_labels.index(name) for name in self.labels if name in self.fitted_labels]
        by_name = {self.fitted_labels[column]: fitted[:, column] for column in kept}
        by_name |= {added.name: added_score(added, vectors, fitted) for added in self.added}
        gone = [column for column in range(fitted.shape[1]) if column not in kept]
        nowhere = log_sum(fitted[:, gone])
        return np.column_stack([*(by_name[name] for name in self.labels), nowhere]).astype(np.float32)

    def _fitted(self, seen: Sequence[str], vectors: Array) -> Array:
        literal = self.lexical.scores(hashed_ngrams(seen, self.importance))
        return literal + np.float32(DENSE_FACTOR) * self.dense.scores(vectors)

    def probabilities(self, scores: Array) -> Array:
        """Return the probability of each label, calibrated, from rows of `scores`."""
        return softmax(scores[:, :-1] / self.temperature)

    def strangeness(self, scores: Array) -> Array:
        """Return how far "belongs nowhere" stands above all labels together."""
        return np.asarray(scores[:, -1] - log_sum(scores[:, :-1]))


def added_score(added: AddedLabel, vectors: Array, fitted: Array) -> Array:
    """Return the score of an added label beside the fitted ones.

    The label's regression says how likely a text belongs to it rather than to all others together. Set on top of the
    joint score of the others that is a score like theirs, however sure or unsure they are.
    """
    odds = added.weights.scores(nearness_features(vectors, added.examples))[:, 0]
    return np.asarray(odds + log_sum(fitted))


def nearness_features(vectors: Array, examples: Array, *, own: NDArray[np.int64] | None = None) -> Array:
    """Return what an added label is fitted on: the sentence vector, and the nearness to its three nearest examples.

    Args:
        vectors: (n, d) sentence vectors.
        examples: (m, d) sentence vectors of the label's examples.
        own: For each row the number of the example it is itself, or -1; an example is not near itself.
    """
    nearness = vectors @ examples.T
    if own is not None:
        rows = np.flatnonzero(own >= 0)
        nearness[rows, own[rows]] = -1
    closest = np.sort(nearness, axis=1)[:, -3:].mean(axis=1)
    return np.column_stack([vectors, 3 * closest]).astype(np.float32)


def window(text: str) -> str:
    """Return what is read of a text: all of it, or the head and tail of a very long one."""
    if len(text) <= _HEAD_CHARS + _TAIL_CHARS:
        return text
    return f"{text[:_HEAD_CHARS]}\n{text[-_TAIL_CHARS:]}"
