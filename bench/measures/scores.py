"""Figures from numbers: accuracy at coverage, F1. Pure."""

from __future__ import annotations

import numpy as np

COVERAGES = (1.0, 0.95, 0.9, 0.8, 0.7)


def at_coverages(confidence: np.ndarray, right: np.ndarray) -> dict[str, float]:
    """Return the accuracy of the surest answers, by the share of requests they are."""
    order = np.argsort(-confidence)
    return {f"{share:.0%}": float(right[order[: int(share * len(order))]].mean()) for share in COVERAGES}


def f1(said: np.ndarray, true: np.ndarray) -> float:
    """Return the F1 of a yes-or-no answer; 0 where nobody says or means yes."""
    return float(2 * (said & true).sum() / max(said.sum() + true.sum(), 1))
