"""Hashed word and character n-grams: what a text says literally, beside what it means.

Words and pairs of words, and character runs of three to five inside word boundaries, are hashed into a fixed number of
buckets (feature hashing; Weinberger et al., 2009), so that no vocabulary has to be kept or shipped. All arithmetic is
in numpy over the code points of many texts at once: no Python loop over characters. Knows nothing of labels.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

BUCKETS = 1 << 16
SCHEME = "words1-2+chars3-5@65536"
"""Names the features; a head fitted on other features must not be used with these."""

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?|[^\w\s]", re.UNICODE)
_PRIME = np.uint64(0x100000001B3)
_MIX = np.uint64(0x9E3779B97F4A7C15)
_CHAR_SIZES = (3, 4, 5)
_KINDS = np.array([1, 2, *_CHAR_SIZES], np.uint64)
"""What is mixed into the hashes of words, of pairs and of runs of each size."""
_TOGETHER = 128
"""Texts hashed at once: enough to pay for the calls, few enough for the cache."""

Weights = TypeVar("Weights", NDArray[np.float32], NDArray[np.float64])


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
        weights = _of_length_one(self.weights * importance[self.buckets], self.starts)
        return Sparse(self.starts, self.buckets, weights)


def hashed_ngrams(texts: Sequence[str], importance: NDArray[np.float32] | None = None) -> Sparse:
    """Return each text's n-grams: 1 + log of the count, times importance, scaled to length 1.

    Args:
        texts: Any strings; an empty one gives an empty row.
        importance: One factor a bucket (inverse document frequency); 1 when None.
    """
    parts = [_rows(texts[first : first + _TOGETHER], importance) for first in range(0, max(len(texts), 1), _TOGETHER)]
    lengths, buckets, weights = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return Sparse(_starts(lengths), buckets, weights)


def inverse_document_frequency(rows: Sparse) -> NDArray[np.float32]:
    """Return log((1 + n) / (1 + df)) + 1 for every bucket."""
    frequency = np.bincount(rows.buckets, minlength=BUCKETS)
    return (np.log((1 + len(rows)) / (1 + frequency)) + 1).astype(np.float32)


def _of_length_one(weights: Weights, starts: NDArray[np.int64]) -> Weights:
    filled = np.flatnonzero(np.diff(starts))
    if not len(filled):
        return weights
    norms = np.sqrt(np.add.reduceat(np.square(weights), starts[filled]))
    return np.asarray(weights / np.repeat(norms, np.diff(starts)[filled]), dtype=weights.dtype)


def _starts(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def _rows(
    texts: Sequence[str], importance: NDArray[np.float32] | None
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]:
    """Return how many buckets each text has, then these buckets in order, and their weights."""
    lengths, buckets, counts = _counted(texts)
    weights = 1 + np.log(counts)
    if importance is not None:
        weights = weights * importance[buckets]
    return lengths, buckets.astype(np.int32), _of_length_one(weights, _starts(lengths)).astype(np.float32)


def _counted(texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return how many buckets each text has, then these buckets in order, and how often each occurs in its text."""
    found = [_WORD.findall(text.lower()) for text in texts]
    words = [word for each in found for word in each]
    if not words:
        return np.zeros(len(texts), np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64)
    owners, hashes = _hashes(words, np.repeat(np.arange(len(texts)), [len(each) for each in found]))
    own = owners * BUCKETS + (hashes % np.uint64(BUCKETS)).astype(np.int64)
    keys, counts = np.unique(own, return_counts=True)
    return np.bincount(keys // BUCKETS, minlength=len(texts)), keys % BUCKETS, counts


def _hashes(words: list[str], owners: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Hash every word, pair of neighbours and character run; the kind of each is mixed in.

    Returns:
        The owner of each hash, and the hash.
    """
    padded = "".join([f" {word} " for word in words])
    codes = np.frombuffer(padded.encode("utf-32-le", "replace"), dtype=np.uint32).astype(np.uint64)
    lengths = np.array([len(word) + 2 for word in words])
    spelled = _spelled(codes, lengths)
    together = np.flatnonzero(owners[:-1] == owners[1:])
    places, runs = _runs(codes)
    by_code = np.repeat(owners, lengths)
    hashes = [spelled, (spelled[:-1] * _MIX ^ spelled[1:])[together], *runs]
    kinds = np.repeat(_KINDS[: len(hashes)], [len(each) for each in hashes])
    return np.concatenate([owners, owners[together], by_code[places]]), _mixed(np.concatenate(hashes), kinds)


def _spelled(codes: NDArray[np.uint64], lengths: NDArray[np.int64]) -> NDArray[np.uint64]:
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    place = np.arange(len(codes), dtype=np.uint64) - np.repeat(starts, lengths).astype(np.uint64)
    scrambled = _mixed(codes + (place << np.uint64(32)), np.uint64(7))
    return np.add.reduceat(scrambled, starts)


def _runs(codes: NDArray[np.uint64]) -> tuple[NDArray[np.int64], list[NDArray[np.uint64]]]:
    """Return where runs begin that stay inside a word, those of each size together, and the hashes by size."""
    space = codes == 32
    # words are padded on both sides, so two spaces in a row are a border
    border = np.concatenate([[0], np.cumsum(space[:-1] & space[1:])])
    value, places, hashes = np.zeros(len(codes), np.uint64), [], []
    for size in range(1, min(_CHAR_SIZES[-1], len(codes)) + 1):
        value = (value[: len(codes) - size + 1] ^ codes[size - 1 :]) * _PRIME
        if size in _CHAR_SIZES:
            places.append(np.flatnonzero(border[size - 1 :] == border[: len(value)]))
            hashes.append(value[places[-1]])
    return np.concatenate(places), hashes


def _mixed(values: NDArray[np.uint64], kind: NDArray[np.uint64] | np.uint64) -> NDArray[np.uint64]:
    mixed = (values ^ kind) * _MIX
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    return np.asarray(mixed ^ (mixed >> np.uint64(32)), dtype=np.uint64)
