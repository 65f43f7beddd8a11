from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from moslm.models.replicas.breaker import Breaker

OPENS_AFTER = 3


def opened() -> Breaker:
    breaker = Breaker(OPENS_AFTER, 1.0)
    for _ in range(OPENS_AFTER):
        breaker.failed(breaker.began(), 0.0)
    return breaker


class BreakerUnderAnyTraffic(RuleBasedStateMachine):
    """Calls begin, end and go away in any order, whatever the time, and looks succeed or fail."""

    @initialize()
    def begin(self) -> None:
        self.breaker, self.now, self.out = Breaker(OPENS_AFTER, 1.0), 0.0, []

    @rule(seconds=st.floats(0, 40))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @precondition(lambda self: self.breaker.admits())
    @rule()
    def call(self) -> None:
        half_open = self.breaker.state == "half_open"
        self.out.append(self.breaker.began())
        assert not half_open or not self.breaker.admits(), "half open, it admits one call"

    @precondition(lambda self: self.out)
    @rule(data=st.data(), end=st.sampled_from(["succeeded", "failed", "left"]))
    def call_ends(self, data: st.DataObject, end: str) -> None:
        epoch = self.out.pop(data.draw(st.integers(0, len(self.out) - 1)))
        before = (self.breaker.state, self.breaker.epoch)
        if end == "failed":
            self.breaker.failed(epoch, self.now)
        else:
            getattr(self.breaker, end)(epoch)
        assert epoch == before[1] or (self.breaker.state, self.breaker.epoch) == before

    @rule(well=st.booleans())
    def look(self, well: bool) -> None:
        state, until = self.breaker.state, self.breaker.open_until
        self.breaker.probed(well, self.now)
        if state == "open" and self.now < until:
            assert self.breaker.state == "open", "nobody is admitted before its time"

    @rule()
    def server_dies(self) -> None:
        self.breaker.died()

    @invariant()
    def open_admits_nobody_and_for_fifteen_seconds_at_most(self) -> None:
        assert self.breaker.state != "open" or not self.breaker.admits()
        assert self.breaker.open_until <= self.now + 15.0

    @invariant()
    def it_never_gets_stuck(self) -> None:
        current = [epoch for epoch in self.out if epoch == self.breaker.epoch]
        assert self.breaker.admits() or self.breaker.state == "open" or current


TestBreakerUnderAnyTraffic = BreakerUnderAnyTraffic.TestCase


def test_it_opens_after_so_many_failures_in_a_row():
    assert opened().state == "open"


def test_an_answer_in_between_begins_the_row_anew():
    breaker = Breaker(OPENS_AFTER, 1.0)
    for end in "ffsffs":
        epoch = breaker.began()
        breaker.failed(epoch, 0.0) if end == "f" else breaker.succeeded(epoch)
    assert breaker.state == "closed"


@given(st.lists(st.booleans(), min_size=10, max_size=60))
def test_it_opens_where_six_in_ten_of_the_last_calls_failed(ends):
    breaker, latest = Breaker(1000, 1.0), []
    for well in ends:
        latest = [*latest, well][-20:]
        epoch = breaker.began()
        breaker.succeeded(epoch) if well else breaker.failed(epoch, 0.0)
        should = len(latest) >= 10 and not well and latest.count(False) >= 0.6 * len(latest)
        assert (breaker.state == "open") is should
        if should:
            return


def test_calls_that_die_together_are_one_failure():
    breaker = Breaker(OPENS_AFTER, 1.0)
    epochs = [breaker.began() for _ in range(50)]
    breaker.failed(epochs[0], 0.0)
    breaker.died()
    for epoch in epochs[1:]:
        breaker.failed(epoch, 0.0)
    assert breaker.state == "closed"


def test_a_trial_that_succeeds_closes_it_and_one_that_fails_opens_it_for_longer():
    breaker = opened()
    breaker.probed(True, 1.0)
    breaker.failed(breaker.began(), 1.0)
    assert (breaker.state, breaker.open_until) == ("open", 3.0)
    breaker.probed(True, 3.0)
    breaker.succeeded(breaker.began())
    assert breaker.state == "closed"


def test_a_server_that_is_not_well_gets_no_trial():
    breaker = opened()
    breaker.probed(False, 1.0)
    assert breaker.state == "open"
    assert breaker.open_until == 3.0
