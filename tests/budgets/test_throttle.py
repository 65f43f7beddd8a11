"""Who may ask a provider next, and who waits for how long."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import dataclass, field
from math import inf
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moslm.budgets.pace import Bucket, LocalWindow, Pace
from moslm.budgets.throttle import Asking, Throttle


class Time:
    """A clock that only waiting moves."""

    def __init__(self) -> None:
        self.now = 100.0
        self.waits = list[float]()

    def clock(self) -> float:
        return self.now

    def sleep(self, woken: threading.Event, seconds: float) -> None:
        self.waits.append(round(seconds, 6))
        self.now += seconds


def throttle(time_: Time, per_minute: float = 60, max_wait_ms: float = 5000, burst: int = 1) -> Throttle:
    pace = Pace(Bucket(per_minute, burst))
    return Throttle(pace, LocalWindow(pace, time_.clock), max_wait_ms, clock=time_.clock, sleep=time_.sleep)


def real(per_minute: float, max_wait_ms: float = 30_000) -> Throttle:
    pace = Pace(Bucket(per_minute, 1))
    return Throttle(pace, LocalWindow(pace), max_wait_ms)


def test_a_caller_waits_for_its_place():
    time_ = Time()
    gate = throttle(time_)
    assert [gate.acquire() for _ in range(4)] == [True] * 4
    assert time_.waits == [1.0, 1.0, 1.0]


def test_who_would_wait_too_long_is_turned_away_at_once_and_takes_no_place():
    time_ = Time()
    gate = throttle(time_, max_wait_ms=500)
    assert [gate.acquire() for _ in range(3)] == [True, False, False]
    assert time_.waits == []
    time_.now += 0.5
    assert gate.acquire()
    assert time_.waits == [0.5]


def test_nobody_waits_beyond_the_deadline_of_its_call():
    time_ = Time()
    gate = throttle(time_)
    assert gate.acquire()
    assert not gate.acquire(Asking(deadline=time_.now + 0.9))
    assert gate.acquire(Asking(deadline=time_.now + 1.0))


def test_a_rest_that_is_longer_than_anyone_waits_turns_all_away_at_once():
    time_ = Time()
    gate = throttle(time_, burst=5)
    gate.rest(60)
    assert not gate.acquire()
    assert time_.waits == []
    time_.now += 56
    assert gate.acquire()
    assert time_.waits == [4.0]


@dataclass
class Waiting:
    """One caller of the simulation."""

    steps: Any
    tenant: str
    deadline: float
    came: float
    tokens: int
    wakes_at: float = -inf
    ended: float | None = None
    passed: bool = False
    gone: bool = False


@dataclass
class Simulation:
    """Drives callers by a clock of its own, as threads or an event loop would, but each time in the same order."""

    pace: Pace
    max_wait_s: float
    now: float = 0.0
    callers: list[Waiting] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.window = LocalWindow(self.pace, lambda: self.now)
        self.gate = Throttle(self.pace, self.window, self.max_wait_s * 1000, clock=lambda: self.now)

    def comes(self, tenant: str, tokens: int = 0, deadline: float = inf) -> Waiting:
        caller = Waiting(None, tenant, deadline, self.now, tokens)

        def wake() -> None:
            caller.wakes_at = self.now

        caller.steps = self.gate.waiting(Asking(tenant, tokens, deadline), wake)
        self.callers.append(caller)
        self._step(caller)
        return caller

    def leaves(self, caller: Waiting) -> None:
        caller.gone = True
        caller.steps.close()

    def until(self, moment: float) -> None:
        while True:
            waiting = [each for each in self.callers if each.ended is None and not each.gone]
            due = min(waiting, key=lambda each: each.wakes_at, default=None)
            if due is None or due.wakes_at > moment:
                break
            self.now = max(self.now, due.wakes_at)
            self._step(due)
        self.now = max(self.now, moment)

    def _step(self, caller: Waiting) -> None:
        reply = None
        try:
            while True:
                seconds = caller.steps.send(reply)
                if seconds is not None:
                    caller.wakes_at = self.now + seconds
                    return
                reply = self.window.take(caller.tokens)
        except StopIteration as end:
            caller.ended, caller.passed = self.now, end.value


def test_tenants_take_turns():
    world = Simulation(Pace(Bucket(60, 1)), 30)
    callers = [world.comes(tenant) for tenant in "aaaabbc"]
    world.until(30)
    order = "".join(each.tenant for each in sorted(callers, key=lambda each: each.ended or 0))
    assert order == "aabcaba"  # the first one passed before anybody else had come
    assert all(each.passed for each in callers)


def test_a_tenants_own_calls_pass_in_the_order_they_came():
    world = Simulation(Pace(Bucket(60, 1)), 30)
    callers = [world.comes("a") for _ in range(5)]
    world.until(30)
    assert [each.ended for each in callers] == pytest.approx([0, 1, 2, 3, 4])


def test_a_storm_is_turned_away_at_once_where_it_is_sure_to_wait_too_long_and_others_are_not():
    world = Simulation(Pace(Bucket(60, 1)), 3)
    storm = [world.comes("storm") for _ in range(50)]
    assert sum(each.ended is None for each in storm) <= 5
    other = world.comes("other")
    world.until(10)
    assert other.passed


def test_who_gives_up_hands_its_turn_on():
    world = Simulation(Pace(Bucket(60, 1)), 30)
    _, second, third = (world.comes("a") for _ in range(3))
    world.until(0.5)
    world.leaves(second)
    world.until(5)
    assert third.ended == pytest.approx(1.0)


def test_a_call_that_is_too_large_for_its_patience_does_not_keep_the_small_ones_waiting():
    world = Simulation(Pace(Bucket(6000, 100), Bucket(600, 100)), 3)
    assert world.comes("a", tokens=100).passed
    large = world.comes("a", tokens=100)
    small = world.comes("a", tokens=10)
    world.until(5)
    assert (large.passed, large.ended) == (False, 0)
    assert small.passed


ARRIVALS = st.lists(
    st.tuples(st.floats(0, 0.7), st.sampled_from("ssssab"), st.integers(0, 40), st.one_of(st.none(), st.floats(0, 6))),
    min_size=1,
    max_size=80,
)


@settings(max_examples=150, deadline=None)
@given(ARRIVALS, st.integers(1, 4), st.floats(0, 8), st.sets(st.integers(0, 79), max_size=10))
def test_whoever_comes_and_goes_none_waits_too_long_and_none_is_starved(arrivals, burst, max_wait, leaving):
    world = Simulation(Pace(Bucket(60, burst), Bucket(1200, 50)), max_wait)
    for i, (gap, tenant, tokens, patience) in enumerate(arrivals):
        world.until(world.now + gap)
        caller = world.comes(tenant, tokens, inf if patience is None else world.now + patience)
        if i in leaving and caller.ended is None:
            world.leaves(caller)
    world.until(world.now + 60)
    stayed = [each for each in world.callers if not each.gone]
    assert all(each.ended is not None for each in stayed), "somebody waits for ever"
    for each in stayed:
        assert each.ended <= min(each.came + max_wait, max(each.deadline, each.came)) + 1e-6
    passed = sorted((each for each in stayed if each.passed), key=lambda each: each.ended)
    # between coming and passing, no other tenant had more turns than this caller's own tenant had, and one more
    for each in passed:
        turns = [other.tenant for other in passed if each.came < other.ended < each.ended - 1e-9]
        own = turns.count(each.tenant)
        assert all(turns.count(tenant) <= own + 1 for tenant in set(turns) - {each.tenant})


def test_threads_share_one_pace():
    gate = real(3000)
    started = time.perf_counter()
    said = list[bool]()
    threads = [threading.Thread(target=lambda: said.append(gate.acquire())) for _ in range(11)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert said == [True] * 11
    assert time.perf_counter() - started >= 0.2


async def test_coroutines_wait_in_the_order_they_came():
    order = []
    gate = real(6000)

    async def call(i: int) -> None:
        assert await gate.aacquire()
        order.append(i)

    await asyncio.gather(*(call(i) for i in range(8)))
    assert order == list(range(8))


async def test_a_waiting_coroutine_leaves_the_event_loop_free():
    gate = real(600)
    await gate.aacquire()
    ticks = 0
    waiting = asyncio.ensure_future(gate.aacquire())
    while not waiting.done():
        await asyncio.sleep(0.005)
        ticks += 1
    assert waiting.result()
    assert ticks > 3


async def test_a_coroutine_that_is_cancelled_hands_its_turn_on():
    gate = real(300)
    await gate.aacquire()
    first, second = (asyncio.ensure_future(gate.aacquire()) for _ in range(2))
    await asyncio.sleep(0.01)
    first.cancel()
    assert await second


def test_a_caller_whose_event_loop_is_gone_does_not_hold_the_turn():
    def closed() -> None:
        raise RuntimeError("Event loop is closed")

    gate, woken = real(60), list[str]()
    assert gate.acquire()
    first, dead, living = (
        gate.waiting(Asking(tenant), wake)
        for tenant, wake in (("a", list), ("b", closed), ("c", lambda: woken.append("c")))
    )
    assert next(first) is None
    assert first.send(1.0) == pytest.approx(1.0)
    next(dead)
    next(living)
    first.close()
    assert woken == ["c"]
