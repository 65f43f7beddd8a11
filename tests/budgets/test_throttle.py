import asyncio
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moslm.budgets.throttle import Throttle


class Time:
    """A clock that only waiting moves."""

    def __init__(self):
        self.now, self.waits = 100.0, []

    def clock(self):
        return self.now

    def sleep(self, seconds):
        self.waits.append(round(seconds, 6))
        self.now += seconds


def throttle(time_, per_minute=60.0, max_wait_ms=5000.0, burst=1):
    return Throttle(per_minute, max_wait_ms, burst=burst, clock=time_.clock, sleep=time_.sleep)


def test_calls_pass_at_the_pace_that_was_set():
    time_ = Time()
    gate = throttle(time_)
    assert [gate.acquire() for _ in range(4)] == [True] * 4
    assert time_.waits == [1.0, 1.0, 1.0]


def test_a_burst_passes_at_once_after_a_quiet_time():
    time_ = Time()
    gate = throttle(time_, burst=3)
    assert [gate.acquire() for _ in range(4)] == [True] * 4
    assert time_.waits == [1.0]
    time_.now += 60
    assert [gate.acquire() for _ in range(3)] == [True] * 3
    assert time_.waits == [1.0]


def test_who_would_wait_too_long_is_turned_away_at_once_and_takes_no_place():
    time_ = Time()
    gate = Throttle(60, 2000, burst=1, clock=time_.clock, sleep=lambda seconds: None)
    assert [gate.acquire() for _ in range(5)] == [True, True, True, False, False]
    time_.now += 1
    assert gate.acquire()


def test_without_patience_nobody_waits():
    time_ = Time()
    gate = throttle(time_, max_wait_ms=0)
    assert [gate.acquire(), gate.acquire()] == [True, False]
    assert time_.waits == []


def test_the_pace_of_five_seconds_is_the_burst_unless_another_is_named():
    gate = Throttle(60, 0, clock=lambda: 0.0)
    assert [gate.acquire() for _ in range(6)] == [True] * 5 + [False]
    slow = Throttle(2, 0, clock=lambda: 0.0)
    assert [slow.acquire(), slow.acquire()] == [True, False]


async def test_coroutines_wait_in_the_order_they_came():
    order = []
    gate = Throttle(6000, 5000, burst=1)

    async def call(i):
        assert await gate.aacquire()
        order.append(i)

    await asyncio.gather(*(call(i) for i in range(8)))
    assert order == list(range(8))


async def test_a_waiting_coroutine_leaves_the_event_loop_free():
    gate = Throttle(600, 5000, burst=1)
    await gate.aacquire()
    ticks = 0
    waiting = asyncio.ensure_future(gate.aacquire())
    while not waiting.done():
        await asyncio.sleep(0.005)
        ticks += 1
    assert waiting.result()
    assert ticks > 3


async def test_a_coroutine_that_would_wait_too_long_is_turned_away_at_once():
    gate = Throttle(1, 50, burst=1)
    assert await gate.aacquire()
    started = time.perf_counter()
    assert not await gate.aacquire()
    assert time.perf_counter() - started < 0.5


def test_threads_share_one_pace():
    gate = Throttle(3000, 60_000, burst=1)
    started = time.perf_counter()
    threads = [threading.Thread(target=gate.acquire) for _ in range(11)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert time.perf_counter() - started >= 0.2


@given(
    st.floats(1, 600),
    st.integers(1, 20),
    st.floats(0, 10_000),
    st.lists(st.floats(0, 30), min_size=1, max_size=80),
)
def test_no_minute_sees_more_calls_than_its_share_and_the_burst(per_minute, burst, max_wait_ms, gaps):
    time_ = Time()
    waits = []
    gate = Throttle(per_minute, max_wait_ms, burst=burst, clock=time_.clock, sleep=waits.append)
    passed = []
    for gap in gaps:
        time_.now += gap
        waits.clear()
        if gate.acquire():
            wait = waits[0] if waits else 0.0
            assert wait <= max_wait_ms / 1000 + 1e-6
            passed.append(time_.now + wait)
    assert passed == pytest.approx(sorted(passed))
    for start in passed:
        within = [moment for moment in passed if start <= moment < start + 60 - 1e-6]
        assert len(within) <= per_minute + burst
