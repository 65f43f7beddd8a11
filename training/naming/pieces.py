"""Turns labelled texts into numbers: word pieces, how they look, and a label for each; many processes at once."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from naming.labelled import Labelled
from naming.network import LABELS
from naming.sentences import Sentences

LONGEST = 128
_CHUNK = 2000


@dataclass(frozen=True, slots=True)
class Pieces:
    """Texts as numbers, one after another.

    Attributes:
        rows: Four rows: word pieces, shapes, gaps, labels; 255 as a label counts for nothing.
        lengths: How many pieces each text has.
    """

    rows: np.ndarray
    lengths: np.ndarray


def cut(tokenizer: Any, surface: Callable[..., Any], made: Labelled, chance: Random) -> np.ndarray | None:
    """Return one text as four rows of numbers; of a long text a stretch."""
    read = tokenizer.encode(made.text, add_special_tokens=False)
    shapes, gaps = surface(made.text, read.offsets)
    labels = _labels(made, read.offsets)
    rows = np.array([read.ids, shapes, gaps, labels], dtype=np.uint16)
    if rows.shape[1] == 0:
        return None
    if rows.shape[1] > LONGEST - 2:
        start = chance.randrange(rows.shape[1] - (LONGEST - 2) + 1)
        rows = rows[:, start : start + LONGEST - 2]
    edge = np.array([[101, 0, 0, 255], [102, 0, 0, 255]], dtype=np.uint16).T
    return np.concatenate([edge[:, :1], rows, edge[:, 1:]], axis=1)


def _labels(made: Labelled, offsets: list[tuple[int, int]]) -> list[int]:
    labels = [0] * len(offsets)
    for start, end, label in made.spans:
        inside = f"B-{label}"
        for at, (left, right) in enumerate(offsets):
            if left < end and start < right:
                labels[at] = LABELS.index(inside)
                inside = f"I-{label}"
    return labels


_STATE: dict[str, Any] = {}


def _begin(make: Callable[[], Sentences], tokenizer: Path, surface: Callable[..., Any]) -> None:
    from tokenizers import Tokenizer

    plain = Tokenizer.from_file(str(tokenizer))
    plain.no_padding()
    plain.no_truncation()
    _STATE.update(sentences=make(), tokenizer=plain, surface=surface)


def _chunk(job: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    seed, count = job
    chance = Random(seed)
    drawn = (
        cut(_STATE["tokenizer"], _STATE["surface"], _STATE["sentences"].draw(chance), chance) for _ in range(count)
    )
    kept = [each for each in drawn if each is not None]
    return np.concatenate(kept, axis=1), np.array([each.shape[1] for each in kept])


def drawn(
    make: Callable[[], Sentences], tokenizer: Path, surface: Callable[..., Any], count: int, seed: int, processes: int
) -> Pieces:
    """Draw texts and turn them into numbers; the same for the same seed, however many processes."""
    jobs = [(1_000_003 * seed + at, min(_CHUNK, count - _CHUNK * at)) for at in range(-(-count // _CHUNK))]
    with multiprocessing.get_context("fork").Pool(processes, _begin, (make, tokenizer, surface)) as pool:
        parts = pool.map(_chunk, jobs, chunksize=1)
    return Pieces(np.concatenate([each[0] for each in parts], axis=1), np.concatenate([each[1] for each in parts]))
