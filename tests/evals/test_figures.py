"""A figure carries an interval that holds what it says."""

import numpy as np
import pytest

from moslm.evals.figures import bootstrap, resampled, share
from moslm.evals.outcomes import Outcome


def test_a_share_has_wilsons_interval() -> None:
    found = share(81, 263)
    assert (found.value, found.n) == (81 / 263, 263)
    assert found.low == pytest.approx(0.2553, abs=1e-4)
    assert found.high == pytest.approx(0.3662, abs=1e-4)


@pytest.mark.parametrize(("hits", "bounds"), [(0, (0.0, 0.1611)), (20, (0.8389, 1.0))])
def test_a_share_of_none_or_all_still_leaves_room(hits: int, bounds: tuple[float, float]) -> None:
    found = share(hits, 20)
    assert (found.low, found.high) == pytest.approx(bounds, abs=1e-4)


def test_no_case_is_no_figure() -> None:
    assert share(0, 0).value is None
    assert bootstrap([], []).value is None


def test_more_hits_than_cases_are_refused() -> None:
    with pytest.raises(ValueError, match="3 of 2"):
        share(3, 2)


def test_the_bootstrap_covers_the_truth_as_often_as_it_says() -> None:
    random, held = np.random.default_rng(3), 0
    for seed in range(200):
        found = bootstrap(list(random.normal(5, 2, 40)), [str(i) for i in range(40)], resamples=400, seed=seed)
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 5 <= found.high
    assert 175 <= held <= 199


def test_cases_that_say_the_same_do_not_narrow_the_interval() -> None:
    values = list(np.random.default_rng(0).normal(0, 1, 30))
    once = bootstrap(values, [str(i) for i in range(30)])
    copied = bootstrap(values * 5, [str(i) for i in range(30)] * 5)
    assert (copied.low, copied.high) == pytest.approx((once.low, once.high), abs=0.08)


def test_a_resample_draws_whole_groups() -> None:
    for chosen in resampled(["a", "b", "a", "c"], 50):
        places = list(chosen)
        assert places.count(0) == places.count(2)


def test_a_resample_is_as_many_whole_groups_as_there_are() -> None:
    groups = ["a", "b", "a", "c", "c", "c", "d"]
    members = {name: [i for i, each in enumerate(groups) if each == name] for name in groups}
    for chosen in resampled(groups, 50):
        left, drawn = chosen.tolist(), 0
        while left:
            whole = members[groups[left[0]]]
            assert left[: len(whole)] == whole
            left, drawn = left[len(whole) :], drawn + 1
        assert drawn == 4


def test_one_group_has_no_interval() -> None:
    found = bootstrap([1.0, 2.0], ["a", "a"])
    assert (found.value, found.low, found.n) == (1.5, None, 2)


def test_values_that_are_all_alike_leave_room_all_the_same() -> None:
    two = bootstrap([1.0, 1.0], ["a", "b"], unit="share")
    assert (two.value, two.low, two.high, two.n) == (1.0, pytest.approx(0.342, abs=1e-3), 1.0, 2)
    copied = bootstrap([1.0] * 20, ["a", "b"] * 10, unit="share")
    assert (copied.low, copied.n) == (two.low, 20)
    free = bootstrap([0.0, 0.0, 0.0], ["a", "b", "c"], unit="usd")
    assert (free.value, free.low, free.high, free.why) == (0.0, None, None, "all alike, which leaves no interval")


def test_what_was_not_graded_counts_as_no_point() -> None:
    made = {"suite": "s", "case": "1", "group": "1", "system": "moslm"}
    assert Outcome(ending="unparsed", **made).worth == 0.0
    assert not Outcome(ending="failed", **made).answered
