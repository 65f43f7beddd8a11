"""Prototypes: what familiar requests look like, so that a request far from all of them shows.

A regression knows which side of a border a text stands on, not how far it stands from everything it was fitted on; a
question about the weather may lie deep on one side. Each label is stood for by the centres of its clusters (spherical
k-means) and a text by its distance to the nearest one, as in nearest-neighbour novelty detection (Sun et al., 2022),
with a few hundred centres in place of all rows. Knows vectors and classes only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moslm.models.classifiers.regression import Array

_ROUNDS = 10
_FEWEST_MEMBERS = 3
"""Smaller clusters are left out: their centre would be somebody's request rather than a kind of request."""


@dataclass(frozen=True, slots=True)
class Prototypes:
    """Centres of clusters, and the distances familiar requests have to them.

    Attributes:
        origin: (d,) mean of the vectors; distances are taken around it, because sentence vectors share a direction.
        points: (m, d) centres, of length 1.
        typical: Mean distance of held-out familiar requests.
        spread: Standard deviation of that distance.
    """

    origin: Array
    points: Array
    typical: float = 0.0
    spread: float = 1.0

    def distances(self, vectors: Array) -> Array:
        """Return how far each of n vectors is from its nearest prototype, in standard deviations from the typical."""
        # row by row: a product of all at once rounds each by its company, and a decision could not be repeated exactly
        nearest = np.array([(self.points @ row).max() for row in _around(self.origin, vectors)])
        return np.asarray((1 - nearest - self.typical) / self.spread, dtype=np.float32)

    def measured_on(self, vectors: Array) -> Prototypes:
        """Return these prototypes with the typical distance and its spread taken from familiar requests."""
        plain = Prototypes(self.origin, self.points).distances(vectors)
        return Prototypes(self.origin, self.points, float(plain.mean()), max(float(plain.std()), 1e-6))

    def with_examples(self, vectors: Array) -> Prototypes:
        """Return these prototypes with each of these vectors as one more."""
        points = np.vstack([self.points, _around(self.origin, vectors)])
        return Prototypes(self.origin, points, self.typical, self.spread)


def find_prototypes(vectors: Array, classes: NDArray[np.int64], *, per_class: int) -> Prototypes:
    """Cluster the vectors of each class; the same vectors give the same prototypes.

    Args:
        vectors: (n, d) vectors of familiar requests.
        classes: (n,) class of each.
        per_class: Most clusters of a class; a class of fewer than three times as many rows gets fewer.
    """
    origin = vectors.mean(axis=0)
    moved = _around(origin, vectors)
    points = [_centres(moved[classes == each], per_class) for each in np.unique(classes)]
    return Prototypes(origin, np.vstack(points).astype(np.float32))


def _centres(vectors: Array, most: int) -> Array:
    count = max(1, min(most, len(vectors) // _FEWEST_MEMBERS))
    chance = np.random.default_rng(0)
    centres = vectors[chance.choice(len(vectors), count, replace=False)].copy()
    members = np.zeros(len(vectors), np.int64)
    for _ in range(_ROUNDS):
        members = (vectors @ centres.T).argmax(axis=1)
        for number in np.unique(members):
            centres[number] = vectors[members == number].mean(axis=0)
        centres /= np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), 1e-9)
    sizes = np.bincount(members, minlength=count)
    return np.asarray(centres[sizes >= min(_FEWEST_MEMBERS, sizes.max())])


def _around(origin: Array, vectors: Array) -> Array:
    moved = vectors - origin
    return np.asarray(moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-9), dtype=np.float32)
