"""A tenth of RouterArena: two hosted models with the score and the price of each answer. For evaluation only."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from moslm.evals.tables.pricing import Assumptions
from moslm.evals.tables.recorded import RecordedCase, RecordedTable, group_of, recorded
from moslm.evals.tables.rows import read_rows

_NAME = "routerarena_sub10"


def routerarena(data: Path, assumptions: Assumptions) -> RecordedTable:
    """Read the table; the model with the more points counts as the large one.

    Raises:
        ConfigError: The file is missing or holds a mistake.
    """
    rows = read_rows(data / "cascade" / f"{_NAME}.jsonl", ("id", "question", "models"))
    models = list(dict.fromkeys(model for row in rows for model in row["models"]))
    points = np.array([[row["models"].get(model, {}).get("score", math.nan) for model in models] for row in rows])
    cost = np.array([[row["models"].get(model, {}).get("cost_usd", math.nan) for model in models] for row in rows])
    order = sorted(models, key=lambda model: float(np.nanmean(points[:, models.index(model)])))
    return recorded(
        _NAME,
        [RecordedCase(row["id"], row["question"], group_of(row["question"]), row.get("category")) for row in rows],
        models,
        points.astype(np.float64),
        cost.astype(np.float64),
        small=tuple(order[:1]),
        large=order[-1] if order else "",
    )
