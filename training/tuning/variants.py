"""Every text in several styles, as word pieces: drawn once, so that tuning has nothing to wait for."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from moslm.models.classifiers.surroundings import Aside, read_asides
from moslm.models.encoders.transformer import pieces
from tuning.material import DOMAIN, FINE, Example
from tuning.styles import restyled

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Variants:
    """Word pieces of n texts in k styles; the first style is the text as it was written.

    Attributes:
        ids: All pieces, one text after the other.
        starts: (n * k + 1,) where each begins; the variants of a text follow each other.
        count: k.
    """

    ids: NDArray[np.uint16]
    starts: NDArray[np.int64]
    count: int

    def of(self, row: int, style: int) -> NDArray[np.uint16]:
        """Return the pieces of a text in a style."""
        at = row * self.count + style
        return self.ids[self.starts[at] : self.starts[at + 1]]


def drawn(examples: Sequence[Example], tokenizer: Path, count: int, *, seed: int = 0) -> Variants:
    """Draw the variants of every example on all cores."""
    chunks = [(seed + at, examples[at : at + _CHUNK], tokenizer, count) for at in range(0, len(examples), _CHUNK)]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        found = [row for rows in pool.map(_chunk, chunks) for row in rows]
    starts = np.concatenate([[0], np.cumsum([len(row) for row in found])]).astype(np.int64)
    return Variants(np.concatenate(found), starts, count)


def _chunk(told: tuple[int, Sequence[Example], Path, int]) -> list[NDArray[np.uint16]]:
    seed, examples, file, count = told
    tokenizer, asides, dice = _tokenizer(file), read_asides(), random.Random(seed)
    found = []
    for each in examples:
        texts = [each.text] + [_variant(each, asides, dice) for _ in range(count - 1)]
        found += [np.array(pieces(tokenizer, text), dtype=np.uint16) for text in texts]
    return found


def _variant(example: Example, asides: Sequence[Aside], dice: random.Random) -> str:
    """Requests of a domain, or of a topic, come in every form; wishes and parts keep theirs, which says something."""
    whole = example.task == DOMAIN or example.task.startswith(FINE)
    return restyled(example.text, asides if whole else (), dice, forms=whole)


def _tokenizer(file: Path) -> Any:
    from tokenizers import Tokenizer

    found = Tokenizer.from_file(str(file))
    found.no_padding()
    found.no_truncation()
    return found
