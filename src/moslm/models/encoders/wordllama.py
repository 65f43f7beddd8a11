"""Static word-piece vectors of the wordllama package (256 dimensions, MIT), averaged over the text.

The wheel carries weights and tokenizer. Both are read straight from the installed package, without importing it: its
import configures the root logger and its loader looks for a user cache and the network. Knows nothing of what the
vectors are used for.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from moslm.errors import ConfigError
from moslm.models.encoders import Matrix

_WEIGHTS = Path("weights/l2_supercat_256.safetensors")
_TOKENIZER = Path("tokenizers/l2_supercat_tokenizer_config.json")
_TOGETHER = 1024
"""Texts tokenized at once; what the tokenizer says of each takes a hundred times the space of the text."""


class WordLlamaEncoder:
    """Mean of the word-piece vectors of each text, scaled to length 1.

    Loaded at its first use, once, and safe to share between threads: afterwards it is only read.
    """

    name = "wordllama-l2-supercat-256"
    dimensions = 256

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loaded: tuple[Any, Matrix] | None = None

    def encode(self, texts: Sequence[str]) -> Matrix:
        """Return an (n, 256) array; a text without a known piece gives a row of zeros.

        Raises:
            ConfigError: The wordllama package is missing or lacks its weights.
        """
        rows = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for first in range(0, len(texts), _TOGETHER):
            self._fill(rows[first : first + _TOGETHER], texts[first : first + _TOGETHER])
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        return np.asarray(rows / np.maximum(norms, 1e-12), dtype=np.float32)

    def _fill(self, rows: Matrix, texts: Sequence[str]) -> None:
        tokenizer, table = self._load()
        # lone surrogates are legal in a Python string but not in the UTF-8 the tokenizer takes
        clean = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        for row, encoding in zip(rows, tokenizer.encode_batch(clean, add_special_tokens=False), strict=True):
            ids = np.asarray(encoding.ids, dtype=np.int64)
            if len(ids):
                row[:] = table[np.minimum(ids, len(table) - 1)].mean(axis=0, dtype=np.float32)

    def _load(self) -> tuple[Any, Matrix]:
        with self._lock:
            if self._loaded is None:
                self._loaded = _read(_package())
            return self._loaded


def _package() -> Path:
    spec = find_spec("wordllama")
    if spec is None or not spec.submodule_search_locations:
        raise ConfigError("the encoder needs the package wordllama", mend="run: pip install wordllama")
    folder = Path(spec.submodule_search_locations[0])
    for part in (_WEIGHTS, _TOKENIZER):
        if not (folder / part).is_file():
            raise ConfigError(
                f"the installed wordllama lacks {part}", mend="run: pip install --force-reinstall wordllama"
            )
    return folder


def _read(folder: Path) -> tuple[Any, Matrix]:
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / _TOKENIZER))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    table = load_file(folder / _WEIGHTS)["embedding.weight"]
    return tokenizer, np.ascontiguousarray(table, dtype=np.float32)
