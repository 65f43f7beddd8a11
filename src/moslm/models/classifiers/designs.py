"""Rows of a regression as the matrix they are: dense vectors, or hashed n-grams of which each row has few.

Owns the products with weights and with errors, which are nearly all of a fit. Sparse ones run in blocks that stay in a
core's cache, side by side on all cores; each row's sum is formed in one piece, so that the result is the same to the
last bit on any number of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from moslm.models.encoders import Matrix
from moslm.models.encoders.cores import side_by_side
from moslm.models.encoders.ngrams import BUCKETS, Sparse

_BLOCK = 1 << 16


class Design(Protocol):
    """n rows with ``width`` features."""

    width: int

    def scores(self, weights: Matrix) -> Matrix:
        """Return (n, k) for (width, k) weights."""
        ...

    def gradient(self, error: Matrix) -> Matrix:
        """Return (width, k) for an (n, k) error."""
        ...

    def squares(self, scale: Matrix) -> Matrix:
        """Return (width) the sum of each feature's squares, where row i counts ``scale[i]``."""
        ...

    def expanded(self, weights: Matrix) -> Matrix:
        """Return weights for all features there are from those that occur in the rows."""
        ...

    def narrowed(self, weights: Matrix) -> Matrix:
        """Return what `expanded` takes."""
        ...


class DenseDesign:
    """Dense vectors."""

    def __init__(self, rows: Matrix) -> None:
        self.rows, self.width = rows, rows.shape[1]

    def scores(self, weights: Matrix) -> Matrix:
        """Return (n, k) for (width, k) weights."""
        return np.asarray(self.rows @ weights)

    def gradient(self, error: Matrix) -> Matrix:
        """Return (width, k) for an (n, k) error."""
        return np.asarray(self.rows.T @ error)

    def squares(self, scale: Matrix) -> Matrix:
        """Return the weighted sum of each feature's squares."""
        return np.asarray(scale @ np.square(self.rows))

    def expanded(self, weights: Matrix) -> Matrix:
        """Return the weights as they are."""
        return weights

    def narrowed(self, weights: Matrix) -> Matrix:
        """Return the weights as they are."""
        return weights


class SparseDesign:
    """Hashed rows, kept by row and by bucket; only the buckets that occur have parameters."""

    def __init__(self, rows: Sparse) -> None:
        counts = np.bincount(rows.buckets, minlength=BUCKETS)
        self.used = np.flatnonzero(counts)
        self.width = len(self.used)
        places = np.cumsum(counts > 0) - 1
        # numpy sorts integers of 16 bits by counting, several times as fast as longer ones
        order = np.argsort(rows.buckets.astype(np.min_scalar_type(BUCKETS - 1)), kind="stable")
        owner = np.repeat(np.arange(len(rows), dtype=np.int32), np.diff(rows.starts))[order]
        starts = np.concatenate([[0], np.cumsum(counts[self.used])]).astype(np.int64)
        self._by_row = _in_blocks(rows.starts, places[rows.buckets], rows.weights)
        self._by_bucket = _in_blocks(starts, owner, rows.weights[order])

    def scores(self, weights: Matrix) -> Matrix:
        """Return (n, k) for (width, k) weights."""
        return _product(self._by_row, weights)

    def gradient(self, error: Matrix) -> Matrix:
        """Return (width, k) for an (n, k) error."""
        return _product(self._by_bucket, error)

    def squares(self, scale: Matrix) -> Matrix:
        """Return the weighted sum of each bucket's squares."""
        squared = [replace(block, weights=np.square(block.weights)) for block in self._by_bucket.blocks]
        return _product(replace(self._by_bucket, blocks=squared), scale[:, None])[:, 0]

    def expanded(self, weights: Matrix) -> Matrix:
        """Return weights for every bucket; those that do not occur have none."""
        everywhere = np.zeros((BUCKETS, weights.shape[1]), np.float32)
        everywhere[self.used] = weights
        return everywhere

    def narrowed(self, weights: Matrix) -> Matrix:
        """Return the weights of the buckets that occur."""
        return weights[self.used]


def sparse_product(rows: Sparse, weights: Matrix) -> Matrix:
    """Return (n, k) scores of n rows for (buckets, k) weights."""
    if len(rows.buckets) >= len(weights):
        return _product(_in_blocks(rows.starts, rows.buckets, rows.weights), weights)
    # a request or two: to turn the whole table would take longer than all the rest
    scores = np.zeros((len(rows), weights.shape[1]), np.float32)
    filled = np.flatnonzero(np.diff(rows.starts))
    if len(filled):
        for number, taken in enumerate(weights[rows.buckets].T):
            scores[filled, number] = np.add.reduceat(taken * rows.weights, rows.starts[filled])
    return scores


@dataclass(frozen=True, slots=True)
class _Block:
    """Rows next to each other, none of them empty.

    Attributes:
        rows: Their numbers, counted without the empty ones.
        starts: Where each begins in the other two.
        buckets: Their buckets, row by row.
        weights: The weight of each bucket.
    """

    rows: slice
    starts: NDArray[np.int64]
    buckets: NDArray[np.intp]
    weights: Matrix


@dataclass(frozen=True, slots=True)
class _Blocks:
    """Rows in blocks: how many there are, which of them are not empty, and the blocks of these."""

    length: int
    filled: NDArray[np.int64]
    blocks: list[_Block]


def _in_blocks(starts: NDArray[np.int64], buckets: NDArray[np.integer], weights: Matrix) -> _Blocks:
    filled = np.flatnonzero(np.diff(starts))
    begins = np.append(starts[filled], len(buckets))
    cuts = np.searchsorted(begins, np.arange(0, len(buckets), _BLOCK))
    # numpy would turn other integers into these at every use
    places = buckets.astype(np.intp, copy=False)
    blocks = []
    for first, last in pairwise(np.unique(np.append(cuts, len(filled)))):
        inside = slice(begins[first], begins[last])
        own = begins[first:last] - begins[first]
        blocks.append(_Block(slice(first, last), own, places[inside], weights[inside]))
    return _Blocks(len(starts) - 1, filled, blocks)


def _product(rows: _Blocks, weights: Matrix) -> Matrix:
    columns = np.ascontiguousarray(weights.T, dtype=np.float32)
    sums = np.empty((len(columns), len(rows.filled)), np.float32)

    def fill(block: _Block) -> None:
        taken = np.empty(len(block.buckets), np.float32)
        for column, out in zip(columns, sums[:, block.rows], strict=True):
            # no bucket is out of range; "clip" writes into the buffer straight away, the default into a copy first
            np.take(column, block.buckets, out=taken, mode="clip")
            np.multiply(taken, block.weights, out=taken)
            np.add.reduceat(taken, block.starts, out=out)

    for _ in side_by_side(fill, rows.blocks):
        pass
    scores = np.zeros((rows.length, len(columns)), np.float32)
    scores[rows.filled] = sums.T
    return scores
