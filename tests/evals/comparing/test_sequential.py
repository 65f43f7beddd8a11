"""Live arms may be looked at after every conversation without raising more false alarms than was said."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moslm.errors import ConfigError
from moslm.evals.comparing.sequential import Arrival, bounds, sequence

ALPHA = 0.05
STREAMS = 120


def gaps_of(random: np.random.Generator, first: float, second: float, count: int) -> np.ndarray:
    return (random.random(count) < second).astype(float) - (random.random(count) < first)


def peeking_ever_alarms(gaps: np.ndarray) -> bool:
    """A z test for the difference after every conversation from the twentieth on."""
    n = np.arange(1, len(gaps) + 1)
    mean = np.cumsum(gaps) / n
    spread = np.sqrt(np.maximum(np.cumsum(gaps**2) / n - mean**2, 1e-9) / n)
    return bool((np.abs(mean / spread)[20:] > 1.96).any())


@pytest.mark.parametrize("rate", [0.05, 0.5, 0.93])
def test_where_the_arms_are_alike_no_look_says_otherwise_more_often_than_alpha(rate: float) -> None:
    random, alarms, peeked = np.random.default_rng(int(rate * 100)), 0, 0
    for _ in range(STREAMS):
        gaps = gaps_of(random, rate, rate, 400)
        low, high = bounds(gaps, ALPHA)
        alarms += bool((low > 0).any() or (high < 0).any())
        peeked += peeking_ever_alarms(gaps)
    assert alarms <= STREAMS * ALPHA
    assert peeked > STREAMS * 3 * ALPHA


def test_the_true_difference_stays_inside_at_every_look() -> None:
    random, outside = np.random.default_rng(4), 0
    for _ in range(STREAMS):
        low, high = bounds(gaps_of(random, 0.6, 0.75, 300), ALPHA)
        outside += bool(((low > 0.15) | (high < 0.15)).any())
    assert outside <= STREAMS * ALPHA


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-1, 1), min_size=1, max_size=200))
def test_an_interval_never_widens_again(gaps: list[float]) -> None:
    low, high = bounds(np.array(gaps), ALPHA)
    assert (np.diff(low) >= 0).all()
    assert (np.diff(high) <= 0).all()
    assert (low >= -1).all()
    assert (high <= 1).all()


def arrivals(random: np.random.Generator, first: float, second: float, count: int, share: float) -> list[Arrival]:
    arms = random.random(count) < share
    return [Arrival("b" if arm else "a", float(random.random() < (second if arm else first))) for arm in arms]


def test_a_real_gain_is_found_and_it_is_said_since_when() -> None:
    found = sequence(arrivals(np.random.default_rng(1), 0.6, 0.8, 2_000, 0.5), "a", "b")
    assert found.verdict == "better"
    assert found.since is not None
    assert found.since < 500
    assert found.looks[-1].low > 0


def test_more_of_a_bad_thing_is_worse() -> None:
    found = sequence(arrivals(np.random.default_rng(1), 0.2, 0.5, 1_000, 0.5), "a", "b", more_is_better=False)
    assert found.verdict == "worse"


def test_an_uneven_split_uses_all_its_conversations() -> None:
    found = sequence(arrivals(np.random.default_rng(3), 0.5, 0.8, 3_000, 0.2), "a", "b", (0.8, 0.2))
    assert found.verdict == "better"
    assert found.looks[-1].conversations > 2_500


def test_arms_that_are_alike_are_not_called_equal_but_may_be_not_worse_by_more_than_a_margin() -> None:
    rows = arrivals(np.random.default_rng(9), 0.9, 0.9, 6_000, 0.5)
    assert sequence(rows, "a", "b").verdict == "no difference found yet"
    assert sequence(rows, "a", "b", margin=0.05).verdict == "not worse by more than the margin"


def test_nothing_is_said_before_both_arms_have_a_conversation() -> None:
    found = sequence([Arrival("a", 1.0)], "a", "b")
    assert (found.verdict, found.looks, found.unmatched) == ("no difference found yet", (), 1)


def test_a_value_that_is_no_share_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"value of b = 3\.0: must lie between 0 and 1"):
        sequence([Arrival("a", 1.0), Arrival("b", 3.0)], "a", "b")
