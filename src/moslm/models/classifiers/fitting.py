"""Fits a head from labelled requests: its regressions, its temperatures and the calibration of strangeness.

Owns how rows are weighed: within a label every source counts by the square root of its size, so that no single one
sets the tone, and the domains' own examples and the requests written for MoSLM get a fixed share each. Knows neither
files nor where rows come from.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from moslm.models.classifiers import runner_up
from moslm.models.classifiers.artefact import Bank
from moslm.models.classifiers.encoder import EncoderClassifier
from moslm.models.classifiers.head import Careful, Head, window
from moslm.models.classifiers.regression import Array, Linear, fit_softmax, softmax
from moslm.models.encoders import Encoder
from moslm.models.encoders.ngrams import Sparse, hashed_ngrams, inverse_document_frequency
from moslm.state import Turn

EXAMPLES = "examples"
"""Source name of the domains' own examples."""
WRITTEN = "written"
"""Source name of the requests written for MoSLM (``corpus/``)."""
DENSE_ITERATIONS, LEXICAL_ITERATIONS, CAREFUL_ITERATIONS = 100, 80, 60
CAREFUL_ROWS = 5000
"""Rows the second reading is fitted on at most; its features are few, and each row must be encoded."""
_SHARES = {EXAMPLES: 0.15, WRITTEN: 0.35}
_DENSE_PENALTY, _LEXICAL_PENALTY, _CAREFUL_PENALTY = 1e-5, 3e-6, 1e-5
_FEWEST_STOOD_IN = 30
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


STEPS = 2 * (DENSE_ITERATIONS + LEXICAL_ITERATIONS) + 2 * CAREFUL_ITERATIONS + CAREFUL_ROWS // 50
"""How often `fit_head` reports a step at most."""


def fit_head(
    rows: Sequence[Row],
    held_out: Sequence[Row],
    labels: tuple[str, ...],
    encoder: Encoder,
    careful: Encoder | None = None,
    *,
    step: Callable[[], object] = lambda: None,
) -> Head:
    """Fit a head on ``rows``; make its probabilities and its strangeness honest on ``held_out``.

    Args:
        rows: Fitted on; every label occurs.
        held_out: Never fitted on, drawn like the requests to come. Its familiar rows give the temperatures and, with
            half of the domains' own examples as a head sees them that was fitted without that half, the calibration:
            those examples are the nearest thing to what will be asked here. Empty: nothing is calibrated.
        labels: The labels, in the order of the columns.
        encoder: Turns texts into vectors for the first reading.
        careful: Turns texts into vectors for the second reading; None for a head of one reading.
        step: Called after each iteration.
    """
    seen = _seen(rows, encoder)
    read = _read_carefully(rows, careful, step) if careful is not None else None
    spared = _spared(rows) if held_out else []
    without: Head | None = None
    if spared:
        out = set(spared)
        without = _fitted(seen.without(out), labels, read and read.without(out), None, step)
    # the head that judges the spared rows never saw them; the head that is kept may begin where that one ended
    head = _fitted(seen, labels, read, without, step)
    if not held_out:
        return head
    familiar = [row for row in held_out if row.label is not None]
    if familiar:
        head = _tempered(head, familiar)
    strange = [_strangeness(head, familiar)] if familiar else []
    if without is not None:
        strange.append(_strangeness(_as_tempered(without, head), spared))
    head = replace(head, calibration=np.sort(np.concatenate([*strange, np.zeros(0)])))
    return replace(head, single=_runners_up(head, familiar))


def _runners_up(head: Head, rows: Sequence[Row]) -> NDArray[np.float64]:
    classifier = EncoderClassifier(head)
    return np.sort([runner_up(classifier.rank([Turn("user", row.text)]).parts) for row in rows])


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


