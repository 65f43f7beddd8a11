"""An encoder that is asked for the same texts again and again, as while a head is fitted: each is encoded once.

What is missing is encoded on all cores, text by text, so that every vector is what the encoder alone would give. All
vectors are kept, 3 kB a text: for a job with an end, not for a server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from moslm.models.encoders import ENCODERS, Encoder, Matrix, load_encoder
from moslm.models.encoders.cores import side_by_side


class RememberingEncoder:
    """Gives the vectors of another encoder, under its name; safe to share between threads."""

    def __init__(self, encoder: Encoder, step: Callable[[], object] = lambda: None) -> None:
        self.name, self.dimensions = encoder.name, encoder.dimensions
        self._encoder, self._step = encoder, step
        self._known: dict[str, Matrix] = {}

    def encode(self, texts: Sequence[str]) -> Matrix:
        """Return one row a text; only those never asked for before are encoded."""
        missing = [text for text in dict.fromkeys(texts) if text not in self._known]
        for text, vector in zip(missing, side_by_side(self._vector, missing), strict=True):
            self._known[text] = vector
            self._step()
        return np.array([self._known[text] for text in texts], np.float32).reshape(len(texts), self.dimensions)

    def _vector(self, text: str) -> Matrix:
        return np.asarray(self._encoder.encode([text])[0])


@contextmanager
def remembering(name: str, step: Callable[[], object] = lambda: None) -> Iterator[Encoder]:
    """Let whoever asks for the encoder of this name find one that remembers, until the end of the block.

    Args:
        name: Name of the encoder.
        step: Called for each text that is encoded, for a progress bar.

    Raises:
        ConfigError: No encoder is called so.
    """
    encoder = RememberingEncoder(load_encoder(name), step)
    before = ENCODERS[name]
    ENCODERS[name] = lambda: encoder
    try:
        yield encoder
    finally:
        ENCODERS[name] = before
