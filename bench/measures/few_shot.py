"""A domain added from twenty rows, without fitting anything anew."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from measures.rows import Record, natural, records, split
from moslm.models.classifiers import artefact
from moslm.models.classifiers.adapting import adapted
from moslm.models.classifiers.head import Head


def of_few_shot(head: Head, data: Path) -> dict[str, float]:
    """Add human_resources from 20 rows of the probe; the rest must be found, and the old domains must not suffer."""
    rows = [record["text"] for record in records(data / "probes" / "hr_tickets_near_ood.jsonl")]
    started = time.perf_counter()
    grown = adapted(head, artefact.read_bank(artefact.SHIPPED), head.labels, {"human_resources": rows[:20]})
    seconds = time.perf_counter() - started
    dev = natural(split(data, "dev"))
    return {
        "recall_of_the_rest": float(np.mean(np.array(_tops(grown, rows[20:])) == "human_resources")),
        "dev_accuracy_before": _accuracy(head, dev),
        "dev_accuracy_after": _accuracy(grown, dev),
        "seconds": seconds,
    }


def _accuracy(head: Head, rows: Sequence[Record]) -> float:
    return float(np.mean(np.array(_tops(head, [r["text"] for r in rows])) == [r["domain"] for r in rows]))


def _tops(head: Head, texts: Sequence[str]) -> list[str]:
    return [head.labels[column] for column in head.scores(texts)[:, :-1].argmax(axis=1)]
