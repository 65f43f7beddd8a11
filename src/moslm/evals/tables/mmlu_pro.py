"""MMLU-Pro as twelve models answered it: 7,256 questions with the option each chose and the length of each output."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from moslm.escalation.calibration.outcomes.table import read_outcomes
from moslm.evals.tables.pricing import Assumptions, price_of
from moslm.evals.tables.recorded import RecordedCase, RecordedTable, recorded

SMALL = (
    "Meta-Llama-3_1-8B-Instruct",
    "Phi-3-mini-4k-instruct",
    "mathstral-7B",
    "Mistral-7B-Instruct-v0.2",
    "gemma-7b",
    "Meta-Llama-3-8B",
    "Qwen1.5-7B-Chat",
    "Yi-6b-Chat",
)
LARGE = "Meta-Llama-3_1-70B-Instruct"
_NAME = "mmlu_pro_models"


def mmlu_pro(data: Path, assumptions: Assumptions) -> RecordedTable:
    """Read the table below the folder of the public data.

    Raises:
        ConfigError: A file is missing or holds a mistake.
    """
    found = read_outcomes(data / _NAME)
    cases = [RecordedCase(q.id, q.text, q.group, q.category or None) for q in found.questions]
    # an output that is not there cost its question all the same
    said = np.nan_to_num(found.lengths) / assumptions.characters_per_token
    asked = np.array([len(q.text) + sum(map(len, q.options)) for q in found.questions])
    asked = asked / assumptions.characters_per_token
    prices = [price_of(model, assumptions, is_small=model in SMALL) for model in found.models]
    columns = [
        np.full(len(cases), np.nan) if price is None else (asked * price.input + said[:, i] * price.output) / 1e6
        for i, price in enumerate(prices)
    ]
    notes = (
        *found.notes,
        f"Tokens are characters divided by {assumptions.characters_per_token:g}, of question, options and output; the"
        " worked examples before the question are not counted.",
    )
    return recorded(
        _NAME,
        cases,
        list(found.models),
        found.right.astype(np.float64),
        np.column_stack(columns),
        small=SMALL,
        large=LARGE,
        read=found.chosen >= 0,
        choices=found,
        notes=notes,
    )
