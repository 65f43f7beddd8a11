"""Fits a finished head to a user's set of domains: adds labels from a few examples, drops labels that are not there.

The finished columns stay as they are, so the domains that were there lose next to nothing. An added label gets one
column, fitted in seconds against the bank of the head. What was fitted is kept in ``heads/`` under `moslm.config.home`.
Knows domains by name and examples only.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moslm.config import home
from moslm.errors import ConfigError
from moslm.models.classifiers import DescribedDomain, artefact
from moslm.models.classifiers.artefact import Bank
from moslm.models.classifiers.head import AddedLabel, Head, Reading, nearness_features
from moslm.models.classifiers.regression import Array, Linear, fit_softmax

_PENALTY, _ITERATIONS, _FOLDS = 1e-4, 300, 5
_FOUND = 0.8
"""Share of a label's examples that a fit without them should find; every further one costs the other labels more."""
_log = logging.getLogger(__name__)


def head_for(domains: Sequence[DescribedDomain], *, folder: Path | None = None) -> Head:
    """Return the head of a folder, fitted to these domains.

    Args:
        domains: All domains to tell apart.
        folder: Folder of a fitted head; the shipped one when None.

    Raises:
        ConfigError: The head cannot be read, or a domain that it does not know has no examples.
    """
    folder = folder or artefact.SHIPPED
    head = artefact.read(folder)
    names = [domain.name for domain in domains]
    if set(names) == set(head.labels):
        return head
    new = {domain.name: domain.examples for domain in domains if domain.name not in head.labels}
    for name, examples in new.items():
        if not any(text.strip() for text in examples):
            raise ConfigError(
                "the classifier does not know this domain and it has no examples",
                key=f"domains.{name}",
                mend="write 20 requests or more into its examples.jsonl",
            )
    kept = tuple(name for name in head.labels if name in names)
    return _cached(folder, head, kept, new)


def adapted(head: Head, bank: Bank | None, kept: tuple[str, ...], new: Mapping[str, Sequence[str]]) -> Head:
    """Return the head with only the ``kept`` labels of its own and with the ``new`` ones beside them.

    Args:
        head: A finished head.
        bank: What it was fitted on; needed for new labels.
        kept: Labels that stay; requests of the others belong nowhere from now on.
        new: Examples of each new label.

    Raises:
        ConfigError: New labels but no bank to fit them against.
    """
    if not new:
        return replace(head, labels=kept)
    if bank is None:
        raise ConfigError("the fitted head carries no bank to fit new domains against", mend="run: moslm fit")
    first = {name: head.first_reading(texts) for name, texts in new.items()}
    quick = {name: _crossed(name, first, bank.vectors, bank.labels) for name in new}
    grown = replace(head, labels=(*kept, *new), added=(*head.added, *(each.label for each in quick.values())))
    second: dict[str, Reading] = {}
    slow: dict[str, _Crossed] = {}
    if head.careful is not None and bank.careful is not None:
        second = {name: head.second_reading(texts, first[name].fitted) for name, texts in new.items()}
        slow = {name: _crossed(name, second, bank.careful, bank.labels) for name in new}
        more = (*head.careful.added, *(each.label for each in slow.values()))
        grown = replace(grown, careful=replace(head.careful, added=more))
    strange = [_held_out_strangeness(grown, name, first, second, quick, slow) for name in new]
    grown = _beside(grown, first, second, {name: np.arange(len(first[name].vectors)) for name in new})
    return replace(grown, calibration=np.sort(np.concatenate([head.calibration, *strange])))


def _beside(
    head: Head, first: Mapping[str, Reading], second: Mapping[str, Reading], rows: Mapping[str, NDArray[np.int64]]
) -> Head:
    """Return the head to which these rows of the new labels' examples are familiar."""
    for name, chosen in rows.items():
        if head.prototypes is not None:
            head = replace(head, prototypes=head.prototypes.with_examples(first[name].vectors[chosen]))
        if head.careful is not None and head.careful.prototypes is not None and name in second:
            seen = head.careful.prototypes.with_examples(second[name].vectors[chosen])
            head = replace(head, careful=replace(head.careful, prototypes=seen))
    return head


@dataclass(frozen=True, slots=True)
class _Crossed:
    """A label fitted on all its examples, and on all but those of each fold in turn; no folds where there are few."""

    label: AddedLabel
    folds: tuple[AddedLabel, ...]


