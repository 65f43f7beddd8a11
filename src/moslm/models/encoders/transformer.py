"""The sentence encoder that was fitted for MoSLM: six transformer layers in 8 bits, run by onnxruntime on one core.

All-MiniLM-L6-v2 (Wang et al., 2020; Apache-2.0) whose upper layers were tuned on requests of many sources
(``training/``). A vector holds two readings of a text: the tuned layers' and, from halfway up, that of the layers left
as they were pre-trained, which still tell apart what the tuning had no use for. Weights, tokenizer and the card that
names both lie beside this module. Of a long text the beginning and the end are read, because the time it takes grows
with the length. Knows nothing of what the vectors are used for.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from moslm.errors import ConfigError
from moslm.models.encoders import Matrix

SHIPPED = Path(__file__).parent / "shipped"
NAME = "moslm-minilm-l6-3"
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
        self._loaded: tuple[Any, Any] | None = None
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
        tokenizer, session = self._load()
        ids = np.array([pieces(tokenizer, text)], dtype=np.int64)
        both = session.run(["sentence", "halfway"], {"input_ids": ids, "attention_mask": np.ones_like(ids)})
        return np.concatenate([vector[0] for vector in both]) * _HALF

    def _load(self) -> tuple[Any, Any]:
        with self._lock:
            if self._loaded is None:
                self._loaded = _read(self._folder)
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


def _read(folder: Path) -> tuple[Any, Any]:
    import onnxruntime
    from tokenizers import Tokenizer

    files = _verified(folder)
    options = onnxruntime.SessionOptions()
    # one core a request: requests run side by side, and a second thread would gain little on so few words
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(files["encoder.onnx"], options, providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_str(files["tokenizer.json"].decode("utf-8"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer, session


def _verified(folder: Path) -> dict[str, bytes]:
    """Return the files the card names, each with the hash it states."""
    card = folder / "card.json"
    try:
        hashes: dict[str, str] = json.loads(card.read_bytes())["files"]
        found = {name: (folder / name).read_bytes() for name in hashes}
    except OSError as error:
        raise _unusable(folder, f"cannot be read ({error.strerror})") from None
    except (ValueError, KeyError, TypeError):
        raise _unusable(card, "is truncated or no card") from None
    for name, content in found.items():
        if hashlib.sha256(content).hexdigest() != hashes[name]:
            raise _unusable(folder / name, "is truncated or not the file its card names")
    return found


def _unusable(file: Path, problem: str) -> ConfigError:
    return ConfigError(problem, file=str(file), key="encoder", mend="reinstall moslm")
