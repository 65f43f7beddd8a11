"""Requests of several parts, and wishes, of other writers than those whose lines were fitted on."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from measures.held_out import SEVERAL_ALPHA
from measures.rows import records
from measures.scores import f1
from moslm.escalation.novelty import p_value
from moslm.escalation.wishes import explicit_wish
from moslm.models.classifiers.encoder import EncoderClassifier
from moslm.models.classifiers.head import Head
from moslm.models.classifiers.judging import auroc
from moslm.turn import Turn

TESTS = Path(__file__).parent.parent.parent / "tests"


def of_parts(head: Head) -> dict[str, float]:
    """Tell several domains from one; half of the lines only look like several: long stories, two of one domain."""
    lines = records(TESTS / "models" / "several" / "unseen.jsonl")
    classifier, yardstick = EncoderClassifier(head), head.single.tolist()
    odds = np.array([classifier.rank([Turn("user", line["text"])]).several or 0.0 for line in lines])
    several = np.array([line["multi_domain"] for line in lines])
    flagged = np.array([p_value(value, yardstick) <= SEVERAL_ALPHA for value in odds])
    return {
        "auroc": auroc(odds[several], odds[~several]),
        f"found_at_{SEVERAL_ALPHA}": float(flagged[several].mean()),
        f"false_at_{SEVERAL_ALPHA}": float(flagged[~several].mean()),
    }


def of_wishes() -> float:
    """F1 of the explicit wish against near misses."""
    lines = records(TESTS / "escalation" / "wishes" / "unseen.jsonl")
    heard = np.array([explicit_wish(line["text"]) is not None for line in lines])
    return f1(heard, np.array([line["wish"] for line in lines]))
