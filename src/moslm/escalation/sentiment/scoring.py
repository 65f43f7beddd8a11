"""The fitted scorer of moods: its weights, and how they are read. Knows neither domains nor what follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moslm.escalation.fitted_weights import read_weights
from moslm.models.encoders import load_encoder
from moslm.models.encoders.ngrams import hashed_ngrams

SHIPPED = Path(__file__).parent / "shipped"
ENCODER = "moslm-minilm-l6-3"
LEXICAL_SHARE = 0.5
"""What the n-grams count beside the vector: fitted on few lines, they know their own lines too well."""

_MOST_READ = 6
"""Pieces of one text that the encoder reads."""


@dataclass(frozen=True, slots=True)
class Scorer:
    """The fitted weights; a column for each mood, against calm.

    Attributes:
        lexical: (buckets, moods) weights of the n-grams.
        dense: (dimensions, moods) weights of the sentence vector.
        bias: Log-odds added to the sum, by mood.
    """

    lexical: NDArray[np.float32]
    dense: NDArray[np.float32]
    bias: NDArray[np.float32]

    def log_odds(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the log-odds of each mood, by the surest of a text's pieces; the likeliest by their words are read."""
        rows = hashed_ngrams(texts)
        words = np.zeros((len(texts), len(self.bias)), np.float32)
        for number, (start, end) in enumerate(zip(rows.starts[:-1], rows.starts[1:], strict=True)):
            words[number] = rows.weights[start:end] @ self.lexical[rows.buckets[start:end]]
        read = np.argsort(-words.max(axis=1), kind="stable")[:_MOST_READ]
        vectors = load_encoder(ENCODER).encode([texts[number] for number in read])
        return np.asarray((LEXICAL_SHARE * words[read] + vectors @ self.dense + self.bias).max(axis=0), np.float32)

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return a number between 0 and 1 for each mood, given the pieces of one text.

        What speaks against calm speaks for every mood a little; so no mood has more than the surest one leaves.
        """
        found = 1 / (1 + np.exp(-np.clip(self.log_odds(texts), -30, 30)))
        rest = np.minimum(found, 1 - found.max())
        rest[found.argmax()] = found.max()
        return np.asarray(rest, dtype=np.float32)


@lru_cache(maxsize=2)
def read_scorer(folder: Path) -> Scorer:
    """Return the scorer of a folder.

    Raises:
        ConfigError: It is damaged or was fitted on other features.
    """
    names = ("lexical", "dense", "bias")
    found = read_weights(folder, ENCODER, what="the scorer of moods", key="ask_when", names=names)
    return Scorer(*(found.array(name) for name in names))
