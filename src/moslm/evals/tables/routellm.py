"""RouteLLM's tables: Mixtral-8x7B and GPT-4-1106 on MMLU (a sample) and GSM8K, right or wrong for each question."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from moslm.evals.tables.pricing import Assumptions, price_of, usd
from moslm.evals.tables.recorded import RecordedCase, RecordedTable, group_of, recorded
from moslm.evals.tables.rows import read_rows

_LETTER_TOKENS = 1.0
"""MMLU is answered by a letter; the table says nothing of lengths."""


def routellm_mmlu(data: Path, assumptions: Assumptions) -> RecordedTable:
    """Read the table of MMLU.

    Raises:
        ConfigError: The file is missing or holds a mistake.
    """
    return _read(data, "routellm_mmlu", assumptions, "Output counts as one token: MMLU is answered by a letter.")


def routellm_gsm8k(data: Path, assumptions: Assumptions) -> RecordedTable:
    """Read the table of GSM8K.

    Raises:
        ConfigError: The file is missing or holds a mistake.
    """
    return _read(data, "routellm_gsm8k", assumptions, "Output tokens are counted from the words of each answer.")


def _read(data: Path, name: str, assumptions: Assumptions, note: str) -> RecordedTable:
    keys = ("id", "question", "weak_model", "strong_model", "weak_correct", "strong_correct")
    rows = [row for row in read_rows(data / "cascade" / f"{name}.jsonl", keys) if not row.get("contaminated")]
    cases = [RecordedCase(row["id"], row["question"], group_of(row["question"]), row.get("subject")) for row in rows]
    models = [rows[0]["weak_model"], rows[0]["strong_model"]] if rows else []
    cost = [[_cost(row, side, model, assumptions) for side, model in zip(_SIDES, models, strict=True)] for row in rows]
    points = [[float(row[f"{side}_correct"]) for side in _SIDES] for row in rows]
    return recorded(
        name,
        cases,
        models,
        np.array(points, dtype=np.float64).reshape(len(rows), -1),
        np.array(cost, dtype=np.float64).reshape(len(rows), -1),
        small=tuple(models[:1]),
        large=models[1] if models else "",
        notes=(f"Input tokens are characters divided by {assumptions.characters_per_token:g}. {note}",),
    )


_SIDES = ("weak", "strong")


def _cost(row: dict[str, Any], side: str, model: str, assumptions: Assumptions) -> float:
    words = row.get(f"{side}_response_words")
    said = _LETTER_TOKENS if words is None else words * assumptions.tokens_per_word
    # Mixtral is the small model here, and 47B parameters are no model one owns by the way: it keeps its list price
    price = price_of(model, assumptions, is_small=False)
    return usd(price, len(row["question"]) / assumptions.characters_per_token, said)
