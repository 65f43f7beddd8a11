"""Fits a head from labelled requests: two regressions, a temperature and the calibration of strangeness.

Owns how rows are weighed: within a label every source counts by the square root of its size, so that no single one
sets the tone, and the domains' own examples get a fixed share. Knows neither files nor where rows come from.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from moslm.models.classifiers.artefact import Bank
from moslm.models.classifiers.head import Head, window
from moslm.models.classifiers.regression import Array, Linear, fit_softmax, softmax
from moslm.models.encoders import Encoder
from moslm.models.encoders.ngrams import hashed_ngrams, inverse_document_frequency

EXAMPLES = "examples"
"""Source name of the domains' own examples."""
DENSE_ITERATIONS, LEXICAL_ITERATIONS = 100, 80
_EXAMPLES_SHARE = 0.3
_DENSE_PENALTY, _LEXICAL_PENALTY = 1e-5, 3e-6
_TEMPERATURES = np.geomspace(0.3, 8, 60)


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


STEPS = 2 * (DENSE_ITERATIONS + LEXICAL_ITERATIONS)
"""How often `fit_head` reports a step at most."""


def fit_head(
    rows: Sequence[Row],
    held_out: Sequence[Row],
    labels: tuple[str, ...],
    encoder: Encoder,
    *,
    step: Callable[[], object] = lambda: None,
) -> Head:
    """Fit a head on ``rows``; make its probabilities and its strangeness honest on ``held_out``.

    Args:
        rows: Fitted on; every label occurs.
        held_out: Never fitted on, drawn like the requests to come. Its familiar rows give the temperature and, with
            half of the domains' own examples as a head sees them that was fitted without that half, the calibration:
            those examples are the nearest thing to what will be asked here. Empty: nothing is calibrated.
        labels: The labels, in the order of the columns.
        encoder: Turns texts into vectors.
        step: Called after each iteration.
    """
    head = _fitted(rows, labels, encoder, step)
    if not held_out:
        return head
    spared = _spared(rows)
    out = set(spared)
    without = [row for row in rows if row not in out]
    strange = [_strangeness(_fitted(without, labels, encoder, step), spared)] if spared else []
    familiar = [row for row in held_out if row.label is not None]
    if familiar:
        scores = head.scores([row.text for row in familiar])
        classes = np.array([labels.index(row.label) for row in familiar if row.label is not None])
        head = replace(head, temperature=best_temperature(scores[:, :-1], classes))
        strange.append(head.strangeness(scores))
    return replace(head, calibration=np.sort(np.concatenate([*strange, np.zeros(0)])))


def best_temperature(scores: Array, classes: NDArray[np.int64]) -> float:
    """Return the divisor of the scores that makes the held-out classes most likely (Guo et al., 2017)."""
    rows = np.arange(len(classes))
    losses = [-np.log(np.maximum(softmax(scores / t)[rows, classes], 1e-12)).mean() for t in _TEMPERATURES]
    return float(_TEMPERATURES[int(np.argmin(losses))])


def row_weights(rows: Sequence[Row]) -> Array:
    """Return the weight of each row: labels count alike, sources by the square root of their size."""
    keys = [(row.label, row.source) for row in rows]
    sizes = {key: keys.count(key) for key in set(keys)}
    weights = np.array([sizes[key] ** -0.5 for key in keys])
    own = np.array([row.source == EXAMPLES for row in rows])
    names = np.array([row.label or "" for row in rows])
    for name in np.unique(names):
        for group, share in ((own, _EXAMPLES_SHARE), (~own, 1 - _EXAMPLES_SHARE)):
            chosen = (names == name) & group
            if chosen.any():
                weights[chosen] *= share / weights[chosen].sum()
        weights[names == name] /= weights[names == name].sum()
    return weights.astype(np.float32)


def _spared(rows: Sequence[Row]) -> list[Row]:
    """Return every second of the domains' own examples; none where a label would be left with fewer than ten."""
    own = [row for row in rows if row.source == EXAMPLES]
    counts = [sum(row.label == name for row in own) for name in {row.label for row in own}]
    return own[::2] if own and min(counts) >= 20 else []


def _strangeness(head: Head, rows: Sequence[Row]) -> Array:
    return head.strangeness(head.scores([row.text for row in rows]))


def _fitted(rows: Sequence[Row], labels: tuple[str, ...], encoder: Encoder, step: Callable[[], object]) -> Head:
    texts = [window(row.text) for row in rows]
    classes = np.array([len(labels) if row.label is None else labels.index(row.label) for row in rows])
    weights, count = row_weights(rows), len(labels) + 1
    vectors = encoder.encode(texts)
    importance = inverse_document_frequency(hashed_ngrams(texts)).astype(np.float16).astype(np.float32)
    dense = fit_softmax(
        vectors, classes, weights, count=count, penalty=_DENSE_PENALTY, iterations=DENSE_ITERATIONS, step=step
    )
    lexical = fit_softmax(
        hashed_ngrams(texts, importance),
        classes,
        weights,
        count=count,
        penalty=_LEXICAL_PENALTY,
        iterations=LEXICAL_ITERATIONS,
        step=step,
    )
    return Head(
        version="unsaved",
        encoder_name=encoder.name,
        fitted_labels=labels,
        dense=_rounded(dense),
        lexical=_rounded(lexical),
        importance=importance,
        temperature=1.0,
        calibration=np.zeros(0),
        labels=labels,
    )


def _rounded(linear: Linear) -> Linear:
    """Round to the precision of the file, so that a head read back scores exactly as it did when it was judged."""
    return Linear(linear.weights.astype(np.float16).astype(np.float32), linear.bias.astype(np.float32))


def make_bank(head: Head, rows: Sequence[Row], *, without: Collection[str] = (), most: int = 6000) -> Bank:
    """Return the rows a new label is fitted against later.

    Args:
        head: The head fitted on these rows.
        rows: What it was fitted on.
        without: Sources of which no row may be kept (share-alike or unverified licences).
        most: Rows kept; of more, a fixed draw in which every label and source keeps its share.
    """
    kept = sorted(
        (row for row in rows if row.source not in without), key=lambda row: (row.label or "", row.source, row.text)
    )
    chosen = [kept[number] for number in np.linspace(0, len(kept) - 1, min(most, len(kept))).astype(int)]
    return Bank(head.encoder.encode([window(row.text) for row in chosen]), len(head.fitted_labels))
