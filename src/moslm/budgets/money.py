"""Money as the ledger counts it: whole billionths of a US dollar, because sums of floats drift.

A billionth is fine enough for the price of a single cached token, and sums up to nine million dollars are exact in
every store, those that count in doubles (Redis scripts) included.
"""

from __future__ import annotations

import math

NANOS = 1_000_000_000
"""Billionths in a dollar."""
MOST_USD = 5_000_000.0
"""The largest amount that is counted: a double still holds every billionth of it."""


def nanos(usd: float) -> int:
    """Return an amount as whole billionths, rounded up: a cap is never exceeded by rounding.

    Raises:
        ValueError: It is negative, no number, or more than `MOST_USD`.
    """
    if not math.isfinite(usd) or not 0 <= usd <= MOST_USD:
        raise ValueError(f"an amount of money must be a number from 0 to {MOST_USD:,.0f}, not {usd!r}")
    # a thousandth of a billionth is the noise of the multiplication, not money
    return math.ceil(round(usd * NANOS, 3))


def dollars(amount: int) -> float:
    """Return whole billionths as US dollars."""
    return amount / NANOS
