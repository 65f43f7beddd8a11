"""The throttle: who may ask a provider next, one tenant after the other.

Callers wait in a queue for each tenant, and the tenants that wait take turns, so that one tenant's storm delays another
by one call at a time. Only the caller whose turn it is asks the window for room and watches the clock; the others sleep
until the turn comes to them or their patience ends. A wait is written once, as a generator, and driven in a thread or
on an event loop.

Knows neither money nor models.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Generator
from dataclasses import dataclass
from math import inf

from moslm.budgets.pace import Pace, Window


@dataclass(frozen=True, slots=True)
class Asking:
    """A call that wants to pass.

    Attributes:
        tenant: Whose call it is.
        tokens: How many tokens it may take, in and out together.
        deadline: `time.monotonic()` value beyond which it does not wait.
    """

    tenant: str = ""
    tokens: int = 0
    deadline: float = inf


_ANYBODY = Asking()


class _Waiter:
    """One caller in the queue; compared by identity."""

    __slots__ = ("asking", "wake")

    def __init__(self, asking: Asking, wake: Callable[[], object]) -> None:
        self.asking, self.wake = asking, wake


class Throttle:
    """Lets calls pass at a provider's pace.

    Args:
        pace: How fast the provider may be asked.
        window: What is kept of how much has passed.
        max_wait_ms: The longest a caller waits; one that would wait longer is turned away at once and takes no place.
        clock: A monotonic clock, in seconds.
        sleep: How a thread waits, given what wakes it and the most seconds.
    """

    def __init__(
        self,
        pace: Pace,
        window: Window,
        max_wait_ms: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[threading.Event, float], object] = threading.Event.wait,
    ) -> None:
        self._pace, self._window, self._max_wait = pace, window, max_wait_ms / 1000
        self._clock, self._sleep = clock, sleep
        self._lock = threading.RLock()  # a wait that is collected as garbage leaves, whoever holds it
        self._queues: OrderedDict[str, deque[_Waiter]] = OrderedDict()
        self._opens_at = 0.0

    def acquire(self, asking: Asking = _ANYBODY) -> bool:
        """Wait for a place in this thread; False as soon as it is sure to take too long."""
        woken, reply = threading.Event(), None
        steps = self.waiting(asking, woken.set)
        try:
            while True:
                seconds = steps.send(reply)
                if seconds is None:
                    reply = self._window.take(asking.tokens)
                else:
                    self._sleep(woken, seconds)
                    woken.clear()
        except StopIteration as end:
            return bool(end.value)
        finally:
            steps.close()

    async def aacquire(self, asking: Asking = _ANYBODY) -> bool:
        """Wait for a place on the event loop; False as soon as it is sure to take too long."""
        woken, loop, reply = asyncio.Event(), asyncio.get_running_loop(), None
        steps = self.waiting(asking, lambda: loop.call_soon_threadsafe(woken.set))
        take = self._window.take
        try:
            while True:
                seconds = steps.send(reply)
                if seconds is None:
                    reply = await asyncio.to_thread(take, asking.tokens) if self._window.far else take(asking.tokens)
                    continue
                try:
                    async with asyncio.timeout(seconds):
                        await woken.wait()
                except TimeoutError:
                    pass
                woken.clear()
        except StopIteration as end:
            return bool(end.value)
        finally:
            steps.close()

    def rest(self, seconds: float) -> None:
        """Let nobody pass for so long, because the provider asked for it.

        Raises:
            LedgerError: The window is kept elsewhere and cannot be reached.
        """
        self._window.rest(seconds)

    def waiting(self, asking: Asking, wake: Callable[[], object]) -> Generator[float | None, float | None, bool]:
        """Wait for a place.

        Args:
            asking: Who waits.
            wake: Called, from any thread, when the turn may have come.

        Yields:
            None to be sent what `Window.take` returns; seconds to be sent None after them or once woken.

        Returns:
            Whether the call may be made.
        """
        patience = min(self._clock() + self._max_wait, asking.deadline)
        waiter = _Waiter(asking, wake)
        passed = False
        if not self._joins(waiter, patience):
            return False
        try:
            while True:
                now = self._clock()
                if not self._has_turn(waiter):
                    if now >= patience:
                        return False
                    yield patience - now
                    continue
                wait = yield None
                assert wait is not None
                if wait <= 0:
                    passed = True
                    return True
                # the window may have been asked for long
                self._opens_at = self._clock() + wait
                if self._opens_at > patience + 1e-9:
                    return False
                yield wait
        finally:
            self._leaves(waiter, passed)

    def _joins(self, waiter: _Waiter, patience: float) -> bool:
        """Put a caller behind those of its tenant, unless it is sure to wait for too long."""
        with self._lock:
            if self._queues and self._earliest(waiter.asking.tenant) > patience + 1e-9:
                return False
            self._queues.setdefault(waiter.asking.tenant, deque()).append(waiter)
            return True

    def _earliest(self, tenant: str) -> float:
        """Return the moment before which the next caller of a tenant cannot have its turn."""
        own = len(self._queues.get(tenant, ()))
        # before it, all of its own tenant, and of each other one as many as it has turns
        ahead = own + sum(min(len(queue), own + 1) for name, queue in self._queues.items() if name != tenant)
        return max(self._opens_at, self._clock()) + (ahead - self._pace.requests.burst) * self._pace.requests.interval

    def _has_turn(self, waiter: _Waiter) -> bool:
        with self._lock:
            return self._next() is waiter

    def _next(self) -> _Waiter | None:
        return next((queue[0] for queue in self._queues.values()), None)

    def _leaves(self, waiter: _Waiter, passed: bool) -> None:
        """Take a caller out; the turn goes to the next tenant where it was used."""
        with self._lock:
            if self._next() is waiter:
                self._opens_at = 0.0  # what was too much for this caller need not be for the next
            self._remove(waiter, passed)
            while (following := self._next()) is not None:
                try:
                    following.wake()
                    return
                except RuntimeError:  # its event loop was closed under it
                    self._remove(following, passed=False)

    def _remove(self, waiter: _Waiter, passed: bool) -> None:
        tenant = waiter.asking.tenant
        queue = self._queues.get(tenant, deque())
        if waiter not in queue:
            return
        queue.remove(waiter)
        if not queue:
            del self._queues[tenant]
        elif passed:
            self._queues.move_to_end(tenant)
