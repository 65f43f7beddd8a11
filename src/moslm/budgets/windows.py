"""The spans of time a cap counts in: minute, day and month of UTC, or for ever.

A purchase belongs to the window in which it was reserved, however long it takes.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal, NamedTuple

Every = Literal["minute", "day", "month", "ever"]

_SECONDS = {"minute": 60, "day": 86_400}
SLICES = 60
"""How many slices a sliding window is counted in."""
_SLIDING = {"minute": 60, "day": 86_400, "month": 30 * 86_400}


class Window(NamedTuple):
    """One span of time."""

    start: int
    """Its first second, since the epoch; 0 for the window that never ends."""
    ends: float | None
    """The second in which the next one begins; None for the window that never ends."""


def window_at(every: Every, now: float) -> Window:
    """Return the window a moment lies in.

    Args:
        every: How long a window is.
        now: Seconds since the epoch.
    """
    if every == "ever":
        return Window(0, None)
    if every == "month":
        first = datetime.fromtimestamp(now, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        after = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
        return Window(int(first.timestamp()), after.timestamp())
    length = _SECONDS[every]
    start = int(now // length) * length
    return Window(start, float(start + length))


def slices_at(every: Every, now: float) -> tuple[int, ...]:
    """Return the starts of the slices of the sliding window that ends with a moment, the current one last.

    A month slides over thirty days.

    Raises:
        ValueError: The window never ends, so it cannot slide.
    """
    if every == "ever":
        raise ValueError("a window that never ends cannot slide")
    length = _SLIDING[every] // SLICES
    current = int(now // length) * length
    return tuple(current - length * back for back in range(SLICES - 1, -1, -1))
