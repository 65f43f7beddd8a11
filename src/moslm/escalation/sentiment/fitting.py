"""Fits the scorer of moods on labelled lines and ordinary requests: ``python -m moslm.escalation.sentiment.fitting``.

    python -m moslm.escalation.sentiment.fitting --moods corpus/moods.jsonl --requests FILE --unseen FILE --out FOLDER

A line of the moods is ``{"text", "mood"}``. Half of the ordinary requests count as calm in the fit; the other half
fixes where 0.5 lies: the share ``--alarms`` of them is taken for either mood. The unseen lines measure and nothing
else; what they say goes into the card.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from moslm.escalation.sentiment import MOODS, pieces
from moslm.escalation.sentiment.scoring import ENCODER, LEXICAL_SHARE, SHIPPED, Scorer
from moslm.models.classifiers.regression import fit_softmax
from moslm.models.encoders import load_encoder
from moslm.models.encoders.ngrams import SCHEME, hashed_ngrams

LABELS = ("calm", *MOODS)
_ORDINARY_WEIGHT = 0.1
_LEXICAL_PENALTY, _DENSE_PENALTY, _STEPS = 1e-5, 1e-3, 200
_SCALE = np.float32(3.0)
"""Brings the numbers of a sentence vector to a size that suits the penalty."""
_MOST_ORDINARY = 2000
_RESAMPLED = 2000


def main() -> None:
    """Fit, measure and write ``scorer.npz`` and ``card.json``."""
    parser = argparse.ArgumentParser(description="Fit the scorer of moods.")
    parser.add_argument("--moods", type=Path, required=True)
    parser.add_argument("--requests", type=Path, required=True, help="JSONL file of ordinary requests")
    parser.add_argument("--unseen", type=Path, required=True, help="lines to measure on")
    parser.add_argument("--alarms", type=float, default=0.03, help="share of ordinary requests that may count")
    parser.add_argument("--out", type=Path, default=SHIPPED)
    options = parser.parse_args()
    ordinary = sorted((row["text"] for row in read_rows(options.requests)), key=_digest)[:_MOST_ORDINARY]
    rows, files = read_rows(options.moods), (options.moods, options.requests)
    scorer = _rounded(fit(rows, ordinary[::2], ordinary[1::2], options.alarms))
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        lexical=scorer.lexical.astype(np.float16),
        dense=scorer.dense.astype(np.float16),
        bias=scorer.bias,
    )
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "scorer.npz").write_bytes(buffer.getvalue())
    card = {
        "features": SCHEME,
        "encoder": ENCODER,
        "sha256": hashlib.sha256(buffer.getvalue()).hexdigest(),
        "data": {each.name: hashlib.sha256(each.read_bytes()).hexdigest() for each in files},
        "lines": len(rows),
        "alarms": {"allowed": options.alarms, "of_ordinary_requests": len(ordinary[1::2])},
        "unseen": measured(scorer, read_rows(options.unseen)),
        "licence": "Apache-2.0; every line was written for MoSLM",
    }
    (options.out / "card.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(card["unseen"], indent=2))


def fit(rows: Sequence[dict[str, Any]], calm: Sequence[str], held_out: Sequence[str], alarms: float) -> Scorer:
    """Fit the weights, and put 0.5 where so many of the held-out ordinary requests would count."""
    texts = [*(row["text"] for row in rows), *calm]
    truth = np.array([*(LABELS.index(row["mood"]) for row in rows), *(0 for _ in calm)], np.int64)
    weights = np.where(np.arange(len(texts)) < len(rows), 1.0, _ORDINARY_WEIGHT).astype(np.float32)
    options: dict[str, Any] = {"count": len(LABELS), "iterations": _STEPS}
    words = fit_softmax(hashed_ngrams(texts), truth, weights, penalty=_LEXICAL_PENALTY, **options)
    vectors = load_encoder(ENCODER).encode(texts) * _SCALE
    dense = fit_softmax(vectors, truth, weights, penalty=_DENSE_PENALTY, **options)
    against_calm = [each[..., 1:] - each[..., :1] for each in (words.weights, words.bias, dense.weights, dense.bias)]
    bias = LEXICAL_SHARE * against_calm[1] + against_calm[3]
    scorer = Scorer(against_calm[0], against_calm[2] * _SCALE, bias)
    own = np.array([scorer.log_odds(pieces(text)) for text in held_out])
    return replace(scorer, bias=(bias - np.quantile(own, 1 - alarms, axis=0)).astype(np.float32))


def measured(scorer: Scorer, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return precision, recall and F1 at 0.5, of each mood and of either, with n and a 95 % interval by resampling."""
    taken = np.array([scorer.probabilities(pieces(row["text"])) for row in rows]) >= 0.5
    truth = np.array([[row["mood"] == mood for mood in MOODS] for row in rows])
    found = {mood: _of_one(taken[:, i], truth[:, i]) for i, mood in enumerate(MOODS)}
    return {"lines": len(rows), **found, "either": _of_one(taken.max(axis=1), truth.max(axis=1))}


def _of_one(taken: NDArray[np.bool_], truth: NDArray[np.bool_]) -> dict[str, Any]:
    chosen = np.random.default_rng(0).integers(0, len(truth), (_RESAMPLED, len(truth)))
    low, high = np.quantile([_f1(taken[each], truth[each]) for each in chosen], [0.025, 0.975])
    both = int((taken & truth).sum())
    return {
        "n": int(truth.sum()),
        "precision": round(both / max(int(taken.sum()), 1), 3),
        "recall": round(both / max(int(truth.sum()), 1), 3),
        "f1": round(_f1(taken, truth), 3),
        "f1_95": [round(float(low), 3), round(float(high), 3)],
    }


def _f1(taken: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    return float(2 * (taken & truth).sum() / max(int(taken.sum() + truth.sum()), 1))


def _rounded(scorer: Scorer) -> Scorer:
    """Round to the precision of the file, so that what is measured is what is shipped."""
    lexical, dense = (each.astype(np.float16).astype(np.float32) for each in (scorer.lexical, scorer.dense))
    return Scorer(lexical, dense, scorer.bias)


def read_rows(file: Path) -> list[dict[str, Any]]:
    """Return the objects of a JSONL file."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


def _digest(text: str) -> int:
    return int(hashlib.sha256(text.encode()).hexdigest(), 16)


if __name__ == "__main__":
    main()
