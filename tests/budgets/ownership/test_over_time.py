"""A case over its months, and what it depends on."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moslm.budgets.ownership import (
    INPUTS,
    Case,
    Draws,
    break_even_share,
    break_even_volume,
    drawn,
    horizon,
    month,
    tornado,
    why_not,
)
from moslm.budgets.ownership.chance import Uncertain, default_distributions
from moslm.budgets.ownership.sensitivity import default_ranges

CASE = Case(requests=1e6, escalated=0.2, single_per_request=0.03, hardware=150_000.0, months=36, operating=3_000.0)

cases = st.builds(
    Case,
    requests=st.floats(1, 1e8),
    growth=st.floats(-0.1, 0.2),
    escalated=st.floats(0, 0.6),
    remembered=st.floats(0, 0.2),
    handed_over=st.floats(0, 0.1),
    retried=st.floats(0, 0.3),
    single_per_request=st.floats(0, 1),
    large_per_request=st.none() | st.floats(0, 1),
    local_per_request=st.floats(0, 0.1),
    hardware=st.floats(0, 1e6),
    months=st.integers(1, 48),
    capacity=st.just(0.0) | st.floats(1e4, 1e8),
    most_used=st.floats(0.2, 1),
    operating=st.floats(0, 1e5),
    people_once=st.floats(0, 1e5),
    discount=st.floats(0, 0.5),
)


@given(cases)
def test_a_share_at_which_nothing_is_saved_saves_nothing(case):
    found = break_even_share(case)
    if found.value is None:
        assert found.why.startswith("none")
        return
    scale = max(month(case).single, month(case).total, 1.0)
    if case.capacity == 0:
        assert month(replace(case, escalated=found.value)).saving == pytest.approx(0, abs=1e-6 * scale)
    else:
        # hardware is bought whole: the saving may jump over nothing there
        near = [month(replace(case, escalated=max(found.value + d, 0.0))).saving for d in (-1e-6, 1e-6)]
        assert min(near) <= 1e-3 * scale
        assert max(near) >= -1e-3 * scale


@given(cases)
def test_the_fewest_requests_that_pay_save_nothing_and_fewer_lose(case):
    found = break_even_volume(case)
    if found.value is None or found.value == 0:
        return
    scale = max(month(case, found.value).single, month(case, found.value).total, 1.0)
    assert month(case, found.value).saving == pytest.approx(0, abs=1e-6 * scale)
    assert month(case, found.value * 0.99).saving <= 1e-6 * scale


def test_there_is_no_volume_that_pays_where_each_request_costs_more():
    dear = replace(CASE, local_per_request=0.1)
    assert break_even_volume(dear).value is None
    assert break_even_volume(dear).why.startswith("none: each request costs as much")


def test_there_is_no_volume_that_pays_where_each_further_purchase_loses():
    small = replace(CASE, capacity=50_000.0)
    assert break_even_volume(small).why == "none: with each further purchase of hardware less is saved"


def test_there_is_a_volume_that_pays_after_the_second_purchase():
    tight = replace(CASE, capacity=240_000.0, people=2_000.0)
    found = break_even_volume(tight)
    assert month(tight, found.value).units >= 2
    assert month(tight, found.value).saving == pytest.approx(0, abs=1e-6)


def test_a_case_that_saves_whatever_is_escalated_has_no_share_that_ends_it():
    assert break_even_share(replace(CASE, large_per_request=0.0)).why == "none: it saves at both ends between 0 and 1"
    assert break_even_share(replace(CASE, single_per_request=0.0)).why.startswith("none: it costs more at both ends")


@given(cases)
def test_growth_and_purchases_add_up_over_the_months(case):
    made = horizon(case)
    bought = case.hardware * (made.months[-1].units if made.months else 1)
    cash = sum(each.single - each.cash for each in made.months)
    assert made.cumulative[-1] == pytest.approx(cash - bought - case.people_once, rel=1e-6, abs=1e-3)
    if case.discount == 0:
        assert made.npv == pytest.approx(made.saved, rel=1e-9, abs=1e-6)


def test_later_money_counts_less_and_comes_back_later():
    now, later = horizon(CASE), horizon(replace(CASE, discount=0.2))
    assert later.npv < now.npv
    assert later.discounted_payback > later.payback == now.payback
    # an annuity: 21,000 at the end of each of 36 months
    rate = 1.2 ** (1 / 12) - 1
    assert later.npv == pytest.approx(21_000 * (1 - (1 + rate) ** -36) / rate - 150_000)


def test_what_never_comes_back_says_so():
    made = horizon(replace(CASE, single_per_request=0.005))
    assert made.payback is None
    assert made.discounted_payback is None


def test_hardware_bought_for_growth_is_paid_when_it_is_needed():
    grown = horizon(replace(CASE, growth=0.05, capacity=1_000_000.0))
    units = [each.units for each in grown.months]
    assert units[0] == 1
    assert units[-1] > 1
    assert units == sorted(units)


def test_what_the_saving_depends_on_most_stands_first():
    swings = tornado(CASE, {"operating": (2_000, 5_000), "escalated": (0.1, 0.4)})
    assert [each.name for each in swings] == ["escalated", "operating"]
    assert swings[0].at_low - swings[0].at_high == pytest.approx(0.3 * 30_000)
    with pytest.raises(ValueError, match="must be 0 to 1"):
        tornado(CASE, {"escalated": (0.1, 1.4)})


def test_a_range_by_default_is_a_fifth_to_either_side_of_every_input_that_counts():
    ranges = default_ranges(CASE)
    assert ranges["hardware"] == (120_000, 180_000)
    assert set(ranges) == {"requests", "escalated", "single_per_request", "hardware", "operating"}


def test_the_same_seed_draws_the_same_cases():
    uncertain = default_distributions(default_ranges(CASE), CASE)
    one, two, other = (drawn(CASE, uncertain, Draws(count=500, seed=seed)) for seed in (1, 1, 2))
    assert np.array_equal(one.saving, two.saving)
    assert not np.array_equal(one.saving, other.saving)


def test_quantiles_are_those_of_the_distribution():
    # the saving is a straight line in the operating costs, so its quantiles are known
    uncertain = {"operating": Uncertain("uniform", low=2_000, high=4_000)}
    spread = drawn(CASE, uncertain, Draws(count=20_000, interval=0.9)).spread["saving"]
    assert spread.low == pytest.approx(15_833 + 100, abs=30)
    assert spread.median == pytest.approx(16_833, abs=30)
    assert spread.high == pytest.approx(17_833 - 100, abs=30)


@pytest.mark.parametrize(
    ("uncertain", "mean"),
    [
        (Uncertain("triangular", low=0.1, mode=0.2, high=0.6), 0.3),
        (Uncertain("uniform", low=0.1, high=0.5), 0.3),
        (Uncertain("normal", mean=0.3, sd=0.05), 0.3),
        (Uncertain("lognormal", median=0.3, sigma=0.1), 0.3 * np.exp(0.005)),
        (Uncertain("triangular", low=0.2, mode=0.2, high=0.2), 0.2),
    ],
)
def test_each_distribution_has_its_mean(uncertain, mean):
    assert uncertain.draw(np.random.default_rng(0), 40_000).mean() == pytest.approx(mean, rel=0.01)


def test_a_case_that_cannot_be_is_drawn_again():
    uncertain = {"escalated": Uncertain("normal", mean=0.0, sd=0.3)}
    made = drawn(CASE, uncertain, Draws(count=500))
    # nothing escalated saves 22,833: a negative share would save more
    assert made.saving.max() <= 22_833.4
    with pytest.raises(ValueError, match="hardly a case"):
        drawn(CASE, {"escalated": Uncertain("normal", mean=-9.0, sd=0.1)}, Draws(count=100))


def test_cases_that_do_not_come_back_are_counted():
    made = drawn(CASE, {"single_per_request": Uncertain("uniform", low=0.0, high=0.03)}, Draws(count=2_000))
    assert 0.2 < made.pays_back < 0.9
    assert made.spread["payback"].high == float("inf")


@given(cases, st.sampled_from([*INPUTS]))
def test_an_input_outside_what_it_may_be_is_named(case, name):
    wrong = why_not(replace(case, **{"residual": 0.0, name: float("nan")}))
    assert wrong is not None
    assert wrong[0] == name
