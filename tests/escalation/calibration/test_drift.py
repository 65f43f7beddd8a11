import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moslm.escalation.calibration.calibrator import Scale
from moslm.escalation.calibration.drift import Reference, limit, martingale, place_of, reference

SCALE = Scale("mean", "linear", 0.0, 1.0, True)


def alarm(known_values: Reference, values, lots, level: float) -> tuple[int, str] | None:
    """After how many drafts the capital reaches the level, and what is found; None if it never does."""
    play = martingale(known_values)
    for value, lot in zip(values, lots, strict=True):
        play.play(place_of(known_values, value), lot)
        if play.capital >= level:
            return play.seen, play.finding()
    return None


def draws(random: np.random.Generator, count: int, kind: str) -> list[float | None]:
    if kind == "few values, some missing":
        return [[None, 0.0, 0.0, 1.0][i] for i in random.integers(4, size=count)]
    return random.normal(size=count).tolist()


@pytest.mark.parametrize("kind", ["smooth", "few values, some missing"])
@pytest.mark.parametrize("labelled", [15, 150])
def test_without_drift_alarms_are_no_more_frequent_than_stated_however_often_one_looks(kind, labelled):
    random, alpha, streams, drafts = np.random.default_rng(4), 0.1, 100, 400
    alarms = 0
    for _ in range(streams):
        known_values = reference(SCALE, draws(random, labelled, kind))
        alarms += alarm(known_values, draws(random, drafts, kind), random.random(drafts), 1 / alpha) is not None
    # three standard deviations above alpha: a test that is right fails once in a thousand
    assert alarms / streams <= alpha + 3 * math.sqrt(alpha * (1 - alpha) / streams)


@pytest.mark.parametrize(
    ("level", "spread", "finding", "within"),
    [
        (1.0, 1.0, "higher", 120),
        (-1.0, 1.0, "lower", 120),
        (0.0, 2.5, "more spread out", 200),
        (0.0, 0.4, "less spread out", 200),
    ],
)
@pytest.mark.parametrize("stable", [0, 600])
def test_a_change_is_found_soon_also_after_a_long_calm(level, spread, finding, within, stable):
    random = np.random.default_rng(2)
    known_values = reference(SCALE, random.normal(size=200))
    values = [*random.normal(size=stable), *random.normal(level, spread, within)]
    found = alarm(known_values, values, random.random(len(values)), 1500)
    assert found is not None
    assert stable < found[0]
    assert found[1] == finding


def test_values_that_go_missing_are_drift():
    random = np.random.default_rng(3)
    known_values = reference(SCALE, random.normal(size=100))
    values = [None if i % 2 else float(random.normal()) for i in range(120)]
    assert alarm(known_values, values, random.random(120), 1000) is not None


def test_the_order_of_the_labelled_answers_does_not_matter():
    values = np.random.default_rng(1).normal(size=50).tolist()
    assert reference(SCALE, values) == reference(SCALE, values[::-1])


def test_a_value_that_never_varied_alarms_only_when_it_changes():
    known_values = reference(SCALE, [1.0] * 80)
    lots = np.random.default_rng(0).random(200)
    assert alarm(known_values, [1.0] * 200, lots, 100) is None
    assert alarm(known_values, [0.5] * 200, lots, 100) is not None


@given(st.floats() | st.none(), st.floats(0, 1, exclude_max=True))
def test_no_value_breaks_the_play(value, lot):
    play = martingale(reference(SCALE, [0.1, None, 0.3]))
    play.play(place_of(reference(SCALE, []), value), lot)
    assert 0 <= play.capital < 2
    assert sum(play.counts) == 4


@given(st.lists(st.floats(0, 5), min_size=8, max_size=8), st.floats(0, 1))
def test_a_bet_is_fair_whatever_stands_on_it(wealth, reserve):
    """While nothing has changed the rank is uniform: over all its places nothing is won and nothing is lost."""
    after = []
    for lot in (np.arange(40) + 0.5) / 40:
        play = martingale(Reference(SCALE, ((7, 5),)))
        play.play(7, 0.5)
        play.wealth, play.reserve = list(wealth), reserve
        play.play(7, float(lot))
        after.append(play.capital)
    assert np.mean(after) == pytest.approx(sum(wealth) + reserve, abs=1e-9)


def test_what_an_alarm_needs_grows_with_what_is_watched():
    known_values = reference(SCALE, [1.0])
    assert limit([known_values], 1, 0.01) == pytest.approx(100)
    assert limit([known_values] * 3, 4, 0.01) == pytest.approx(1200)
