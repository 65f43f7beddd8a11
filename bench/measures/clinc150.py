"""Another company's domains: a head refitted on CLINC150's own ten, asked what belongs to none of them.

Fitted on its training rows and its 100 out-of-scope training rows, calibrated on a third of its validation rows and
its 100 out-of-scope ones. The encoder that ships was tuned on the intents of the training rows, too. The
share of out-of-scope test requests that would be answered is taken where 92 % of the others are kept.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from measures.rows import records
from moslm.models.classifiers.fitting import fit_head
from moslm.models.classifiers.judging import auroc
from moslm.models.classifiers.rows import Row
from moslm.models.encoders import load_encoder
from moslm.models.encoders.transformer import NAME

KEPT = 0.92


def of_out_of_scope(data: Path) -> dict[str, float]:
    """Refit, and score the test rows."""
    lines = records(data / "clinc150" / "clinc150.jsonl")
    parts = {name: [line for line in lines if line["split"] == name] for name in {line["split"] for line in lines}}
    labels = tuple(sorted({line["clinc_domain"] for line in parts["train"]}))
    rows = [Row(line["text"], line["clinc_domain"], "clinc150", "CC-BY-3.0") for line in parts["train"]]
    nowhere = [Row(line["text"], None, "clinc150", "CC-BY-3.0") for line in parts["oos_train"]]
    held_out = [Row(line["text"], line["clinc_domain"], "clinc150", "CC-BY-3.0") for line in parts["val"][::3]]
    encoders = load_encoder("wordllama-l2-supercat-256"), load_encoder(NAME)
    strangers = [Row(line["text"], None, "clinc150", "CC-BY-3.0") for line in parts["oos_val"]]
    head = fit_head([*rows, *nowhere], [*held_out, *strangers], labels, *encoders)
    scores = head.scores([line["text"] for line in parts["test"]])
    familiar = head.strangeness(scores)
    strange = head.strangeness(head.scores([line["text"] for line in parts["oos_test"]]))
    truth = np.array([labels.index(line["clinc_domain"]) for line in parts["test"]])
    return {
        "accuracy": float((scores[:, :-1].argmax(axis=1) == truth).mean()),
        "auroc": auroc(strange, familiar),
        f"out_of_scope_answered_at_{KEPT:.0%}_kept": float((strange <= np.quantile(familiar, KEPT)).mean()),
    }
