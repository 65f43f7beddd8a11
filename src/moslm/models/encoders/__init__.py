"""Text to vectors.

Owns the seam between text and numbers; knows nothing of domains, labels or what is done with the vectors. An encoder is
named, and a fitted head names the encoder it was fitted on, so that the two cannot be mixed up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from moslm.errors import ConfigError

Matrix = NDArray[np.float32]


class Encoder(Protocol):
    """Turns texts into vectors."""

    @property
    def name(self) -> str:
        """Name and revision; equal names mean equal vectors."""
        ...

    @property
    def dimensions(self) -> int:
        """Length of each vector."""
        ...

    def encode(self, texts: Sequence[str]) -> Matrix:
        """Return one row a text, float32, of length 1 (or all zeros for a text that says nothing)."""
        ...


def load_encoder(name: str) -> Encoder:
    """Return the encoder of this name; loads nothing before its first use.

    Raises:
        ConfigError: No encoder is called so.
    """
    if name not in ENCODERS:
        raise ConfigError("no such encoder", key="encoder", value=name, mend=f"one of: {', '.join(ENCODERS)}")
    return ENCODERS[name]()


@cache
def _wordllama() -> Encoder:
    from moslm.models.encoders.wordllama import WordLlamaEncoder

    return WordLlamaEncoder()


@cache
def _transformer() -> Encoder:
    from moslm.models.encoders.transformer import TransformerEncoder

    return TransformerEncoder()


ENCODERS: dict[str, Callable[[], Encoder]] = {
    "wordllama-l2-supercat-256": _wordllama,
    "moslm-minilm-l6-3": _transformer,
}
"""Every encoder by name; a new one is a file beside this and a line here."""