def _crossed(name: str, readings: Mapping[str, Reading], bank: Array, labels: int) -> _Crossed:
    """Fit a label and set its bias so that most examples would be found by a fit that had not seen them.

    Few examples among thousands of others make a timid regression; how timid shows on examples it is fitted without.
    """
    rows = np.arange(len(readings[name].vectors))
    label = _added(name, readings, bank, labels, rows)
    if len(rows) < 2 * _FOLDS:
        return _Crossed(label, ())
    folds = [_added(name, readings, bank, labels, rows[rows % _FOLDS != fold]) for fold in range(_FOLDS)]
    unseen = [each.odds(readings[name].vectors[rows % _FOLDS == fold]) for fold, each in enumerate(folds)]
    shift = max(0.0, -float(np.quantile(np.concatenate(unseen), 1 - _FOUND)))
    return _Crossed(_shifted(label, shift), tuple(_shifted(each, shift) for each in folds))


def _shifted(label: AddedLabel, shift: float) -> AddedLabel:
    return replace(label, weights=Linear(label.weights.weights, label.weights.bias + np.float32(shift)))


def _added(name: str, readings: Mapping[str, Reading], bank: Array, labels: int, rows: NDArray[np.int64]) -> AddedLabel:
    """Fit one label from these rows of its examples, against the bank and the other new labels."""
    examples = readings[name].vectors[rows]
    everything = np.vstack([examples, bank, *(readings[other].vectors for other in readings if other != name)])
    own = np.concatenate([np.arange(len(rows)), np.full(len(everything) - len(rows), -1)])
    is_new = (own >= 0).astype(np.int64)
    against = labels / (len(everything) - len(rows))
    linear = fit_softmax(
        nearness_features(everything, examples, own=own),
        is_new,
        np.where(is_new, 1 / len(rows), against).astype(np.float32),
        count=1,
        penalty=_PENALTY,
        iterations=_ITERATIONS,
        offset=np.zeros((len(everything), 1), np.float32),
    )
    return AddedLabel(name, examples, linear)


def _held_out_strangeness(
    head: Head,
    name: str,
    first: Mapping[str, Reading],
    second: Mapping[str, Reading],
    quick: Mapping[str, _Crossed],
    slow: Mapping[str, _Crossed],
) -> Array:
    """Return the strangeness of each example when the label was fitted without it."""
    rows, found = np.arange(len(first[name].vectors)), [np.zeros(0, np.float32)]
    for fold, added in enumerate(quick[name].folds):
        inside, outside = rows[rows % _FOLDS != fold], rows[rows % _FOLDS == fold]
        without = replace(head, added=_with(head.added, added))
        if head.careful is not None and slow:
            more = _with(head.careful.added, slow[name].folds[fold])
            without = replace(without, careful=replace(head.careful, added=more))
        without = _beside(without, first, second, {name: inside})
        before = first[name].of(outside)
        scores = without.first_scores(before)
        if slow:
            open_rows = np.flatnonzero(without.doubts(scores, before))
            scores[open_rows] = without.second_scores(second[name].of(outside[open_rows]), before.of(open_rows))
        found.append(head.strangeness(scores))
    return np.concatenate(found)


def _with(labels: Sequence[AddedLabel], changed: AddedLabel) -> tuple[AddedLabel, ...]:
    return tuple(changed if label.name == changed.name else label for label in labels)


def _cached(folder: Path, head: Head, kept: tuple[str, ...], new: Mapping[str, Sequence[str]]) -> Head:
    told = json.dumps([head.version, kept, {name: list(texts) for name, texts in new.items()}], sort_keys=True)
    place = home() / "heads" / hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()[:24]
    if (place / "card.json").exists():
        try:
            return artefact.read(place)
        except ConfigError as error:
            _log.warning("a kept head is fitted anew: %s", error)
    found = adapted(head, artefact.read_bank(folder) if new else None, kept, new)
    try:
        return artefact.write(place, found, None, {"adapted_from": head.version})
    except ConfigError as error:
        # a home that cannot be written costs some seconds at every start, nothing else
        _log.warning("the fitted head is not kept: %s", error)
        return replace(found, version=place.name[:12])
