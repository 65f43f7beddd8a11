"""Chooses what is kept of the rows a head was fitted on, so that a label can be fitted against them later.

Knows vectors and sources; what a label is fitted against and how is `moslm.models.classifiers.adapting`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import numpy as np

from moslm.models.classifiers.artefact import Bank
from moslm.models.classifiers.head import Head, window
from moslm.models.classifiers.regression import Array
from moslm.models.classifiers.rows import Row

_FEWEST_STOOD_IN = 30


def make_bank(head: Head, rows: Sequence[Row], *, without: Collection[str] = (), most: int = 6000) -> Bank:
    """Return the rows a new label is fitted against later.

    Args:
        head: The head fitted on these rows.
        rows: What it was fitted on.
        without: Sources of which no row may be kept (share-alike or unverified licences). Stand-ins take their place,
            drawn from the mean and the covariance of all their rows: without them a new label would claim whatever
            is written as those are.
        most: Rows kept for the first reading; of more, a fixed draw in which every label and source keeps its share.
            The second reading gets half as many.
    """
    ordered = sorted(rows, key=lambda row: (row.label or "", row.source, row.text))
    chosen = [ordered[number] for number in np.linspace(0, len(ordered) - 1, min(most, len(ordered))).astype(int)]
    careful = _stood_in(chosen[::2], head.careful.encoder.encode, without) if head.careful else None
    first = _stood_in(chosen, lambda texts: head.encoder.encode([window(text) for text in texts]), without)
    return Bank(first, len(head.fitted_labels), careful)


def _stood_in(rows: Sequence[Row], encode: Callable[[Sequence[str]], Array], without: Collection[str]) -> Array:
    """Encode rows; those of sources that may not be kept become draws from a normal distribution fitted to them.

    A source with few rows leaves nothing: draws from so few would lie next to them.
    """
    vectors = encode([row.text for row in rows])
    keys = np.array([f"{row.label}/{row.source}" if row.source in without else "" for row in rows])
    chance, kept = np.random.default_rng(0), keys == ""
    for key in np.unique(keys[keys != ""]):
        chosen = keys == key
        if chosen.sum() < _FEWEST_STOOD_IN:
            continue
        kept |= chosen
        centre = vectors[chosen].mean(axis=0)
        noise = chance.standard_normal((int(chosen.sum()), int(chosen.sum()))) / np.sqrt(chosen.sum())
        drawn = centre + noise @ (vectors[chosen] - centre)
        vectors[chosen] = drawn / np.maximum(np.linalg.norm(drawn, axis=1, keepdims=True), 1e-9)
    return np.asarray(vectors[kept])
