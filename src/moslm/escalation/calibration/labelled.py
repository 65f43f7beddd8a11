"""Answers somebody judged: what a calibration is fitted on, and how groups of them are dealt into folds."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moslm.escalation.calibration.artefact import Counts, FittedOn

FOLDS = 5


@dataclass(frozen=True, slots=True)
class LabelledAnswer:
    """An answer somebody judged.

    Attributes:
        domain: The domain that answered.
        group: Answers that share one (a template, a conversation, a document) are never split between fitting and
            judging; give each answer its own where nothing is shared.
        signals: What was measured, by name; None where it could not be.
        right: The judgement.
    """

    domain: str
    group: str
    signals: Mapping[str, float | None]
    right: bool


def folds_of(groups: Sequence[str], count: int = FOLDS) -> NDArray[np.int64]:
    """Deal groups into folds of about equal size, the same way every time; return each row's fold."""
    sizes = Counter(groups)
    order = sorted(sizes, key=lambda group: (-sizes[group], hashlib.sha256(group.encode("utf-8", "replace")).digest()))
    load, fold = [0] * count, {}
    for group in order:
        least = load.index(min(load))
        fold[group] = least
        load[least] += sizes[group]
    return np.array([fold[group] for group in groups], dtype=np.int64)


def fitted_on(rows: Sequence[LabelledAnswer]) -> FittedOn:
    """Return the hash and the counts of labelled answers, independent of their order."""
    lines = sorted(
        json.dumps([row.domain, row.group, sorted((k, v) for k, v in row.signals.items()), row.right]) for row in rows
    )
    counts = {
        domain: Counts(
            sum(row.right for row in rows if row.domain == domain),
            sum(not row.right for row in rows if row.domain == domain),
        )
        for domain in sorted({row.domain for row in rows})
    }
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    return FittedOn(digest, len({row.group for row in rows}), counts)
