"""Fits the scorer of wishes on labelled lines and plain requests: ``python -m moslm.escalation.wishes.fitting``.

    python -m moslm.escalation.wishes.fitting --wishes corpus/wishes.jsonl --requests corpus/requests --out FOLDER

A line of the wishes is ``{"text", "wish", "phrase", "kind"}``: of a text with a wish, the sentences that overlap the
phrase are wishes and the others are not. Measured on lines of another writer: ``tests/escalation/wishes``.
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

from moslm.escalation.wishes import findings
from moslm.escalation.wishes.clauses import sentences
from moslm.escalation.wishes.scoring import ENCODER, SHIPPED, Scorer
from moslm.escalation.wishes.spelling import plain
from moslm.escalation.wishes.strong import HINT
from moslm.models.classifiers.regression import fit_softmax
from moslm.models.encoders import load_encoder
from moslm.models.encoders.ngrams import SCHEME, hashed_ngrams

_PLAIN_WEIGHT = 0.15
_LEXICAL_PENALTY, _DENSE_PENALTY, _STEPS = 1e-5, 1e-4, 200
_MOST_REQUESTS = 3000
_MISSED = 0.01
"""Share of the wishes' own sentences that may be too unlike one to be worth asking the encoder about."""
_ROOM = 0.5
_THRESHOLD = 2.0
_SCALE = np.float32(3.0)
"""Brings the numbers of a sentence vector to a size that suits the penalty."""


def main() -> None:
    """Fit and write ``scorer.npz`` and ``card.json``."""
    parser = argparse.ArgumentParser(description="Fit the scorer of wishes.")
    parser.add_argument("--wishes", type=Path, required=True, nargs="+")
    parser.add_argument("--requests", type=Path, required=True, help="folder of JSONL files of plain requests")
    parser.add_argument("--out", type=Path, default=SHIPPED)
    parser.add_argument("--threshold", type=float, default=_THRESHOLD, help="log-odds from which a sentence is a wish")
    options = parser.parse_args()
    rows = [row for file in options.wishes for row in _rows(file)]
    requests = [row["text"] for file in sorted(options.requests.glob("*.jsonl")) for row in _rows(file)]
    requests = sorted(requests, key=_digest)[:_MOST_REQUESTS]
    scorer = fit(rows, requests, options.threshold)
    options.out.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        lexical=scorer.lexical.astype(np.float16),
        lexical_bias=np.float32(scorer.lexical_bias),
        dense=scorer.dense.astype(np.float16),
        bias=np.float32(scorer.bias),
    )
    (options.out / "scorer.npz").write_bytes(buffer.getvalue())
    card = {
        "features": SCHEME,
        "encoder": ENCODER,
        "worth_asking": scorer.worth_asking,
        "threshold": scorer.threshold,
        "sha256": hashlib.sha256(buffer.getvalue()).hexdigest(),
        "data": {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in options.wishes},
        "lines": len(rows),
        "plain_requests": len(requests),
        "licence": "Apache-2.0; every line was written for MoSLM",
    }
    (options.out / "card.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


def fit(rows: Sequence[dict[str, Any]], requests: Sequence[str], threshold: float = _THRESHOLD) -> Scorer:
    """Fit the n-grams on everything, then the vectors on what neither the grammar nor the n-grams settle."""
    labelled = [pair for row in rows for pair in labelled_sentences(row)]
    ours = len(labelled)
    labelled += [(plain(original), 0) for text in requests for original, _ in sentences(text[:400])]
    truth = np.array([wish for _, wish in labelled], np.int64)
    weights = np.where(np.arange(len(labelled)) < ours, 1.0, _PLAIN_WEIGHT).astype(np.float32)
    grams = hashed_ngrams([text for text, _ in labelled])
    words = fit_softmax(grams, truth, weights, count=2, penalty=_LEXICAL_PENALTY, iterations=_STEPS)
    lexical, lexical_bias = words.weights[:, 1] - words.weights[:, 0], float(words.bias[1] - words.bias[0])
    own = words.scores(grams)
    odds = own[:, 1] - own[:, 0]
    # on its own lines the scorer is surer than on others, hence the room
    worth = min(float(np.quantile(odds[truth == 1], _MISSED)), 0.0) - _ROOM
    settled = np.array([HINT.search(text) is not None and any(findings(text)) for text, _ in labelled])
    asked = (np.arange(len(labelled)) < ours) | (odds > worth) | np.array([bool(HINT.search(t)) for t, _ in labelled])
    left = np.flatnonzero(asked & ~settled)
    vectors = load_encoder(ENCODER).encode([labelled[row][0] for row in left]) * _SCALE
    rest = fit_softmax(vectors, truth[left], weights[left], count=2, penalty=_DENSE_PENALTY, iterations=_STEPS)
    dense = (rest.weights[:, 1] - rest.weights[:, 0]) * _SCALE
    return Scorer(lexical, lexical_bias, dense, float(rest.bias[1] - rest.bias[0]), worth, threshold)


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
