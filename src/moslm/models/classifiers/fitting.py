"""Fits a head from labelled requests: its regressions, prototypes, temperatures and what it is calibrated on.

Knows neither files nor where rows come from.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from moslm.models.classifiers.head import Careful, Head, window
from moslm.models.classifiers.prototypes import Prototypes, find_prototypes
from moslm.models.classifiers.regression import Array, fit_softmax, rounded
from moslm.models.classifiers.rows import (
    EXAMPLES,
    SURROUNDED_EVERY,
    WRITTEN,
    PartedRow,
    Row,
    drawn,
    row_weights,
    with_asides,
)
from moslm.models.classifiers.tempering import as_tempered, best_far, tempered, told_apart
from moslm.models.encoders import Encoder
from moslm.models.encoders.ngrams import Sparse, hashed_ngrams, inverse_document_frequency

DENSE_ITERATIONS, LEXICAL_ITERATIONS, CAREFUL_ITERATIONS = 60, 30, 60
"""More changed nothing on dev and on left-out sources of train."""
AGAIN = 0.4
"""Share of these steps that suffices from where a head fitted on nearly the same rows ended."""
CAREFUL_ROWS = 5000
"""Rows the second reading is fitted on at most; its features are few, and each row must be encoded."""
_DENSE_PENALTY, _LEXICAL_PENALTY, _CAREFUL_PENALTY = 1e-5, 3e-6, 1e-5
_PROTOTYPES = 60
"""Prototypes of a label; twice as many found no more novel requests of CLINC150."""


_SPARED_WRITTEN = 400
"""Written requests that the head which judges them does not see: enough for tails of 5 %, few beside thousands."""


STEPS = round((1 + AGAIN) * (DENSE_ITERATIONS + LEXICAL_ITERATIONS)) + 2 * CAREFUL_ITERATIONS
"""How often `fit_head` reports a step at most."""


def fit_head(
    rows: Sequence[Row],
    held_out: Sequence[Row],
    labels: tuple[str, ...],
    encoder: Encoder,
    careful: Encoder | None = None,
    *,
    parted: Sequence[PartedRow] = (),
    step: Callable[[], object] = lambda: None,
) -> Head:
    """Fit a head on ``rows``; make its probabilities and its strangeness honest on ``held_out``.

    Args:
        rows: Fitted on; every label occurs.
        held_out: Never fitted on, drawn like the requests to come. Its familiar rows give the temperatures and, with
            half of the domains' own examples and some of the written requests as a head sees them that was fitted
            without these, the calibration: those are nearer to what will be asked here. Empty: nothing is calibrated.
        labels: The labels, in the order of the columns.
        encoder: Turns texts into vectors for the first reading.
        careful: Turns texts into vectors for the second reading; None for a head of one reading.
        parted: Requests of several parts, from which it learns when they are about several domains.
        step: Called after each iteration.
    """
    spared, plain = (_spared(rows), _spared_written(rows)) if held_out else ([], [])
    rows = with_asides(rows)
    out = {*spared, *plain}
    with ThreadPoolExecutor(1) as beside:
        # the dear encoder reads while the first reading is fitted: much of that keeps only one core busy
        reading = beside.submit(_read_carefully, rows, careful) if careful is not None else None
        seen = _seen(rows, encoder)
        without: Head | None = None
        if spared:
            without = _first_fitted(seen.without(out), labels, None, step)
        # the head that judges the spared rows never saw them; the head that is kept may begin where that one ended
        head = _first_fitted(seen, labels, without, step)
    if reading is not None:
        read = reading.result()
        head = replace(head, careful=_careful(read, labels, step))
        without = without and replace(without, careful=_careful(read.without(out), labels, step))
    if not held_out:
        return head
    familiar = [row for row in held_out if row.label is not None]
    if familiar:
        head = tempered(head, familiar)
        head = replace(head, far=best_far(head, familiar, [row for row in held_out if row.label is None]))
    strange = [_strangeness(head, familiar)] if familiar else []
    if without is not None:
        without = as_tempered(without, head)
        strange += [_strangeness(without, own) for own in (spared, plain) if own]
    head = replace(head, calibration=_alike(strange))
    singles = [(head, familiar), *((without, own) for own in (spared, plain) if without and own)]
    return told_apart(head, parted, singles)


@dataclass(frozen=True, slots=True)
class _SeenRows:
    """Rows as the first reading sees them: sentence vectors, and n-grams that carry no importance yet."""

    encoder: Encoder
    rows: list[Row]
    vectors: Array
    ngrams: Sparse

    def without(self, out: Collection[Row]) -> _SeenRows:
        kept = np.flatnonzero([row not in out for row in self.rows])
        return _SeenRows(
            self.encoder, [self.rows[number] for number in kept], self.vectors[kept], self.ngrams.take(kept)
        )


def _seen(rows: Sequence[Row], encoder: Encoder) -> _SeenRows:
    texts = [window(row.text) for row in rows]
    return _SeenRows(encoder, list(rows), encoder.encode(texts), hashed_ngrams(texts))


@dataclass(frozen=True, slots=True)
class _ReadRows:
    """Rows and their sentence vectors under the second reading's encoder, which are dear to compute."""

    encoder: Encoder
    rows: list[Row]
    vectors: Array

    def without(self, out: Collection[Row]) -> _ReadRows:
        kept = [number for number, row in enumerate(self.rows) if row not in out]
        return _ReadRows(self.encoder, [self.rows[number] for number in kept], self.vectors[kept])


