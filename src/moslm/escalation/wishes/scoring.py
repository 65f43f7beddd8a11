"""A fitted scorer beside the grammar: how much does a sentence read like a wish, for wordings no rule foresaw?

Logistic regression over the sentence vector of the classifier's encoder and over hashed word and character n-grams. Its
weights are shipped with a card that names the features, the data and the hash. The n-grams alone say cheaply which
sentences are worth the encoder. Asked only where no rule speaks for or against a wish. Knows no grammar.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moslm.escalation.fitted_weights import read_weights
from moslm.models.encoders import load_encoder
from moslm.models.encoders.ngrams import hashed_ngrams

SHIPPED = Path(__file__).parent / "shipped"
ENCODER = "moslm-minilm-l6-3"


@dataclass(frozen=True, slots=True)
class Scorer:
    """The fitted weights.

    Attributes:
        lexical: Weight of each n-gram bucket.
        lexical_bias: Bias of the n-grams alone.
        dense: Weight of each number of the sentence vector.
        bias: Log-odds added to the sum.
        worth_asking: Log-odds of the n-grams alone from which the rest is asked.
        threshold: Log-odds from which a sentence is a wish.
    """

    lexical: NDArray[np.float32]
    lexical_bias: float
    dense: NDArray[np.float32]
    bias: float
    worth_asking: float
    threshold: float

    def of_words(self, sentences: Sequence[str]) -> list[float]:
        """Return the log-odds of a wish by the n-grams alone, of each sentence."""
        rows = hashed_ngrams(sentences)
        taken = self.lexical[rows.buckets] * rows.weights
        # sentence by sentence: a sum over all at once would round each by its company
        return [float(taken[a:b].sum()) + self.lexical_bias for a, b in pairwise(rows.starts.tolist())]

    def of_all(self, sentence: str) -> float:
        """Return the log-odds of a wish by the words and by how the sentence reads."""
        vector = load_encoder(ENCODER).encode([sentence])[0]
        return float(vector @ self.dense) + LEXICAL_SHARE * self.of_words([sentence])[0] + self.bias


LEXICAL_SHARE = 0.5
"""What the n-grams count beside the vector: fitted on few lines, they know their own lines too well."""


def odds_by_words(sentences: Sequence[str]) -> list[float]:
    """Return for plain sentences the log-odds that each is a wish by its n-grams alone, which are cheap.

    Raises:
        ConfigError: The shipped artefact is damaged or was fitted on other features.
    """
    return read_scorer(SHIPPED).of_words(sentences)


def worth_asking() -> float:
    """Return the log-odds by words from which a sentence is worth the encoder."""
    return read_scorer(SHIPPED).worth_asking


def score(sentence: str) -> float:
    """Return the log-odds, above the fitted threshold, that a plain sentence is a wish.

    Args:
        sentence: As ``spelling.plain`` leaves it.

    Raises:
        ConfigError: The shipped artefact is damaged or was fitted on other features.
    """
    scorer = read_scorer(SHIPPED)
    return scorer.of_all(sentence) - scorer.threshold


@lru_cache(maxsize=2)
def read_scorer(folder: Path) -> Scorer:
    """Return the scorer of a folder.

    Raises:
        ConfigError: It is damaged or was fitted on other features.
    """
    names = ("lexical", "lexical_bias", "dense", "bias", "worth_asking", "threshold")
    found = read_weights(folder, ENCODER, what="the wish scorer", key="wishes", names=names)
    numbers = {name: found.number(name) for name in ("lexical_bias", "bias", "worth_asking", "threshold")}
    return Scorer(lexical=found.array("lexical"), dense=found.array("dense"), **numbers)
