"""GSM8K as GPT-3 of 6B and of 175B answered it, with and without a verifier. No price of either is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from moslm.evals.tables.pricing import Assumptions
from moslm.evals.tables.recorded import RecordedCase, RecordedTable, group_of, recorded
from moslm.evals.tables.rows import read_rows

_NAME = "gsm8k_gpt3_6b_vs_175b"
_MODELS = ("6b_verification", "6b_finetuning", "175b_verification", "175b_finetuning")


def gsm8k_gpt3(data: Path, assumptions: Assumptions) -> RecordedTable:
    """Read the table.

    Raises:
        ConfigError: The file is missing or holds a mistake.
    """
    rows = read_rows(data / "cascade" / f"{_NAME}.jsonl", ("id", "question", *_MODELS))
    cases = [RecordedCase(row["id"], row["question"], group_of(row["question"])) for row in rows]
    points = np.array([[float(row[model]) for model in _MODELS] for row in rows], dtype=np.float64)
    return recorded(
        _NAME,
        cases,
        list(_MODELS),
        points.reshape(len(rows), -1),
        np.full((len(rows), len(_MODELS)), np.nan),
        small=_MODELS[:2],
        large=_MODELS[2],
    )
