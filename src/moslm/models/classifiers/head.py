"""`Head`: what was fitted over the encoders, and how it scores texts.

Two readings. The first is quick: two regressions whose scores are added, one over static sentence vectors, one over
hashed n-grams, which is sharper on wording it has seen. Where it leaves doubt a second, `Careful`, reads the text with
a transformer, which carries over to wording and styles from elsewhere, and its scores are added to the first's. Beside
the labels each has a column for requests that are known to belong nowhere; it is not a label but what `strangeness` is
made of; how far a text is from everything familiar moves it. Knows nothing of conversations, files or how it was
fitted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from moslm.models.classifiers.prototypes import Prototypes
from moslm.models.classifiers.regression import Array, Linear, log_sum, softmax
from moslm.models.encoders import Encoder, load_encoder
from moslm.models.encoders.ngrams import hashed_ngrams

DENSE_FACTOR = 0.5
"""What the sentence vectors' scores count beside those of the n-grams; chosen on dev and on left-out train sources."""
SURE = 4.0
"""Lead in log-odds at which the first reading is enough: on left-out sources of train nothing was lost by it."""
FAR = 2.0
"""Log-odds of "belongs nowhere" for each standard deviation a text is farther from the prototypes than is typical,
where no held-out requests say better; chosen on CLINC150, where next to no row teaches what is novel."""
_HEAD_CHARS, _TAIL_CHARS = 6000, 2000
FAR_OFF = 1.0
"""Log-odds that distance alone adds to "belongs nowhere" from which the second reading is asked: on CLINC150, where
distance counts most, a third of the requests are read twice and 2 in 100 more of the out-of-scope ones are noticed."""


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

    def odds(self, vectors: Array) -> Array:
        """Return the log-odds of this label against all others together, (n,)."""
        return np.asarray(self.weights.scores(nearness_features(vectors, self.examples))[:, 0])


@dataclass(frozen=True)
class Careful:
    """The second reading: a dearer encoder, asked where the first leaves doubt.

    Attributes:
        encoder_name: The encoder it was fitted on.
        dense: Regression over its sentence vectors.
        weight: What its scores count when they are added to those of the first reading.
        temperature: Divisor of the sum that makes probabilities honest on held-out rows.
        added: What was fitted beside, over this encoder.
        prototypes: What familiar requests look like to this encoder.
    """

    encoder_name: str
    dense: Linear
    weight: float
    temperature: float
    added: tuple[AddedLabel, ...] = ()
    prototypes: Prototypes | None = None

    @cached_property
    def encoder(self) -> Encoder:
        """The encoder it was fitted on, loaded at its first use."""
        return load_encoder(self.encoder_name)


@dataclass(frozen=True, slots=True)
class Reading:
    """How one reading saw n texts.

    Attributes:
        vectors: (n, d) sentence vectors.
        fitted: (n, k + 1) the score of each fitted label, in force or not, then that of "belongs nowhere".
    """

    vectors: Array
    fitted: Array

    def of(self, rows: NDArray[np.int64]) -> Reading:
        """Return the reading of some of the texts."""
        return Reading(self.vectors[rows], self.fitted[rows])


