"""A conversation keeps its arm, arms get their shares, and experiments do not know each other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moslm.errors import ConfigError
from moslm.evals.comparing.assigning import assigned

HALVES = {"current": 0.5, "lower": 0.5}


@given(st.text(max_size=60), st.text(min_size=1, max_size=20))
def test_a_conversation_keeps_its_arm(conversation: str, salt: str) -> None:
    assert assigned(conversation, salt, HALVES) == assigned(conversation, salt, dict(HALVES))


def test_each_arm_gets_its_share() -> None:
    arms = [assigned(f"thread-{n}", "s", {"a": 0.7, "b": 0.2, "c": 0.1}) for n in range(20_000)]
    assert [arms.count(arm) / 20_000 for arm in "abc"] == pytest.approx([0.7, 0.2, 0.1], abs=0.012)


def test_another_salt_deals_anew_and_independently() -> None:
    both = sum(assigned(str(n), "one", HALVES) == assigned(str(n), "two", HALVES) for n in range(20_000))
    assert both / 20_000 == pytest.approx(0.5, abs=0.015)


def test_growing_the_second_arm_from_the_end_moves_only_those_it_takes() -> None:
    before, after = {"current": 0.9, "lower": 0.1}, {"current": 0.5, "lower": 0.5}
    ids = [str(n) for n in range(2_000)]
    assert all(assigned(each, "s", after) == "lower" for each in ids if assigned(each, "s", before) == "lower")


@pytest.mark.parametrize("shares", [{}, {"a": 0.5}, {"a": 1.5, "b": -0.5}, {"a": float("nan"), "b": 1.0}])
def test_shares_that_are_none_are_refused(shares: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=r"shares = .*: are no shares; write shares that sum to 1"):
        assigned("t", "s", shares)


def test_an_experiment_needs_a_salt() -> None:
    with pytest.raises(ConfigError, match="name the experiment"):
        assigned("t", "", HALVES)
