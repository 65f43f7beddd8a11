"""The sentence encoder that was fitted for MoSLM: six transformer layers in 8 bits, run by onnxruntime on one core.

All-MiniLM-L6-v2 (Wang et al., 2020; Apache-2.0) whose upper layers were tuned on requests of many sources
(``training/``). A vector holds two readings of a text: the tuned layers' and, from halfway up, that of the layers left
as they were pre-trained (`moslm.lower_layers`), which still tell apart what the tuning had no use for. Weights,
tokenizer and the card that names them lie beside this module. Of a long text the beginning and the end are read,
because the time it takes grows with the length. Knows nothing of what the vectors are used for.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from moslm.lower_layers import SHIPPED, LowerLayers, lower_layers, session, verified
from moslm.models.encoders import Matrix

NAME = "moslm-minilm-l6-3"
UPPER = "upper.onnx"
HEAD_TOKENS, TAIL_TOKENS = 40, 24
"""Word pieces read of a long text: at its beginning and at its end."""
_HEAD_CHARS, _TAIL_CHARS = 480, 240
_REMEMBERED = 512
"""Texts whose vectors are kept, 6 kB each at most: a request's, and the earlier turns of conversations in progress."""
_HALF = np.float32(0.5**0.5)
"""Each of the two vectors has length 1."""


class TransformerEncoder:
    """Means of each text's token vectors, of the last layer and of the third, side by side and scaled to length 1.

    Loaded at its first use, once, and safe to share between threads.
    """

    dimensions = 768

    def __init__(self, folder: Path = SHIPPED) -> None:
        # equal names mean equal vectors: a head fitted over other weights must not find the shipped ones by their name
        self.name = NAME if folder == SHIPPED else f"{NAME}@{folder.name}"
        self._folder = folder
        self._lock = threading.Lock()
        self._loaded: tuple[LowerLayers, Any] | None = None
        # whoever reads a request asks for its vector more than once: for its domain, its parts, and what it wishes
        self._remembered = lru_cache(maxsize=_REMEMBERED)(self._vector)

    def encode(self, texts: Sequence[str]) -> Matrix:
        """Return an (n, 768) array; texts run one by one.

        The 8-bit arithmetic scales to all that runs together, so in company a text would get a slightly other vector,
        and a decision could not be repeated exactly.

        Raises:
            ConfigError: The weights are missing, truncated or not those their card names.
        """
        rows = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            row[:] = self._remembered(_window(text))
        return rows

    def _vector(self, text: str) -> Matrix:
        lower, upper = self._load()
        ids = pieces(lower.tokenizer, text)
        read = {"states": lower.states(ids), "attention_mask": np.ones((1, len(ids)), dtype=np.int64)}
        both = upper.run(["sentence", "halfway"], read)
        return np.concatenate([vector[0] for vector in both]) * _HALF

    def _load(self) -> tuple[LowerLayers, Any]:
        with self._lock:
            if self._loaded is None:
                upper = session(verified(self._folder, (UPPER,))[UPPER])
                self._loaded = lower_layers(self._folder), upper
            return self._loaded


def pieces(tokenizer: Any, text: str) -> list[int]:
    """Return the word pieces that are read of a text, with the marks of its beginning and end."""
    # lone surrogates are legal in a Python string but not in the UTF-8 the tokenizer takes
    ids = list(tokenizer.encode(_window(text).encode("utf-8", "replace").decode("utf-8")).ids)
    return ids if len(ids) <= HEAD_TOKENS + TAIL_TOKENS else [*ids[:HEAD_TOKENS], *ids[-TAIL_TOKENS:]]


def _window(text: str) -> str:
    """Return the characters that are read; what is read already stays as it is."""
    if len(text) <= _HEAD_CHARS + 1 + _TAIL_CHARS:
        return text
    return f"{text[:_HEAD_CHARS]} {text[-_TAIL_CHARS:]}"
