"""How fast a provider is asked, whether the count is kept in this process or in Redis for all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moslm.budgets.pace import Bucket, LocalWindow, Pace, Window, bucket
from moslm.budgets.stores.redis_window import RedisWindow

Make = Callable[..., Window]


@pytest.fixture(params=["local", "redis"])
def window(request: pytest.FixtureRequest, clock: Any) -> Iterator[Make]:
    """Make a window: ``window(requests=Bucket(60, 1))``. In Redis, another one of the same name is the same."""
    if request.param == "local":
        yield lambda requests, tokens=None, name="": LocalWindow(Pace(requests, tokens), clock.now)
        return
    store = request.getfixturevalue("clocked_redis")
    run = uuid4().hex
    yield lambda requests, tokens=None, name="": RedisWindow(store, name or uuid4().hex + run, Pace(requests, tokens))


def near(seconds: float) -> Any:
    return pytest.approx(seconds, abs=1e-5)


def test_calls_pass_at_the_pace_that_was_set(window, clock):
    gate = window(Bucket(60, 1))
    assert gate.take(0) == 0
    assert gate.take(0) == near(1.0)
    clock.at += 0.4
    assert gate.take(0) == near(0.6)
    clock.at += 0.6
    assert gate.take(0) == 0


def test_a_burst_passes_at_once_after_a_quiet_time(window, clock):
    gate = window(Bucket(60, 3))
    assert [gate.take(0) for _ in range(4)] == [0, 0, 0, near(1.0)]
    clock.at += 3600
    assert [gate.take(0) for _ in range(4)] == [0, 0, 0, near(1.0)]


def test_who_is_refused_takes_nothing(window, clock):
    gate = window(Bucket(60, 1))
    gate.take(0)
    assert [gate.take(0) for _ in range(5)] == [near(1.0)] * 5
    clock.at += 1
    assert gate.take(0) == 0


def test_tokens_are_counted_beside_requests(window, clock):
    gate = window(Bucket(6000, 100), Bucket(600, 100))
    assert gate.take(60) == 0
    assert gate.take(60) == near(2.0)
    assert gate.take(40) == 0
    clock.at += 6
    assert gate.take(60) == 0


def test_a_call_of_more_tokens_than_a_burst_waits_for_a_full_bucket_and_is_paid_off_after(window, clock):
    gate = window(Bucket(6000, 100), Bucket(600, 100))
    assert gate.take(10) == 0
    assert gate.take(500) == near(1.0)
    clock.at += 1
    assert gate.take(500) == 0
    assert gate.take(1) == near(40.1)


def test_a_rest_that_the_provider_asked_for_is_kept_by_all(window, clock):
    gate = window(Bucket(60, 5))
    gate.rest(30)
    gate.rest(5)
    assert gate.take(0) == near(30.0)
    clock.at += 30
    assert gate.take(0) == 0


def test_nobody_is_believed_who_asks_for_more_than_a_day(window):
    gate = window(Bucket(60, 5))
    gate.rest(1e9)
    assert gate.take(0) == near(86_400.0)


def test_processes_that_share_a_redis_share_one_pace(clocked_redis):
    name, pace = uuid4().hex, Pace(Bucket(60, 2))
    first, second, other = (RedisWindow(clocked_redis, each, pace) for each in (name, name, "other" + name))
    assert [first.take(0), second.take(0), first.take(0), second.take(0)] == [0, 0, near(1.0), near(1.0)]
    assert other.take(0) == 0
    second.rest(20)
    assert first.take(0) == near(20.0)


def test_the_pace_of_five_seconds_is_the_burst_unless_another_is_named():
    assert [bucket(each).burst for each in (60, 2, 90_000)] == [5, 1, 7500]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.floats(1, 600),
    st.integers(1, 20),
    st.integers(10, 1000),
    st.lists(st.tuples(st.floats(0, 30), st.integers(0, 120)), min_size=1, max_size=60),
)
def test_no_minute_sees_more_than_its_share_and_the_burst(window, clock, per_minute, burst, tokens, asked):
    clock.at += 1e6  # a fresh start for each example
    gate = window(Bucket(per_minute, burst), Bucket(tokens, 100))
    passed = []
    for gap, cost in asked:
        clock.at += gap
        if gate.take(cost) == 0:
            passed.append((clock.at, cost))
    for start, _ in passed:
        within = [cost for moment, cost in passed if start <= moment < start + 60 - 1e-3]
        assert len(within) <= per_minute + burst + 1e-3
        assert sum(within) <= tokens + max(100, 120) + 1e-3
