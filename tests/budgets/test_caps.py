import math
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moslm.budgets.caps import DailyCap, Reservation


class Clock:
    def __init__(self):
        self.now = datetime(2026, 11, 23, 23, 0, tzinfo=UTC)

    def __call__(self):
        return self.now


def test_a_reservation_takes_money_and_a_call():
    cap = DailyCap(max_usd=1.0, max_calls=5)
    assert isinstance(cap.reserve(0.4), Reservation)
    assert (cap.spent_usd(), cap.calls()) == (0.4, 1)


def test_settling_books_what_the_call_really_cost():
    cap = DailyCap(max_usd=1.0, max_calls=5)
    cap.reserve(0.9).settle(0.1)
    assert cap.spent_usd() == 0.1
    assert isinstance(cap.reserve(0.9), Reservation)


def test_a_released_reservation_never_was():
    cap = DailyCap(max_usd=1.0, max_calls=1)
    cap.reserve(1.0).release()
    assert (cap.spent_usd(), cap.calls()) == (0.0, 0)


def test_only_the_first_settling_or_release_counts():
    cap = DailyCap(max_usd=1.0, max_calls=5)
    reservation = cap.reserve(0.5)
    reservation.settle(0.2)
    reservation.release()
    reservation.settle(0.9)
    assert (cap.spent_usd(), cap.calls()) == (0.2, 1)


def test_a_full_cap_says_why_and_when_there_is_room_again():
    cap = DailyCap(max_usd=1.0, max_calls=5)
    cap.reserve(0.8)
    assert cap.reserve(0.3) == "the daily cap of $1 for the large model is reached; there is room again from 00:00 UTC"


def test_the_calls_of_a_day_are_capped_too():
    cap = DailyCap(max_usd=1.0, max_calls=1)
    cap.reserve(0.0)
    assert "cap of 1 calls of the large model is reached" in cap.reserve(0.0)


def test_a_call_larger_than_the_cap_is_not_promised_for_tomorrow():
    assert "one call may cost up to $2, more than the daily cap of $1" in DailyCap(1.0, 5).reserve(2.0)


def test_a_cap_of_nothing_allows_only_what_is_free():
    cap = DailyCap(max_usd=0.0, max_calls=5)
    assert isinstance(cap.reserve(0.0), Reservation)
    assert isinstance(cap.reserve(1e-12), str)


def test_a_new_utc_day_starts_afresh():
    clock = Clock()
    cap = DailyCap(max_usd=1.0, max_calls=1, clock=clock)
    cap.reserve(1.0)
    clock.now += timedelta(hours=1)
    assert isinstance(cap.reserve(1.0), Reservation)


def test_a_call_over_midnight_counts_on_the_day_it_was_reserved():
    clock = Clock()
    cap = DailyCap(max_usd=1.0, max_calls=5, clock=clock)
    reservation = cap.reserve(1.0)
    clock.now += timedelta(hours=2)
    cap.reserve(0.25)
    reservation.settle(0.9)
    assert (cap.spent_usd(), cap.calls()) == (0.25, 1)


def test_a_clock_set_back_does_not_give_the_money_out_twice():
    clock = Clock()
    cap = DailyCap(max_usd=1.0, max_calls=5, clock=clock)
    clock.now += timedelta(hours=2)
    cap.reserve(1.0)
    clock.now -= timedelta(hours=2)
    assert isinstance(cap.reserve(0.5), str)


def test_the_day_is_utcs_wherever_the_clock_stands():
    clock = Clock()
    cap = DailyCap(max_usd=1.0, max_calls=5, clock=clock)
    cap.reserve(1.0)
    clock.now = datetime.fromisoformat("2026-11-24T00:30:00+02:00")
    assert isinstance(cap.reserve(0.5), str)


@pytest.mark.parametrize("amount", [-0.1, math.nan, math.inf])
def test_an_amount_that_is_none_is_an_error(amount):
    with pytest.raises(ValueError, match="amount of money"):
        DailyCap(1.0, 5).reserve(amount)


@given(
    st.lists(st.tuples(st.floats(0, 0.4), st.floats(0, 1), st.booleans()), min_size=1, max_size=60),
    st.floats(0, 2),
    st.integers(0, 30),
)
@settings(max_examples=25, deadline=None)
def test_threads_together_never_exceed_the_cap(calls, max_usd, max_calls):
    cap = DailyCap(max_usd, max_calls)
    lock, booked, over = threading.Lock(), [], []

    def call(worst_case, share, made):
        reservation = cap.reserve(worst_case)
        if isinstance(reservation, str):
            return
        if cap.spent_usd() > max_usd or cap.calls() > max_calls:
            over.append(cap.spent_usd())
        if not made:
            reservation.release()
            return
        reservation.settle(worst_case * share)
        with lock:
            booked.append(worst_case * share)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda each: call(*each), calls))
    assert not over
    assert math.fsum(booked) <= max_usd + 1e-12
    assert len(booked) <= max_calls
    assert cap.calls() == len(booked)
    assert cap.spent_usd() == pytest.approx(math.fsum(booked), abs=1e-9)