@dataclass(frozen=True)
class Head:
    """A fitted head.

    Attributes:
        version: What names it in a Decision: hash of its files.
        encoder_name: The encoder the first reading was fitted on.
        fitted_labels: The labels of the regressions; their last column is "belongs nowhere".
        dense: Regression over sentence vectors.
        lexical: Regression over hashed n-grams.
        importance: Inverse document frequency of every n-gram bucket.
        temperature: Divisor of the first reading's scores that makes probabilities honest on held-out rows.
        calibration: Sorted strangeness of held-out familiar requests.
        labels: The labels in force: fitted ones less removed ones, then added ones.
        added: What was fitted beside, over the first reading's encoder.
        careful: The second reading; None when the first is all there is.
        prototypes: What familiar requests look like to the first reading's encoder.
        far: What each standard deviation of distance from the prototypes counts, in log-odds of "belongs nowhere".
        several: Regression over `several_features`; None when it was fitted without requests of several parts.
        glance: Regression over `glance_features`, which says cheaply what need not be asked of ``several``; None: all
            is asked.
        single: Its sorted log-odds for held-out requests about one domain.
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
    careful: Careful | None = None
    prototypes: Prototypes | None = None
    far: float = FAR
    several: Linear | None = None
    glance: Linear | None = None
    single: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))

    @cached_property
    def encoder(self) -> Encoder:
        """The encoder of the first reading, loaded at its first use."""
        return load_encoder(self.encoder_name)

    def scores(self, texts: Sequence[str]) -> Array:
        """Return one row a text, in log-odds: the score of each label in force, then that of "belongs nowhere"."""
        return self.read(texts)[0]

    def read(self, texts: Sequence[str]) -> tuple[Array, dict[int, Array]]:
        """Return `scores`, and by row the vectors of the texts that the second reading was asked for."""
        first = self.first_reading(texts)
        scores = self.first_scores(first)
        return scores, self.read_again(texts, first, scores, range(len(texts)))

    def read_again(self, texts: Sequence[str], first: Reading, scores: Array, rows: Sequence[int]) -> dict[int, Array]:
        """Ask the second reading for those of the ``rows`` that the first leaves in doubt.

        Args:
            texts: The texts that were read.
            first: Their first reading.
            scores: Their `first_scores`; the rows that are read again get their second ones.
            rows: Numbers of the texts that may be read again.

        Returns:
            By row the vectors of the texts that were read again.
        """
        asked = np.asarray(rows, np.int64)
        if self.careful is None or not len(asked):
            return {}
        open_rows = asked[self.doubts(scores[asked], first.of(asked))]
        if not len(open_rows):
            return {}
        before = first.of(open_rows)
        second = self.second_reading([texts[row] for row in open_rows.tolist()], before.fitted)
        scores[open_rows] = self.second_scores(second, before)
        return dict(zip(open_rows.tolist(), second.vectors, strict=True))

    def first_reading(self, texts: Sequence[str]) -> Reading:
        """Read texts with the quick encoder."""
        seen = [window(text) for text in texts]
        vectors = self.encoder.encode(seen)
        literal = self.lexical.scores(hashed_ngrams(seen, self.importance))
        return Reading(vectors, literal + np.float32(DENSE_FACTOR) * self.dense.scores(vectors))

    def second_reading(self, texts: Sequence[str], fitted: Array) -> Reading:
        """Read texts with the dear encoder, on top of what the first reading said (``fitted``); needs `careful`."""
        assert self.careful is not None
        vectors = self.careful.encoder.encode(texts)
        return Reading(vectors, fitted + np.float32(self.careful.weight) * self.careful.dense.scores(vectors))

    def first_scores(self, reading: Reading) -> Array:
        """Return what `scores` says of texts whose first reading leaves no doubt."""
        scores = self._in_force(reading.fitted, _odds(self.added, reading)) / np.float32(self.temperature)
        return self._moved(scores, self.prototypes, reading)

    def second_scores(self, reading: Reading, before: Reading) -> Array:
        """Return what `scores` says of texts after the second reading, given their first; needs `careful`.

        What was fitted beside is as sure as both readings are on average: each was fitted on few examples.
        """
        assert self.careful is not None
        first, second = _odds(self.added, before), _odds(self.careful.added, reading)
        both = {name: np.asarray((first[name] + second[name]) / 2, np.float32) for name in second}
        scores = self._in_force(reading.fitted, both) / np.float32(self.careful.temperature)
        return self._moved(self._moved(scores, self.prototypes, before), self.careful.prototypes, reading)

    def doubts(self, scores: Array, reading: Reading) -> NDArray[np.bool_]:
        """Return which texts the first reading does not settle, from their first ``scores`` and that ``reading``.

        Words that point one way settle nothing in a text so far from all it was fitted on that this counts by itself.
        """
        open_rows = doubtful(scores)
        if self.far > 0 and self.prototypes is not None:
            open_rows |= self.far * self.prototypes.distances(reading.vectors) > FAR_OFF
        return open_rows

    def probabilities(self, scores: Array) -> Array:
        """Return the probability of each label, calibrated, from rows of `scores`."""
        return softmax(scores[:, :-1])

    def strangeness(self, scores: Array) -> Array:
        """Return how far "belongs nowhere" stands above all labels together."""
        return np.asarray(scores[:, -1] - log_sum(scores[:, :-1]))

    def _moved(self, scores: Array, prototypes: Prototypes | None, reading: Reading) -> Array:
        """Raise or lower "belongs nowhere" by how far the texts are from the prototypes."""
        if prototypes is not None:
            scores[:, -1] += np.float32(self.far) * prototypes.distances(reading.vectors)
        return scores

    def _in_force(self, fitted: Array, odds: Mapping[str, Array]) -> Array:
        """Return a column for each label in force, then "belongs nowhere", which takes in the labels that are gone.

        An added label's odds are those against all others together. Set on top of the joint score of the others they
        are a score like theirs, however sure or unsure they are.
        """
        kept = [self.fitted_labels.index(name) for name in self.labels if name in self.fitted_labels]
        by_name = {self.fitted_labels[column]: fitted[:, column] for column in kept}
        by_name |= {name: each + log_sum(fitted) for name, each in odds.items()}
        gone = [column for column in range(fitted.shape[1]) if column not in kept]
        nowhere = log_sum(fitted[:, gone])
        return np.column_stack([*(by_name[name] for name in self.labels), nowhere]).astype(np.float32)


def _odds(added: Sequence[AddedLabel], reading: Reading) -> dict[str, Array]:
    return {label.name: label.odds(reading.vectors) for label in added}


def doubtful(scores: Array) -> NDArray[np.bool_]:
    """Return which rows the first reading does not settle: the best column leads too little, or is no label."""
    ordered = np.sort(scores, axis=1)
    return np.asarray((ordered[:, -1] - ordered[:, -2] < SURE) | (scores.argmax(axis=1) == scores.shape[1] - 1))


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
