"""Labelled requests a head is fitted on, and how much each of them counts.

Within a label every source counts by the square root of its size, so that no single one sets the tone, and the domains'
own examples and the requests written for MoSLM get a fixed share each. Knows neither files nor where rows come from.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from moslm.models.classifiers.regression import Array
from moslm.models.classifiers.surroundings import read_asides, surrounded

EXAMPLES = "examples"
"""Source name of the domains' own examples."""
WRITTEN = "written"
"""Source name of the requests written for MoSLM (``corpus/``)."""
_SHARES = {EXAMPLES: 0.15, WRITTEN: 0.35}
SURROUNDED_EVERY = 4
"""Every so many-th row is fitted on a second time, among asides."""


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled request.

    Attributes:
        text: What was asked.
        label: Its domain; None for a request that belongs to none ("belongs nowhere").
        source: Where it comes from; `EXAMPLES` for a domain's own.
        license: Licence of the text, for the card.
    """

    text: str
    label: str | None
    source: str
    license: str


@dataclass(frozen=True, slots=True)
class PartedRow:
    """A request of several parts.

    Attributes:
        text: What was asked.
        several: Whether its parts are about different domains.
        source: Where it comes from; sources count alike.
    """

    text: str
    several: bool
    source: str = ""


def row_weights(rows: Sequence[Row]) -> Array:
    """Return the weight of each row: labels count alike, sources by the square root of their size."""
    keys = [(row.label, row.source) for row in rows]
    sizes = Counter(keys)
    weights = np.array([sizes[key] ** -0.5 for key in keys])
    sources = np.array([row.source if row.source in _SHARES else "" for row in rows])
    names = np.array([row.label or "" for row in rows])
    for name in np.unique(names):
        for source, share in {**_SHARES, "": 1 - sum(_SHARES.values())}.items():
            chosen = (names == name) & (sources == source)
            if chosen.any():
                weights[chosen] *= share / weights[chosen].sum()
        weights[names == name] /= weights[names == name].sum()
    return weights.astype(np.float32)


def drawn(rows: Sequence[Row], most: int) -> list[Row]:
    """Return a fixed draw in which every label and source keeps its share of `row_weights`, small ones first."""
    if len(rows) <= most:
        return list(rows)
    keys = row_weights(rows)
    # weighted draw without replacement, the same for the same rows (Efraimidis and Spirakis, 2006)
    chances = np.random.default_rng(0).random(len(rows)) ** (1 / np.maximum(keys.astype(np.float64), 1e-12))
    return [rows[number] for number in np.sort(np.argsort(-chances, kind="stable")[:most])]


def with_asides(rows: Sequence[Row]) -> list[Row]:
    """Return the rows and, for every fourth, one more that says the same among words that say nothing of it."""
    asides, chance = read_asides(), random.Random(0)
    more = [replace(row, text=surrounded(row.text, asides, chance)) for row in rows[::SURROUNDED_EVERY]]
    return [*rows, *more]
