"""The shipped head on held-out rows of the sources it knows: domain, novelty, several domains, wish, time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from measures.rows import Record
from measures.scores import at_coverages, f1
from moslm.config import Config
from moslm.escalation.novelty import p_value
from moslm.escalation.wishes import explicit_wish
from moslm.models.classifiers import Ranking
from moslm.models.classifiers.encoder import EncoderClassifier
from moslm.models.classifiers.head import Head
from moslm.models.classifiers.judging import auroc, calibration_error
from moslm.turn import Turn

ALPHA = Config().triggers.novelty_alpha
SEVERAL_ALPHA = Config().triggers.several_alpha


def of_classifier(head: Head, records: Sequence[Record]) -> dict[str, Any]:
    """Rank every record as the graph would: one request, no earlier turns."""
    rankings, times = _timed(EncoderClassifier(head), records)
    single = np.array([not record["constructed"] and not record["novel"] for record in records])
    truth = np.array([record["domain"] or "" for record in records])
    tops = np.array([max(ranking.probabilities, key=ranking.probabilities.__getitem__) for ranking in rankings])
    confidence = np.array([max(ranking.probabilities.values()) for ranking in rankings])
    right = (tops == truth)[single]
    return {
        "accuracy": float(right.mean()),
        "calibration_error": calibration_error(confidence[single], right),
        "accuracy_at_coverage": at_coverages(confidence[single], right),
        "novelty": _novelty(head, records, np.array([ranking.strangeness for ranking in rankings]), single),
        "several_domains": _several(head, records, rankings, single),
        "ms": {"p50": float(np.percentile(times, 50)), "p95": float(np.percentile(times, 95)), "max": max(times)},
    }


def _timed(classifier: EncoderClassifier, records: Sequence[Record]) -> tuple[list[Ranking], list[float]]:
    classifier.rank([Turn("user", "warm up")])
    rankings, times = [], []
    for record in records:
        started = time.perf_counter()
        rankings.append(classifier.rank([Turn("user", record["text"])]))
        times.append((time.perf_counter() - started) * 1000)
    return rankings, times


def _novelty(head: Head, records: Sequence[Record], strange: np.ndarray, single: np.ndarray) -> dict[str, Any]:
    calibration = head.calibration.tolist()
    flagged = np.array([p_value(float(value), calibration) < ALPHA for value in strange])
    kinds = {record["novel_kind"] for record in records if record["novel"]}
    by_kind = {kind: np.array([record["novel_kind"] == kind for record in records]) for kind in sorted(kinds)}
    novel = np.array([record["novel"] for record in records])
    return {
        "auroc": auroc(strange[novel], strange[single]),
        "auroc_by_kind": {kind: auroc(strange[chosen], strange[single]) for kind, chosen in by_kind.items()},
        f"flagged_at_{ALPHA}": {
            "familiar": float(flagged[single].mean()),
            **{kind: float(flagged[chosen].mean()) for kind, chosen in by_kind.items()},
        },
    }


def _several(
    head: Head, records: Sequence[Record], rankings: Sequence[Ranking], single: np.ndarray
) -> dict[str, float]:
    """Score "several domains" by the classifier's log-odds."""
    second = np.array([ranking.several or 0.0 for ranking in rankings])
    multi = np.array([record["multi_domain"] for record in records])
    same = np.array([record["constructed"] == "pair_same_domain" for record in records])
    yardstick = head.single.tolist()
    flagged = np.array([p_value(value, yardstick) <= SEVERAL_ALPHA for value in second])
    return {
        "auroc_against_single": auroc(second[multi], second[single]),
        "auroc_against_same_domain_pairs": auroc(second[multi], second[same]),
        f"found_at_{SEVERAL_ALPHA}": float(flagged[multi].mean()),
        f"false_at_{SEVERAL_ALPHA}": float(flagged[single].mean()),
    }


def of_wishes(records: Sequence[Record]) -> dict[str, float]:
    """F1 of the explicit wish, against near misses alone and against every row."""
    heard = np.array([explicit_wish(record["text"]) is not None for record in records])
    wished = np.array([record["explicit_escalation"] for record in records])
    near = wished | np.array([record["constructed"] == "near_miss_phrase" for record in records])
    return {"f1_against_near_misses": f1(heard[near], wished[near]), "f1_against_all": f1(heard, wished)}
