"""Figures and tables as the published pages write them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def figure(found: Mapping[str, Any]) -> str:
    """Return a figure in its unit, with its interval where it has one."""
    value, low, high = found["value"], found.get("low"), found.get("high")
    if value is None:
        return "–"
    if low is None or high is None:
        return _in_unit(value, found["unit"])
    return f"{_in_unit(value, found['unit'])} ({_in_unit(low, found['unit'])} to {_in_unit(high, found['unit'])})"


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table."""
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def amount(value: float) -> str:
    """Return a number of any size in four digits or whole."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _in_unit(value: float, unit: str) -> str:
    if unit == "share":
        return f"{value:.1%}"
    if unit == "ms":
        return f"{value:,.1f} ms"
    return f"${value:.3g}" if unit == "usd" else f"{value:.3f}"