def _tempered(head: Head, familiar: Sequence[Row]) -> Head:
    """Return the head with the temperatures that suit held-out rows: each reading's own, over all of them."""
    texts = [row.text for row in familiar]
    classes = np.array([head.fitted_labels.index(row.label) for row in familiar if row.label is not None])
    first = head.first_reading(texts)
    head = replace(head, temperature=best_temperature(first.fitted[:, :-1], classes))
    if head.careful is None:
        return head
    # in log-odds that are honest for each alone, both readings count alike
    own = head.second_reading(texts, np.zeros_like(first.fitted)).fitted[:, :-1]
    weight = head.temperature / best_temperature(own, classes)
    both = first.fitted[:, :-1] + np.float32(weight) * own
    return replace(head, careful=replace(head.careful, weight=weight, temperature=best_temperature(both, classes)))


def _as_tempered(head: Head, model: Head) -> Head:
    """Scale a head's readings as those of another were scaled on held-out rows."""
    careful = None
    if head.careful and model.careful:
        careful = replace(head.careful, weight=model.careful.weight, temperature=model.careful.temperature)
    return replace(head, temperature=model.temperature, careful=careful)


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
    sources = np.array([row.source if row.source in _SHARES else "" for row in rows])
    names = np.array([row.label or "" for row in rows])
    for name in np.unique(names):
        for source, share in {**_SHARES, "": 1 - sum(_SHARES.values())}.items():
            chosen = (names == name) & (sources == source)
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


def _fitted(
    seen: _SeenRows, labels: tuple[str, ...], read: _ReadRows | None, start: Head | None, step: Callable[[], object]
) -> Head:
    classes = _classes(seen.rows, labels)
    weights, count = row_weights(seen.rows), len(labels) + 1
    importance = inverse_document_frequency(seen.ngrams).astype(np.float16).astype(np.float32)
    dense = fit_softmax(
        seen.vectors,
        classes,
        weights,
        count=count,
        penalty=_DENSE_PENALTY,
        iterations=DENSE_ITERATIONS,
        start=start.dense if start else None,
        step=step,
    )
    lexical = fit_softmax(
        seen.ngrams.times(importance),
        classes,
        weights,
        count=count,
        penalty=_LEXICAL_PENALTY,
        iterations=LEXICAL_ITERATIONS,
        start=start.lexical if start else None,
        step=step,
    )
    return Head(
        version="unsaved",
        encoder_name=seen.encoder.name,
        fitted_labels=labels,
        dense=_rounded(dense),
        lexical=_rounded(lexical),
        importance=importance,
        temperature=1.0,
        calibration=np.zeros(0),
        labels=labels,
        careful=_careful(read, labels, step) if read else None,
    )


def _read_carefully(rows: Sequence[Row], encoder: Encoder, step: Callable[[], object]) -> _ReadRows:
    """Encode a draw of the rows: the second reading's features are few and were tuned, so it needs no more."""
    chosen = _drawn(rows, CAREFUL_ROWS)
    vectors = []
    for first in range(0, len(chosen), 50):
        vectors.append(encoder.encode([row.text for row in chosen[first : first + 50]]))
        step()
    return _ReadRows(encoder, chosen, np.concatenate(vectors))


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
    return Careful(read.encoder.name, _rounded(dense), weight=1.0, temperature=1.0)


def _classes(rows: Sequence[Row], labels: tuple[str, ...]) -> NDArray[np.int64]:
    """Return the column of each row's label; "belongs nowhere" is the last."""
    return np.array([len(labels) if row.label is None else labels.index(row.label) for row in rows])


def _drawn(rows: Sequence[Row], most: int) -> list[Row]:
    """Return a fixed draw in which every label and source keeps its share of `row_weights`, small ones first."""
    if len(rows) <= most:
        return list(rows)
    keys = row_weights(rows)
    # weighted draw without replacement, the same for the same rows (Efraimidis and Spirakis, 2006)
    chances = np.random.default_rng(0).random(len(rows)) ** (1 / np.maximum(keys.astype(np.float64), 1e-12))
    return [rows[number] for number in np.sort(np.argsort(-chances, kind="stable")[:most])]


def _rounded(linear: Linear) -> Linear:
    """Round to the precision of the file, so that a head read back scores exactly as it did when it was judged."""
    return Linear(linear.weights.astype(np.float16).astype(np.float32), linear.bias.astype(np.float32))


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
