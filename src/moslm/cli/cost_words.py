"""How the figures of ``moslm cost`` are written: money in its currency, shares, months, and inputs by their kind."""

from __future__ import annotations

import math

from moslm.budgets.ownership import INPUTS

NONE = "–"


def money(value: float | None, currency: str = "USD") -> str:
    """Write an amount: whole from a hundred on, with three significant figures below ten."""
    if value is None or not math.isfinite(value):
        return NONE
    size = abs(value)
    if size >= 100 or size == 0:
        text = f"{size:,.0f}"
    elif size >= 10:
        text = f"{size:,.2f}"
    else:
        text = f"{size:.{max(2 - math.floor(math.log10(size)), 2)}f}" if size > 1e-9 else "0"
    sign = "-" if value < 0 and text.strip("0.,") else ""
    return f"{sign}${text}" if currency == "USD" else f"{sign}{text} {currency}"


def share(value: float | None, digits: int = 1) -> str:
    """Write a share as a percentage."""
    if value is None or not math.isfinite(value):
        return NONE
    text = f"{100 * value:.{digits}f}".removesuffix(".0")
    return f"{'0' if text in ('-0', '-0.0') else text} %"


def months(value: float | None) -> str:
    """Write a span of months."""
    return "never" if value is None or not math.isfinite(value) else f"{value:.1f} months"


def amount(name: str, value: float, currency: str) -> str:
    """Write an input by its kind."""
    kind = INPUTS[name].kind
    if kind == "money":
        return money(value, currency)
    if kind == "share":
        return share(value)
    if kind == "count":
        return f"{value:,.0f}"
    return f"{value:g} kW" if kind == "power" else f"{value:g}"


def seconds(value: float | None) -> str:
    """Write a time in seconds, short ones in milliseconds."""
    if value is None or not math.isfinite(value):
        return NONE
    if 0 < value < 0.0005:
        return "under 1 ms"
    return f"{1000 * value:.0f} ms" if value < 0.9995 else f"{value:,.2f} s"
