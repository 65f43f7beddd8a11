"""The time by which what is kept on one machine counts: it neither jumps nor goes back.

A clock that is set forward would open the next day's budget or end a question early, one that is set back this day's
budget for a second time. So the wall clock is read once, when a file is first used after the machine was started, and
time goes on from there by the machine's own uptime, which nobody sets and all its processes share.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

_JUMP_S = 60.0
"""How far the wall clock may stand from this one before it is called set."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where a boot of the machine stands in time.

    Attributes:
        boot: Names the boot.
        wall: Seconds since the epoch, at that moment.
        uptime: Seconds since the boot, at the same moment.
    """

    boot: str
    wall: float
    uptime: float


class Clock(Protocol):
    """What tells the time."""

    def now(self) -> float:
        """Return seconds since the epoch."""


class SteadyClock:
    """Wall time that goes on by uptime from an anchor.

    Args:
        anchor: Given the anchor of this moment and returns the one in force: the first of this boot, kept by whoever
            shares the clock, and never earlier than what was seen before the boot.
        wall: The machine's clock, seconds since the epoch.
        uptime: Seconds since the machine was started, those it slept included.
        boot: Names the boot.
    """

    def __init__(
        self,
        anchor: Callable[[Anchor], Anchor],
        *,
        wall: Callable[[], float] = time.time,
        uptime: Callable[[], float] | None = None,
        boot: str | None = None,
    ) -> None:
        self._wall, self._uptime = wall, uptime or _uptime
        self._anchor = anchor(Anchor(boot or boot_id(), wall(), self._uptime()))

    def now(self) -> float:
        """Return seconds since the epoch, by the anchor."""
        return self._anchor.wall + self._uptime() - self._anchor.uptime

    def jumped(self) -> float | None:
        """Return by how many seconds the machine's clock was set since the anchor; None where it was not."""
        off = self._wall() - self.now()
        return off if abs(off) > _JUMP_S else None


ANCHORS = """
CREATE TABLE IF NOT EXISTS anchors (
    boot TEXT PRIMARY KEY,
    wall REAL NOT NULL,
    uptime REAL NOT NULL,
    seen REAL NOT NULL
);
"""
"""The table in which a SQLite file keeps the anchors of its clock."""


def keep_anchor(db: sqlite3.Connection, found: Anchor, seen: float | None) -> Anchor:
    """Keep the first anchor of each boot; a new boot begins no earlier than the file was last used.

    Args:
        db: The file, inside of a transaction; it has the table `ANCHORS`.
        found: The anchor of this moment.
        seen: The latest moment that the file knows.
    """
    wall = max(found.wall, seen or 0.0)
    db.execute("INSERT OR IGNORE INTO anchors VALUES (?, ?, ?, ?)", (found.boot, wall, found.uptime, wall))
    row = db.execute("SELECT boot, wall, uptime FROM anchors WHERE boot = ?", (found.boot,)).fetchone()
    return Anchor(*row)


def _uptime() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@cache
def boot_id() -> str:
    """Return what names this boot of the machine."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        # without it the boot is named by the moment it happened; a clock that is set then looks like a new boot
        return f"boot-{int((time.time() - time.monotonic()) // 60)}"
