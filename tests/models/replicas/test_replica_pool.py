from __future__ import annotations

import itertools

from hypothesis import settings as examples
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from langchain_core.messages import HumanMessage

from moslm.config import ResilienceSettings
from moslm.models.replicas import pool as pools
from moslm.models.replicas.pool import Refusal, ReplicaPool, Seat
from moslm.models.replicas.prefixes import read

PLACES = 3


class PoolUnderAnyTraffic(RuleBasedStateMachine):
    """Any order of calls, ends, deaths, looks and waits; nobody but the test looks at servers."""

    @initialize(servers=st.integers(1, 4))
    def begin(self, servers: int) -> None:
        self.now, self.seats, self.well = 0.0, [], True
        settings = ResilienceSettings(max_in_flight=PLACES, failures_to_open=2)
        addresses = [f"http://s{i}/v1" for i in range(servers)]
        self.pool = ReplicaPool("m", addresses, settings, lambda _: self.well, lambda: self.now)
        pools.watch, self.watch = lambda pool, index: None, pools.watch

    def teardown(self) -> None:
        if hasattr(self, "watch"):
            pools.watch = self.watch

    @rule(seconds=st.floats(0, 30))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(text=st.sampled_from(["a", "b", "a longer question of many words"]))
    def call(self, text: str) -> None:
        before = self.pool.states()
        taken = self.pool.take(read([HumanMessage(text)]))
        able = {state.replica - 1 for state in before if state.standing in ("in_service", "trial")}
        if isinstance(taken, Refusal):
            # nobody is refused while somebody could answer, not even somebody who fails often
            assert not able
            assert not any(state.standing == "ejected" for state in before)
        else:
            assert taken.replica in able or not able
            self.seats.append(taken)

    @precondition(lambda self: self.seats)
    @rule(data=st.data(), end=st.sampled_from(["answered", "failed", "died", "rests", "left"]))
    def call_ends(self, data: st.DataObject, end: str) -> None:
        seat: Seat = self.seats.pop(data.draw(st.integers(0, len(self.seats) - 1)))
        if end == "answered":
            self.pool.answered(seat, 30)
        elif end == "rests":
            self.pool.rests(seat, 2.0, "full")
        elif end == "left":
            self.pool.left(seat)
        else:
            self.pool.failed(seat, "failed", died=end == "died")

    @rule(well=st.booleans(), data=st.data())
    def look(self, well: bool, data: st.DataObject) -> None:
        index = data.draw(st.integers(0, len(self.pool) - 1))
        self.well = well
        if self.pool.due(index) == 0.0:
            self.pool.look(index)

    @invariant()
    def places_are_counted(self) -> None:
        for state in self.pool.states():
            assert state.in_flight == sum(seat.replica == state.replica - 1 for seat in self.seats)
            assert state.in_flight <= PLACES

    @invariant()
    def not_everybody_is_ejected(self) -> None:
        standings = {state.standing for state in self.pool.states()}
        taken = self.pool.take(read([HumanMessage("probe")]))
        if isinstance(taken, Seat):
            self.pool.left(taken)
        assert standings != {"ejected"} or isinstance(taken, Seat)

    @invariant()
    def every_server_can_come_back(self) -> None:
        for index, state in enumerate(self.pool.states()):
            if state.standing == "down" or (state.standing == "open" and not state.in_flight):
                assert self.pool.due(index) is not None


TestPoolUnderAnyTraffic = PoolUnderAnyTraffic.TestCase
TestPoolUnderAnyTraffic.settings = examples(max_examples=40, stateful_step_count=40, deadline=None)


def pool_of(servers: int) -> ReplicaPool:
    addresses, seconds = [f"http://s{i}/v1" for i in range(servers)], itertools.count()
    return ReplicaPool("m", addresses, ResilienceSettings(), lambda _: False, lambda: float(next(seconds)))


def test_a_call_is_not_taken_to_the_same_server_twice():
    pool, prompt = pool_of(2), read([HumanMessage("x")])
    first = pool.take(prompt)
    pool.left(first)
    second = pool.take(prompt, {(first.replica, first.life)})
    assert {first.replica, second.replica} == {0, 1}
    assert isinstance(pool.take(prompt, {(0, 0), (1, 0)}), Refusal)


def test_a_conversation_comes_back_to_the_server_that_holds_it():
    pool = pool_of(3)
    told = [HumanMessage("word " * 400)]
    first = pool.take(read(told))
    pool.answered(first, 10)
    for _ in range(4):
        again = pool.take(read([*told, HumanMessage("and then?")]))
        pool.answered(again, 10)
        assert again.replica == first.replica
        assert again.why.startswith("holds 5")
