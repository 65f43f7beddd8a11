"""How fast a provider may be asked: requests and tokens a minute, and rests that it asked for.

Each of the two is a token bucket kept as one number, the moment at which it would be full again (the "virtual
scheduling" form of the generic cell rate algorithm, ITU-T I.371). Who waits, and in which order, is the throttle's.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

LONGEST_REST_S = 86_400.0
"""No provider is believed that asks for more: a day."""
_BURSTS_A_MINUTE = 12


@dataclass(frozen=True, slots=True)
class Bucket:
    """How much passes in the long run, and at once after a quiet time.

    In any minute at most ``per_minute + burst`` passes, or the one thing that is larger than ``burst``.

    Attributes:
        per_minute: In the long run.
        burst: At once; by `bucket` what falls due in five seconds, at least one.
    """

    per_minute: float
    burst: float

    @property
    def interval(self) -> float:
        """Seconds for one."""
        return 60.0 / self.per_minute

    def wait(self, owed_s: float, cost: float) -> float:
        """Return the seconds until something may pass.

        Args:
            owed_s: Seconds until the bucket is full.
            cost: How much of it is asked for; what is more than a burst waits for a full bucket.
        """
        return owed_s + (min(cost, self.burst) - self.burst) * self.interval


def bucket(per_minute: float) -> Bucket:
    """Return a bucket with the burst that is usual."""
    return Bucket(per_minute, max(1.0, per_minute // _BURSTS_A_MINUTE))


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast one provider may be asked.

    Attributes:
        requests: Calls.
        tokens: Tokens, in and out together; None where only calls are counted.
    """

    requests: Bucket
    tokens: Bucket | None = None


class Window(Protocol):
    """What is kept of how much has passed."""

    far: bool
    """Whether asking it may take long, because it is on another machine."""

    def take(self, tokens: int) -> float:
        """Let a call pass, where there is room.

        Args:
            tokens: How many tokens it may take.

        Returns:
            0 where it passes; else the seconds until it may, and nothing is taken.

        Raises:
            LedgerError: The window is kept elsewhere and cannot be reached.
        """

    def rest(self, seconds: float) -> None:
        """Let nothing pass for so long, because the provider asked for it.

        Raises:
            LedgerError: The window is kept elsewhere and cannot be reached.
        """


class LocalWindow:
    """Keeps the count in this process.

    Args:
        pace: How fast the provider may be asked.
        clock: A monotonic clock, in seconds.
    """

    far = False

    def __init__(self, pace: Pace, clock: Callable[[], float] = time.monotonic) -> None:
        self._pace, self._clock = pace, clock
        self._lock = threading.Lock()
        self._requests_full = self._tokens_full = self._rests_until = clock()

    def take(self, tokens: int) -> float:
        """See `Window.take`."""
        pace = self._pace
        with self._lock:
            now = self._clock()
            owed, owed_tokens = max(self._requests_full - now, 0.0), max(self._tokens_full - now, 0.0)
            waits = [self._rests_until - now, pace.requests.wait(owed, 1)]
            if pace.tokens is not None:
                waits.append(pace.tokens.wait(owed_tokens, tokens))
            # moments are sums of floats: a nanosecond over the limit is not over it
            if max(waits) > 1e-9:
                return max(waits)
            self._requests_full = now + owed + pace.requests.interval
            if pace.tokens is not None:
                self._tokens_full = now + owed_tokens + tokens * pace.tokens.interval
            return 0.0

    def rest(self, seconds: float) -> None:
        """See `Window.rest`."""
        with self._lock:
            self._rests_until = max(self._rests_until, self._clock() + min(seconds, LONGEST_REST_S))