def _prototypes(rows: Sequence[Row], vectors: Array, labels: tuple[str, ...]) -> Prototypes | None:
    familiar = np.flatnonzero([row.label is not None for row in rows])
    if not len(familiar):
        return None
    found = find_prototypes(vectors[familiar], _classes(rows, labels)[familiar], per_class=_PROTOTYPES)
    return replace(found, points=found.points.astype(np.float16).astype(np.float32))


def _spared(rows: Sequence[Row]) -> list[Row]:
    """Return about half of the domains' own examples; none where a label would be left with fewer than ten."""
    own = [row for row in rows if row.source == EXAMPLES]
    counts = [sum(row.label == name for row in own) for name in {row.label for row in own}]
    return [row for row in _seen_once(rows) if row.source == EXAMPLES][::2] if own and min(counts) >= 20 else []


def _spared_written(rows: Sequence[Row]) -> list[Row]:
    """Return some of the written requests of one domain, where there are many: they show how one domain is asked."""
    own = [row for row in _seen_once(rows) if row.source == WRITTEN and row.label is not None]
    return own[:: len(own) // _SPARED_WRITTEN] if len(own) >= 10 * _SPARED_WRITTEN else []


def _seen_once(rows: Sequence[Row]) -> list[Row]:
    """Return the rows that no other row repeats among asides."""
    return [row for number, row in enumerate(rows) if number % SURROUNDED_EVERY]


def _alike(kinds: Sequence[Array]) -> NDArray[np.float64]:
    """Return what is measured of several kinds of requests as one, in which each kind counts alike, ascending.

    Held-out rows are many and come from the sources that were fitted on; a company's own requests do not.
    """
    most = max((len(kind) for kind in kinds), default=0)
    found = [np.sort(kind)[np.linspace(0, len(kind) - 1, most).round().astype(int)] for kind in kinds if len(kind)]
    return np.sort(np.concatenate([*found, np.zeros(0)])).astype(np.float64)


def _strangeness(head: Head, rows: Sequence[Row]) -> Array:
    return head.strangeness(head.scores([row.text for row in rows]))


def _first_fitted(seen: _SeenRows, labels: tuple[str, ...], start: Head | None, step: Callable[[], object]) -> Head:
    """Fit a head of one reading."""
    classes = _classes(seen.rows, labels)
    weights, count, share = row_weights(seen.rows), len(labels) + 1, AGAIN if start else 1
    importance = inverse_document_frequency(seen.ngrams).astype(np.float16).astype(np.float32)
    dense = fit_softmax(
        seen.vectors,
        classes,
        weights,
        count=count,
        penalty=_DENSE_PENALTY,
        iterations=round(share * DENSE_ITERATIONS),
        start=start.dense if start else None,
        step=step,
    )
    lexical = fit_softmax(
        seen.ngrams.times(importance),
        classes,
        weights,
        count=count,
        penalty=_LEXICAL_PENALTY,
        iterations=round(share * LEXICAL_ITERATIONS),
        start=start.lexical if start else None,
        step=step,
    )
    return Head(
        version="unsaved",
        encoder_name=seen.encoder.name,
        fitted_labels=labels,
        dense=rounded(dense),
        lexical=rounded(lexical),
        importance=importance,
        temperature=1.0,
        calibration=np.zeros(0),
        labels=labels,
        prototypes=_prototypes(seen.rows, seen.vectors, labels),
    )


def _read_carefully(rows: Sequence[Row], encoder: Encoder) -> _ReadRows:
    """Encode a draw of the rows: the second reading's features are few and were tuned, so it needs no more."""
    chosen = drawn(rows, CAREFUL_ROWS)
    return _ReadRows(encoder, chosen, encoder.encode([row.text for row in chosen]))


def _careful(read: _ReadRows, labels: tuple[str, ...], step: Callable[[], object]) -> Careful:
    dense = fit_softmax(
        read.vectors,
        _classes(read.rows, labels),
        row_weights(read.rows),
        count=len(labels) + 1,
        penalty=_CAREFUL_PENALTY,
        iterations=CAREFUL_ITERATIONS,
        step=step,
    )
    known = _prototypes(read.rows, read.vectors, labels)
    return Careful(read.encoder.name, rounded(dense), weight=1.0, temperature=1.0, prototypes=known)


def _classes(rows: Sequence[Row], labels: tuple[str, ...]) -> NDArray[np.int64]:
    """Return the column of each row's label; "belongs nowhere" is the last."""
    return np.array([len(labels) if row.label is None else labels.index(row.label) for row in rows])
