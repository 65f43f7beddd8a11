"""The throttle: how often a model may be called, first come first served.

A token bucket kept as one number, the moment at which it would be full again (the "virtual scheduling" form of the
generic cell rate algorithm, ITU-T I.371). Each caller is given its moment when it asks, so the order is the order of
asking, whether it waits in a thread or on an event loop, and no caller can overtake.

In this process alone; knows neither money nor models.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable


class Throttle:
    """Spreads calls over time.

    In any minute at most ``per_minute + burst`` calls pass.

    Args:
        per_minute: Calls a minute in the long run.
        max_wait_ms: The longest a caller waits; one that would wait longer is turned away at once and takes no place.
        burst: Calls that may pass at once after a quiet time; by default what falls due in five seconds, at least one.
        clock: A monotonic clock, in seconds.
        sleep: How a thread waits.
        asleep: How a coroutine waits.
    """

    def __init__(
        self,
        per_minute: float,
        max_wait_ms: float,
        *,
        burst: int | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        asleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._interval = 60.0 / per_minute
        self._tolerance = (max(1, int(per_minute / 12) if burst is None else burst) - 1) * self._interval
        self._max_wait = max_wait_ms / 1000
        self._clock, self._sleep, self._asleep = clock, sleep, asleep
        self._lock = threading.Lock()
        self._full_at = clock()

    def acquire(self) -> bool:
        """Wait for a place in this thread; False at once when that would take too long."""
        wait = self._place()
        if wait is None:
            return False
        if wait > 0:
            self._sleep(wait)
        return True

    async def aacquire(self) -> bool:
        """Wait for a place on the event loop; False at once when that would take too long.

        A caller that is cancelled while it waits has used its place: the calls behind it keep their moments.
        """
        wait = self._place()
        if wait is None:
            return False
        if wait > 0:
            await self._asleep(wait)
        return True

    def _place(self) -> float | None:
        """Take the next place and return the seconds until its moment; None when that is too far off."""
        with self._lock:
            now = self._clock()
            full_at = max(self._full_at, now)
            wait = full_at - self._tolerance - now
            # moments are sums of floats: a nanosecond over the limit is not over it
            if wait > self._max_wait + 1e-9:
                return None
            self._full_at = full_at + self._interval
            return max(wait, 0.0)
