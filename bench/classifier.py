"""Measures the classifier on the routing benchmark: the shipped head on test, and refits without each source of train.

    python bench/classifier.py --data ../shared/data            everything (refits some twenty times: minutes)
    python bench/classifier.py --data ../shared/data --quick    the shipped head alone

In-source accuracy is no evidence, so the leave-one-source-out figures stand beside it. Prints a table; ``--json FILE``
keeps the figures.
"""

# ruff: noqa: E402 - the number of threads must be set before numpy is imported

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"):
    os.environ.setdefault(variable, "1")  # one core, as the latency figures say

import numpy as np

from moslm.config import Config
from moslm.domains import load_domains
from moslm.escalation.novelty import p_value
from moslm.escalation.wishes import explicit_wish
from moslm.models.classifiers import artefact
from moslm.models.classifiers.adapting import adapted
from moslm.models.classifiers.encoder import EncoderClassifier
from moslm.models.classifiers.fitting import EXAMPLES, Row, fit_head
from moslm.models.classifiers.head import Head
from moslm.models.classifiers.judging import auroc, calibration_error
from moslm.models.encoders import load_encoder
from moslm.state import Turn

COVERAGES = (0.95, 0.9, 0.8, 0.7)
ALPHA = Config().triggers.novelty_alpha
PART = Config().triggers.part


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--split", default="test", choices=("dev", "test"))
    parser.add_argument("--quick", action="store_true", help="the shipped head alone, without refits")
    parser.add_argument("--jobs", type=int, default=1, help="refits side by side")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if not (options.data / "moslm-route").is_dir():
        parser.exit(2, f"no moslm-route in {options.data}: nothing can be measured\n")
    records = _records(options.data / "moslm-route" / f"{options.split}.jsonl")
    head = artefact.read(artefact.SHIPPED)
    figures: dict[str, Any] = {"head": head.version, "split": options.split}
    figures |= of_classifier(EncoderClassifier(head), head, records)
    figures["wishes"] = of_wishes(records)
    figures["few_shot"] = of_few_shot(head, options.data)
    if not options.quick:
        figures["left_out"] = of_left_out_sources(options.data, options.jobs)
    print(json.dumps(figures, indent=2))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def of_classifier(classifier: EncoderClassifier, head: Head, records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Rank every record as the graph would: one request, no earlier turns."""
    classifier.rank([Turn("user", "warm up")])
    rankings, times = [], []
    for record in records:
        started = time.perf_counter()
        rankings.append(classifier.rank([Turn("user", record["text"])]))
        times.append((time.perf_counter() - started) * 1000)
    single = np.array([not record["constructed"] and not record["novel"] for record in records])
    truth = np.array([record["domain"] or "" for record in records])
    tops = np.array([max(ranking.probabilities, key=ranking.probabilities.__getitem__) for ranking in rankings])
    confidence = np.array([max(ranking.probabilities.values()) for ranking in rankings])
    right = (tops == truth)[single]
    return {
        "accuracy": float(right.mean()),
        "calibration_error": calibration_error(confidence[single], right),
        "accuracy_at_coverage": _at_coverages(confidence[single], right),
        "novelty": _novelty(head, records, np.array([ranking.strangeness for ranking in rankings]), single),
        "several_domains": _several(records, rankings, single),
        "ms": {"p50": float(np.percentile(times, 50)), "p95": float(np.percentile(times, 95)), "max": max(times)},
    }


def _novelty(head: Head, records: Sequence[dict[str, Any]], strange: np.ndarray, single: np.ndarray) -> dict[str, Any]:
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


def _several(records: Sequence[dict[str, Any]], rankings: Sequence[Any], single: np.ndarray) -> dict[str, Any]:
    """Score "several domains" by the second surest domain, each taken at the part that is surest of it."""
    second = np.array([_second(ranking.parts) for ranking in rankings])
    multi = np.array([record["multi_domain"] for record in records])
    same = np.array([record["constructed"] == "pair_same_domain" for record in records])
    return {
        "auroc_against_single": auroc(second[multi], second[single]),
        "auroc_against_same_domain_pairs": auroc(second[multi], second[same]),
        f"found_at_{PART}": float((second[multi] >= PART).mean()),
        f"false_at_{PART}": float((second[single] >= PART).mean()),
    }


def _second(parts: Sequence[Any]) -> float:
    if not parts:
        return 0.0
    best = [max(part.probabilities[label] for part in parts) for label in parts[0].probabilities]
    return sorted(best)[-2]


def of_wishes(records: Sequence[dict[str, Any]]) -> dict[str, float]:
    """F1 of the explicit wish, against near misses alone and against every row."""
    heard = np.array([explicit_wish(record["text"]) is not None for record in records])
    wished = np.array([record["explicit_escalation"] for record in records])
    near = wished | np.array([record["constructed"] == "near_miss_phrase" for record in records])
    return {"f1_against_near_misses": _f1(heard[near], wished[near]), "f1_against_all": _f1(heard, wished)}


def of_few_shot(head: Head, data: Path) -> dict[str, float]:
    """Add human_resources from 20 rows of the probe; the rest must be found, and the old domains must not suffer."""
    rows = [record["text"] for record in _records(data / "probes" / "hr_tickets_near_ood.jsonl")]
    started = time.perf_counter()
    grown = adapted(head, artefact.read_bank(artefact.SHIPPED), head.labels, {"human_resources": rows[:20]})
    seconds = time.perf_counter() - started
    dev = [r for r in _records(data / "moslm-route" / "dev.jsonl") if not r["constructed"] and not r["novel"]]
    return {
        "recall_of_the_rest": float(np.mean(np.array(_tops(grown, rows[20:])) == "human_resources")),
        "dev_accuracy_before": _accuracy(head, dev),
        "dev_accuracy_after": _accuracy(grown, dev),
        "seconds": seconds,
    }


def of_left_out_sources(data: Path, jobs: int) -> dict[str, Any]:
    """Refit without each (domain, source) of train and score what was left out."""
    rows = _training_rows(data)
    pairs = sorted({(row.label, row.source) for row in rows if row.label and row.source != EXAMPLES})
    with ProcessPoolExecutor(jobs) as pool:
        found = list(pool.map(_without, [str(data)] * len(pairs), pairs))
    recalls = {f"{label}/{source}": result["recall"] for (label, source), result in zip(pairs, found, strict=True)}
    strange = np.concatenate([result["strange"] for result in found])
    novel = np.concatenate([result["novel"] for result in found])
    right = np.concatenate([result["right"] for result in found])
    confidence = np.concatenate([result["confidence"] for result in found])
    return {
        "mean_recall": float(np.mean(list(recalls.values()))),
        "worst": min(recalls.items(), key=lambda item: item[1]),
        "recall": dict(sorted(recalls.items(), key=lambda item: item[1])),
        "accuracy_at_coverage": _at_coverages(confidence, right),
        "calibration_error": calibration_error(confidence, right),
        "novelty_auroc": auroc(novel, strange),
    }


def _without(data: str, pair: tuple[str, str]) -> dict[str, Any]:
    rows = _training_rows(Path(data))
    out = [row for row in rows if (row.label, row.source) == pair]
    kept = [row for row in rows if (row.label, row.source) != pair]
    shipped = artefact.read(artefact.SHIPPED)
    head = fit_head(kept, [], shipped.fitted_labels, load_encoder(shipped.encoder_name))
    head = replace(head, temperature=shipped.temperature)
    scores = head.scores([row.text for row in out])
    dev = [record["text"] for record in _records(Path(data) / "moslm-route" / "dev.jsonl") if record["novel"]]
    right = scores[:, :-1].argmax(axis=1) == head.labels.index(pair[0])
    return {
        "recall": float(right.mean()),
        "right": right,
        "confidence": head.probabilities(scores).max(axis=1),
        "strange": head.strangeness(scores),
        "novel": head.strangeness(head.scores(dev)),
    }


def _training_rows(data: Path) -> list[Row]:
    own = [
        Row(text, name, EXAMPLES, "Apache-2.0")
        for name, domain in load_domains(Config()).items()
        for text in domain.examples
    ]
    given = [record for record in _records(data / "moslm-route" / "train.jsonl") if not record["constructed"]]
    return own + [Row(r["text"], None if r["novel"] else r["domain"], r["source"], r["license"] or "") for r in given]


def _accuracy(head: Head, records: Sequence[dict[str, Any]]) -> float:
    return float(np.mean(np.array(_tops(head, [r["text"] for r in records])) == [r["domain"] for r in records]))


def _tops(head: Head, texts: Sequence[str]) -> list[str]:
    return [head.labels[column] for column in head.scores(texts)[:, :-1].argmax(axis=1)]


def _at_coverages(confidence: np.ndarray, right: np.ndarray) -> dict[str, float]:
    order = np.argsort(-confidence)
    return {f"{share:.0%}": float(right[order[: int(share * len(order))]].mean()) for share in (1.0, *COVERAGES)}


def _f1(said: np.ndarray, true: np.ndarray) -> float:
    return float(2 * (said & true).sum() / max(said.sum() + true.sum(), 1))


def _records(file: Path) -> list[dict[str, Any]]:
    with file.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


if __name__ == "__main__":
    main()
