"""Fits the scorer of wishes on labelled lines and plain requests: ``python -m moslm.escalation.wishes.fitting``.

    python -m moslm.escalation.wishes.fitting --wishes corpus/wishes.jsonl --requests corpus/requests --out FOLDER

A line of the wishes is ``{"text", "wish", "phrase", "kind"}``: of a text with a wish, the sentences that overlap the
phrase are wishes and the others are not. ``--without-third`` leaves out every third line by hash, to measure on them.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from moslm.escalation.wishes.clauses import sentences
from moslm.escalation.wishes.scoring import SHIPPED
from moslm.escalation.wishes.spelling import plain
from moslm.models.classifiers.regression import fit_softmax
from moslm.models.encoders.ngrams import SCHEME, hashed_ngrams

_PLAIN_WEIGHT = 0.15
_PENALTY, _STEPS = 1e-5, 100
_THRESHOLD = 1.5
_MOST_REQUESTS = 3000


def main() -> None:
    """Fit and write ``scorer.npz`` and ``card.json``."""
    parser = argparse.ArgumentParser(description="Fit the scorer of wishes.")
    parser.add_argument("--wishes", type=Path, required=True, nargs="+")
    parser.add_argument("--requests", type=Path, required=True, help="folder of JSONL files of plain requests")
    parser.add_argument("--out", type=Path, default=SHIPPED)
    parser.add_argument("--threshold", type=float, default=_THRESHOLD, help="log-odds from which a sentence is a wish")
    parser.add_argument("--without-third", action="store_true")
    options = parser.parse_args()
    rows = [row for file in options.wishes for row in _rows(file)]
    if options.without_third:
        rows = [row for row in rows if not in_held_out_third(row["text"])]
    requests = [row["text"] for file in sorted(options.requests.glob("*.jsonl")) for row in _rows(file)]
    requests = sorted(requests, key=_digest)[:_MOST_REQUESTS]
    weights, bias = fit(rows, requests)
    options.out.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, weights=weights.astype(np.float16), bias=np.float32(bias))
    (options.out / "scorer.npz").write_bytes(buffer.getvalue())
    card = {
        "features": SCHEME,
        "threshold": options.threshold,
        "sha256": hashlib.sha256(buffer.getvalue()).hexdigest(),
        "data": {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in options.wishes},
        "lines": len(rows),
        "plain_requests": len(requests),
        "licence": "Apache-2.0; every line was written for MoSLM",
    }
    (options.out / "card.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


def fit(rows: Sequence[dict[str, Any]], requests: Sequence[str]) -> tuple[np.ndarray, float]:
    """Return the weight of each bucket and the bias, in log-odds of being a wish."""
    labelled = [pair for row in rows for pair in labelled_sentences(row)]
    others = [(plain(text[:400]), 0) for text in requests]
    texts = [text for text, _ in labelled + others]
    truth = np.array([wish for _, wish in labelled + others], np.int64)
    weights = np.array([1.0] * len(labelled) + [_PLAIN_WEIGHT] * len(others), np.float32)
    fitted = fit_softmax(hashed_ngrams(texts), truth, weights, count=2, penalty=_PENALTY, iterations=_STEPS)
    return fitted.weights[:, 1] - fitted.weights[:, 0], float(fitted.bias[1] - fitted.bias[0])


def in_held_out_third(text: str) -> bool:
    """Tell whether a line belongs to the third that is kept for measuring."""
    return _digest(text) % 3 == 0


def labelled_sentences(row: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """Yield the plain sentences of a line, each with 1 where it overlaps the phrase that wishes and 0 elsewhere."""
    phrase = (row.get("phrase") or "").strip() if row["wish"] else ""
    for original, blanked in sentences(row["text"]):
        overlaps = bool(phrase) and (phrase in original or original in phrase)
        yield plain(blanked), int(overlaps)
        if overlaps and phrase != original:
            yield plain(phrase), 1


def _digest(text: str) -> int:
    return int(hashlib.sha256(text.encode()).hexdigest(), 16)


def _rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


if __name__ == "__main__":
    main()
