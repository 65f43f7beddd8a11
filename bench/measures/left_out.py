"""Sources that neither the head nor its encoder has seen: refit without them, then ask them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from measures.encoders import folders_in, registered, unseen_by
from measures.rows import as_row, split, training_rows
from measures.scores import at_coverages
from moslm.models.classifiers import artefact
from moslm.models.classifiers.fitting import fit_head
from moslm.models.classifiers.judging import auroc, calibration_error
from moslm.models.encoders import load_encoder


def of_left_out_sources(data: Path, encoders: Path) -> dict[str, Any]:
    """Refit without the sources each encoder was tuned without, and score what was left out."""
    found = [_without(data, folder) for folder in folders_in(encoders)]
    recalls = {pair: recall for result in found for pair, recall in result["recalls"].items()}
    strange, novel, right, confidence = (
        np.concatenate([result[part] for result in found]) for part in ("strange", "novel", "right", "confidence")
    )
    return {
        "folds": len(found),
        "mean_recall": float(np.mean(list(recalls.values()))),
        "worst": min(recalls.items(), key=lambda item: item[1]),
        "recall": dict(sorted(recalls.items(), key=lambda item: item[1])),
        "accuracy_at_coverage": at_coverages(confidence, right),
        "calibration_error": calibration_error(confidence, right),
        "novelty_auroc": auroc(novel, strange),
    }


def _without(data: Path, folder: Path) -> dict[str, Any]:
    out = unseen_by(folder)
    rows = training_rows(data)
    dev = [record for record in split(data, "dev") if not record["constructed"]]
    novel = [record for record in dev if record["novel"]]
    # half of the novel rows say how much distance should count, as in a fit; the other half is asked
    told = [*novel[::2], *(r for r in dev if not r["novel"] and (r["domain"], r["source"]) not in out)]
    shipped = artefact.read(artefact.SHIPPED)
    labels = shipped.fitted_labels
    head = fit_head(
        [row for row in rows if (row.label, row.source) not in out],
        [as_row(record) for record in told],
        labels,
        load_encoder(shipped.encoder_name),
        registered(folder),
    )
    left = [row for row in rows if (row.label, row.source) in out]
    scores = head.scores([row.text for row in left])
    right = scores[:, :-1].argmax(axis=1) == [labels.index(row.label or "") for row in left]
    pairs = np.array([f"{row.label}/{row.source}" for row in left])
    return {
        "recalls": {str(pair): float(right[pairs == pair].mean()) for pair in np.unique(pairs)},
        "right": right,
        "confidence": head.probabilities(scores).max(axis=1),
        "strange": head.strangeness(scores),
        "novel": head.strangeness(head.scores([record["text"] for record in novel[1::2]])),
    }
