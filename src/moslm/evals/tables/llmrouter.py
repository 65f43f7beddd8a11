"""LLMRouter's table: nine models of 7B to 70B on 6,108 questions of eleven kinds, with the price list beside it."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from moslm.config import Price
from moslm.evals.tables.pricing import Assumptions, usd
from moslm.evals.tables.recorded import RecordedCase, RecordedTable, group_of, recorded
from moslm.evals.tables.rows import read_rows

_NAME = "llmrouter_9models"
SMALL = (
    "gemma-2-9b-it",
    "llama-3.1-8b-instruct",
    "qwen2.5-7b-instruct",
    "mistral-7b-instruct-v0.3",
    "llama3-chatqa-1.5-8b",
    "codegemma-7b",
)
LARGE = "llama-3.1-nemotron-51b-instruct"


def llmrouter(data: Path, assumptions: Assumptions) -> RecordedTable:
    """Read the table.

    Raises:
        ConfigError: A file is missing or holds a mistake.
    """
    folder = data / "cascade"
    rows = read_rows(folder / f"{_NAME}.jsonl", ("id", "question", "scores"))
    lines = read_rows(folder / "llmrouter_prices.jsonl", ("model", "input_price_per_m", "output_price_per_m"))
    prices = {
        line["model"]: Price(input=line["input_price_per_m"], output=line["output_price_per_m"]) for line in lines
    }
    models = list(dict.fromkeys(model for row in rows for model in row["scores"]))
    if assumptions.local_usd_per_million is not None:
        own = assumptions.local_usd_per_million
        prices.update(dict.fromkeys(SMALL, Price(input=own, output=own)))
    asked = [len(row["question"]) / assumptions.characters_per_token for row in rows]
    cost = [[usd(prices.get(model), tokens, assumptions.output_tokens) for model in models] for tokens in asked]
    return recorded(
        _NAME,
        [RecordedCase(row["id"], row["question"], group_of(row["question"])) for row in rows],
        models,
        np.array([[row["scores"].get(model, math.nan) for model in models] for row in rows], dtype=np.float64),
        np.array(cost, dtype=np.float64),
        small=SMALL,
        large=LARGE,
        notes=(
            f"The table says nothing of lengths: every answer counts {assumptions.output_tokens:g} tokens, so that what"
            " is compared is the price of a token.",
        ),
    )
