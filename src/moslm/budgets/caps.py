"""The daily cap: how much money and how many calls a day may take, never exceeded.

Money is set aside for the worst case before a call is made and settled with what it really cost, so calls that run at
the same moment cannot go over the cap together. The count is kept in this process alone: two processes have a cap each,
and one that restarts begins its day anew. A later feature makes it exact across processes.

Knows money and days; nothing of models, tokens or requests.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime

_PICO = 10**12
"""Money is counted in whole millionths of a millionth of a dollar: sums of floats drift."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class DailyCap:
    """A cap on the money and the calls of each UTC day.

    Args:
        max_usd: US dollars a day.
        max_calls: Calls a day.
        clock: Tells the time, with its zone.
    """

    def __init__(self, max_usd: float, max_calls: int, clock: Callable[[], datetime] = _utc_now) -> None:
        self._max_usd, self._max_calls, self._clock = max_usd, max_calls, clock
        self._limit = math.floor(max_usd * _PICO)
        self._lock = threading.Lock()
        self._day = _Day(self._today())

    def reserve(self, worst_case_usd: float) -> Reservation | str:
        """Set money and a call aside.

        Args:
            worst_case_usd: The most the call can cost.

        Returns:
            The reservation, to be settled or released; or, when the cap does not allow the call, a clause that says why
            not and when there is room again.

        Raises:
            ValueError: The amount is negative or no number.
        """
        amount = _counted(worst_case_usd)
        with self._lock:
            day = self._current()
            if amount > self._limit:
                return (
                    f"one call may cost up to ${worst_case_usd:.4g}, more than the daily cap of"
                    f" ${self._max_usd:g} for the large model"
                )
            if day.calls >= self._max_calls:
                return f"the daily cap of {self._max_calls} calls of the large model is reached{_frees()}"
            if day.taken + amount > self._limit:
                return f"the daily cap of ${self._max_usd:g} for the large model is reached{_frees()}"
            day.taken += amount
            day.calls += 1
            return Reservation(self._lock, day, amount)

    def spent_usd(self) -> float:
        """Return what today has taken so far, in US dollars, what is set aside included."""
        with self._lock:
            return self._current().taken / _PICO

    def calls(self) -> int:
        """Return the calls of today so far, those set aside included."""
        with self._lock:
            return self._current().calls

    def _today(self) -> date:
        return self._clock().astimezone(UTC).date()

    def _current(self) -> _Day:
        today = self._today()
        # a clock that is set back must not give a day's money out twice
        if today > self._day.date:
            self._day = _Day(today)
        return self._day


class Reservation:
    """Money and one call, set aside until the call has ended; counts on the day it was made."""

    def __init__(self, lock: threading.Lock, day: _Day, amount: int) -> None:
        self._lock, self._day, self._amount = lock, day, amount
        self._open = True

    def settle(self, usd: float) -> None:
        """Book what the call cost, in place of what was set aside; only the first settling or release counts.

        Raises:
            ValueError: The amount is negative or no number.
        """
        self._close(_counted(usd), 1)

    def release(self) -> None:
        """Give money and call back: the call was not made."""
        self._close(0, 0)

    def _close(self, amount: int, calls: int) -> None:
        with self._lock:
            if not self._open:
                return
            self._open = False
            self._day.taken += amount - self._amount
            self._day.calls += calls - 1


class _Day:
    __slots__ = ("calls", "date", "taken")

    def __init__(self, date: date) -> None:
        self.date, self.taken, self.calls = date, 0, 0


def _counted(usd: float) -> int:
    if not math.isfinite(usd) or usd < 0:
        raise ValueError(f"an amount of money must be a number from 0 on, not {usd!r}")
    return math.ceil(usd * _PICO)


def _frees() -> str:
    return "; there is room again from 00:00 UTC"
