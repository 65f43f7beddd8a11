"""Hashed word and character n-grams: what a text says literally, beside what it means.

Words and pairs of words, and character runs of three to five inside word boundaries, are hashed into a fixed number of
buckets (feature hashing; Weinberger et al., 2009), so that no vocabulary has to be kept or shipped. All arithmetic is
in numpy over code points: no Python loop over characters. Knows nothing of labels.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BUCKETS = 1 << 16
SCHEME = "words1-2+chars3-5@65536"
"""Names the features; a head fitted on other features must not be used with these."""

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?|[^\w\s]", re.UNICODE)
_PRIME = np.uint64(0x100000001B3)
_MIX = np.uint64(0x9E3779B97F4A7C15)
_CHAR_SIZES = (3, 4, 5)


@dataclass(frozen=True, slots=True)
class Sparse:
    """Rows of weighted buckets, compressed: row ``i`` is ``starts[i]:starts[i + 1]`` of the other two."""

    starts: NDArray[np.int64]
    buckets: NDArray[np.int32]
    weights: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def take(self, rows: NDArray[np.int64]) -> Sparse:
        """Return the rows with these numbers, in that order."""
        lengths = np.diff(self.starts)[rows]
        starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        inside = np.arange(starts[-1]) - np.repeat(starts[:-1], lengths)
        where = np.repeat(self.starts[rows], lengths) + inside
        return Sparse(starts, self.buckets[where], self.weights[where])

    def times(self, importance: NDArray[np.float32]) -> Sparse:
        """Return the rows with every weight times its bucket's importance, scaled to length 1."""
        weights = self.weights * importance[self.buckets]
        lengths = np.diff(self.starts)
        filled = lengths > 0
        norms = np.sqrt(np.add.reduceat(weights * weights, self.starts[:-1][filled])) if filled.any() else weights
        return Sparse(self.starts, self.buckets, weights / np.repeat(norms, lengths[filled]))


def hashed_ngrams(texts: Sequence[str], importance: NDArray[np.float32] | None = None) -> Sparse:
    """Return each text's n-grams: 1 + log of the count, times importance, scaled to length 1.

    Args:
        texts: Any strings; an empty one gives an empty row.
        importance: One factor a bucket (inverse document frequency); 1 when None.
    """
    rows = [_row(text, importance) for text in texts]
    starts = np.concatenate([[0], np.cumsum([len(buckets) for buckets, _ in rows])]).astype(np.int64)
    buckets = np.concatenate([buckets for buckets, _ in rows] or [np.zeros(0, np.int32)])
    weights = np.concatenate([weights for _, weights in rows] or [np.zeros(0, np.float32)])
    return Sparse(starts, buckets.astype(np.int32), weights.astype(np.float32))


def inverse_document_frequency(rows: Sparse) -> NDArray[np.float32]:
    """Return log((1 + n) / (1 + df)) + 1 for every bucket."""
    frequency = np.bincount(rows.buckets, minlength=BUCKETS)
    return (np.log((1 + len(rows)) / (1 + frequency)) + 1).astype(np.float32)


def _row(text: str, importance: NDArray[np.float32] | None) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    words = _WORD.findall(text.lower())
    if not words:
        return np.zeros(0, np.int64), np.zeros(0, np.float32)
    buckets, counts = np.unique(_hashes(words) % np.uint64(BUCKETS), return_counts=True)
    buckets = buckets.astype(np.int64)
    weights = 1 + np.log(counts)
    if importance is not None:
        weights = weights * importance[buckets]
    return buckets, (weights / np.linalg.norm(weights)).astype(np.float32)


def _hashes(words: list[str]) -> NDArray[np.uint64]:
    """Hash every word, pair of neighbours and character run; the kind of each is mixed in."""
    padded = "".join(f" {word} " for word in words)
    codes = np.frombuffer(padded.encode("utf-32-le", "replace"), dtype=np.uint32).astype(np.uint64)
    spelled = _spelled(codes, words)
    pairs = spelled[:-1] * _MIX ^ spelled[1:]
    found = [_mixed(spelled, 1), _mixed(pairs, 2)]
    found += [_mixed(run, size) for size in _CHAR_SIZES if len(run := _runs(codes, size))]
    return np.concatenate(found)


def _spelled(codes: NDArray[np.uint64], words: list[str]) -> NDArray[np.uint64]:
    lengths = np.array([len(word) + 2 for word in words])
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    place = np.arange(len(codes), dtype=np.uint64) - np.repeat(starts, lengths).astype(np.uint64)
    scrambled = _mixed(codes + (place << np.uint64(32)), 7)
    return np.add.reduceat(scrambled, starts)


def _runs(codes: NDArray[np.uint64], size: int) -> NDArray[np.uint64]:
    """Hash the runs of ``size`` characters that do not cross from one word into the next."""
    count = len(codes) - size + 1
    if count <= 0:
        return np.zeros(0, np.uint64)
    value = np.zeros(count, np.uint64)
    for offset in range(size):
        value = (value ^ codes[offset : offset + count]) * _PRIME
    space = codes == 32
    # words are padded on both sides, so two spaces in a row are a border
    border = np.concatenate([[0], np.cumsum(space[:-1] & space[1:])])
    inside = border[size - 1 : size - 1 + count] == border[:count]
    return np.asarray(value[inside], dtype=np.uint64)


def _mixed(values: NDArray[np.uint64], kind: int) -> NDArray[np.uint64]:
    mixed = (values ^ np.uint64(kind)) * _MIX
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    return np.asarray(mixed ^ (mixed >> np.uint64(32)), dtype=np.uint64)
