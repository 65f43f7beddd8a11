"""The lower half of the network that ships: a text as word pieces, and what three transformer layers make of them.

Two readers stand on it, the sentence encoder (`moslm.models.encoders.transformer`) and the finder of names
(`moslm.privacy.recognisers.ner`), so it is loaded once a process. Also owns how weights are read: by the hash that
their card states, from bytes that were checked, and run on one core.
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
from numpy.typing import NDArray

from moslm.errors import ConfigError

SHIPPED = Path(__file__).parent / "models" / "encoders" / "shipped"
WEIGHTS, TOKENIZER = "lower.onnx", "tokenizer.json"
BEGIN, END = 101, 102
"""Word pieces that mark where a text begins and ends."""
_LOADING = threading.Lock()


class LowerLayers:
    """A tokenizer and the layers that were left as they were pre-trained; safe to share between threads.

    Args:
        folder: Where they are, and the card with their hashes.

    Raises:
        ConfigError: They are missing, truncated or not those their card names.
    """

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer

        files = verified(folder, (WEIGHTS, TOKENIZER))
        self.sha256 = hashlib.sha256(files[WEIGHTS]).hexdigest()
        """Of the weights: what was tuned over them names it."""
        self._session = session(files[WEIGHTS])
        self.tokenizer: Any = Tokenizer.from_str(files[TOKENIZER].decode("utf-8"))
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()

    def states(self, ids: Sequence[int]) -> NDArray[np.float32]:
        """Return what the layers leave of one text's word pieces, its marks among them: (1, pieces, 384)."""
        row = np.array([ids], dtype=np.int64)
        states: NDArray[np.float32] = self._session.run(
            ["states"], {"input_ids": row, "attention_mask": np.ones_like(row)}
        )[0]
        return states


def lower_layers(folder: Path = SHIPPED) -> LowerLayers:
    """Return the lower layers of a folder, loaded at the first call.

    Raises:
        ConfigError: They are missing, truncated or not those their card names.
    """
    with _LOADING:
        return _kept(folder)


@lru_cache(maxsize=2)
def _kept(folder: Path) -> LowerLayers:
    return LowerLayers(folder)


def session(weights: bytes) -> Any:
    """Return an ONNX session on one core.

    Requests run side by side, and a second thread would gain little on so few words.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])


def card(folder: Path, key: str = "encoder") -> dict[str, Any]:
    """Return the card of a folder of weights.

    Args:
        folder: Where the weights are.
        key: The setting that a mistake is told of.

    Raises:
        ConfigError: There is none, or it cannot be read.
    """
    file = folder / "card.json"
    try:
        found: dict[str, Any] = json.loads(file.read_bytes())
        if not all(isinstance(each, str) for each in found["files"].values()):
            raise ValueError(file)
    except OSError as error:
        raise unusable(folder, f"cannot be read ({error.strerror})", key) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise unusable(file, "is truncated or no card", key) from None
    return found


def verified(folder: Path, names: Sequence[str], key: str = "encoder") -> dict[str, bytes]:
    """Return files of a folder, each with the hash that the card beside them states.

    Args:
        folder: Where they are.
        names: Which are needed.
        key: The setting that a mistake is told of.

    Raises:
        ConfigError: One is missing, or not the file the card names.
    """
    hashes = card(folder, key)["files"]
    found = {}
    for name in names:
        try:
            found[name] = (folder / name).read_bytes()
        except OSError as error:
            raise unusable(folder / name, f"cannot be read ({error.strerror})", key) from None
        if hashlib.sha256(found[name]).hexdigest() != hashes.get(name):
            raise unusable(folder / name, "is truncated or not the file its card names", key)
    return found


def unusable(file: Path, problem: str, key: str) -> ConfigError:
    """Return the error of weights that cannot be used."""
    return ConfigError(problem, file=str(file), key=key, mend="reinstall moslm")
