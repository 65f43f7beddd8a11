"""Fitted weights as a folder keeps them: arrays beside a card, held against its hash and its features."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from moslm.errors import ConfigError
from moslm.models.encoders.ngrams import SCHEME


@dataclass(frozen=True, slots=True)
class FittedWeights:
    """What a folder holds.

    Attributes:
        arrays: The weights by name, as they were kept.
        card: What is said of them.
    """

    arrays: dict[str, NDArray[Any]]
    card: dict[str, Any]

    def array(self, name: str) -> NDArray[np.float32]:
        """Return an array in single precision."""
        return self.arrays[name].astype(np.float32)

    def number(self, name: str) -> float:
        """Return an array of one number, or a number of the card.

        Raises:
            KeyError: There is none of that name.
        """
        return float(self.arrays[name] if name in self.arrays else self.card[name])


def read_weights(folder: Path, encoder: str, *, what: str, key: str, names: tuple[str, ...]) -> FittedWeights:
    """Return the weights of a folder.

    Args:
        folder: Where ``card.json`` and ``scorer.npz`` are.
        encoder: The encoder they must have been fitted on.
        what: What they are, as the subject of a sentence.
        key: The setting that asks for them.
        names: Arrays and numbers that must be there.

    Raises:
        ConfigError: They are damaged or were fitted on other features.
    """
    try:
        card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
        raw = (folder / "scorer.npz").read_bytes()
        known = card["sha256"], card["features"], card["encoder"]
        if known != (hashlib.sha256(raw).hexdigest(), SCHEME, encoder):
            raise _unusable(folder, what, key, "its hash or its features are not those of the card")
        with np.load(io.BytesIO(raw), allow_pickle=False) as arrays:
            found = FittedWeights({name: arrays[name] for name in arrays.files}, card)
        if missing := [name for name in names if name not in found.arrays and name not in card]:
            raise _unusable(folder, what, key, f"it has no {missing[0]}")
        return found
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise _unusable(folder, what, key, str(error)) from error


def _unusable(folder: Path, what: str, key: str, problem: str) -> ConfigError:
    return ConfigError(f"{what} cannot be read", key=key, value=str(folder), mend=f"reinstall MoSLM ({problem})")
