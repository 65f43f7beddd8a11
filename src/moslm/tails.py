"""Exact binomial and hypergeometric tails, summed in log space; no scipy.

Knows nothing of thresholds or answers.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


def binomial_tail(wrong: int, kept: int, risk: float) -> float:
    """Return P(X <= wrong) for X ~ Binomial(kept, risk): the p-value of "the risk is at least this"."""
    if wrong >= kept or risk <= 0:
        return 1.0
    if risk >= 1:
        return 0.0
    logs = _log_factorials(kept)
    k = np.arange(wrong + 1)
    terms = logs[kept] - logs[k] - logs[kept - k] + k * math.log(risk) + (kept - k) * math.log1p(-risk)
    return _summed(terms)


def hypergeometric_tail(wrong: int, kept: int, all_wrong: int, everything: int) -> float:
    """Return P(X <= wrong) where ``kept`` of ``everything`` are drawn and ``all_wrong`` of everything are wrong."""
    most, least = min(kept, all_wrong), max(0, kept - (everything - all_wrong))
    if wrong >= most:
        return 1.0
    if wrong < least:
        return 0.0
    logs = _log_factorials(everything)
    k = np.arange(least, wrong + 1)
    fine = everything - all_wrong
    chosen = logs[all_wrong] - logs[k] - logs[all_wrong - k]
    others = logs[fine] - logs[kept - k] - logs[fine - kept + k]
    return _summed(chosen + others - (logs[everything] - logs[kept] - logs[everything - kept]))


def upper_bound(wrong: int, kept: int, delta: float) -> float:
    """Return the highest risk that ``wrong`` of ``kept`` does not contradict (Clopper and Pearson, 1934)."""
    if wrong >= kept:
        return 1.0
    low, high = wrong / kept, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if binomial_tail(wrong, kept, middle) > delta else (low, middle)
    return high


def _summed(terms: NDArray[np.float64]) -> float:
    top = float(terms.max())
    return min(1.0, math.exp(top) * float(np.exp(terms - top).sum()))


def _log_factorials(n: int) -> NDArray[np.float64]:
    return _log_factorial_table(max(1024, 1 << n.bit_length()))


@lru_cache(maxsize=32)
def _log_factorial_table(size: int) -> NDArray[np.float64]:
    return np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, size + 1)))])
