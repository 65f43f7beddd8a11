"""A small fitted scorer beside the grammar: how much does a sentence read like a wish, for wordings no rule foresaw?

Logistic regression over hashed word and character n-grams of the plain sentence. Its weights are shipped with a card
that names the features, the data and the hash. It is asked only about sentences that hold a word of the subject and
that no rule has set aside as declining, asking about or supposing. Knows no grammar.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moslm.errors import ConfigError
from moslm.models.encoders.ngrams import SCHEME, hashed_ngrams

SHIPPED = Path(__file__).parent / "shipped"


def score(sentence: str) -> float:
    """Return the log-odds, above the shipped threshold, that a plain sentence is a wish.

    Raises:
        ConfigError: The shipped artefact is damaged or was fitted on other features.
    """
    weights, bias, threshold = read_scorer(SHIPPED)
    row = hashed_ngrams([sentence])
    return float(weights[row.buckets] @ row.weights) + bias - threshold


@lru_cache(maxsize=2)
def read_scorer(folder: Path) -> tuple[NDArray[np.float32], float, float]:
    """Return the weight of each bucket, the bias and the threshold of an artefact.

    Raises:
        ConfigError: It is damaged or was fitted on other features.
    """
    try:
        card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
        raw = (folder / "scorer.npz").read_bytes()
        if hashlib.sha256(raw).hexdigest() != card["sha256"] or card["features"] != SCHEME:
            raise _unusable(folder, "its hash or its features are not those of the card")
        with np.load(io.BytesIO(raw), allow_pickle=False) as arrays:
            return arrays["weights"].astype(np.float32), float(arrays["bias"]), float(card["threshold"])
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise _unusable(folder, str(error)) from error


def _unusable(folder: Path, problem: str) -> ConfigError:
    return ConfigError(
        "the wish scorer cannot be read", key="wishes", value=str(folder), mend=f"reinstall MoSLM ({problem})"
    )
