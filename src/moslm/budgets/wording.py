"""How a cap is told to people: one clause that says which, and when there is room again."""

from __future__ import annotations

from datetime import UTC, datetime

from moslm.budgets.money import dollars
from moslm.budgets.purchases import Standing, Unit


def why_not(standing: Standing, model: str) -> str:
    """Return a clause about a cap that does not allow a call.

    Args:
        standing: How the cap stands.
        model: What was to be called.
    """
    if standing.amount > standing.limit and standing.unit != "share":
        most = amount(standing.amount, standing.unit)
        return f"one call of {model} may take up to {most}, more than the cap of {standing.cap}"
    return f"the cap of {standing.cap} is reached{_frees(standing)}"


def amount(value: int, unit: Unit) -> str:
    """Write an amount with its unit."""
    if unit == "usd":
        return f"${dollars(value):,.4g}"
    return f"{value:,} {'calls' if unit == 'share' else unit}"


def moment(seconds: float) -> str:
    """Write a moment, seconds since the epoch, as people read it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _frees(standing: Standing) -> str:
    if standing.frees is None:
        return ""
    word = "there may be room" if standing.unit == "share" else "there is room again"
    return f"; {word} from {moment(standing.frees)}"
