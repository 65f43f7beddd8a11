"""The reference design's case, to the dollar, from its inputs."""

from dataclasses import replace

import pytest

from moslm.budgets.ownership import Case, break_even_share, break_even_volume, horizon, month
from moslm.budgets.ownership.case_file import example, parsed_case
from moslm.budgets.ownership.resolving import resolved
from moslm.budgets.prices import PriceTable

CASE = resolved(parsed_case(example(), "reference"), PriceTable(), "reference").case


def test_every_figure_of_the_design_comes_out_of_its_inputs():
    first = month(CASE)
    assert round(first.parts["hardware"]) == 4_167
    assert round(first.parts["operating"]) == 3_000
    assert round(first.parts["large model"]) == 6_000
    assert round(first.total) == 13_167
    assert round(first.single) == 30_000
    assert round(first.saving) == 16_833
    assert round(100 * first.saved) == 56
    assert round(12 * first.saving) == 202_000


def test_the_design_divides_by_the_saving_after_depreciation_and_rounds_to_nine_months():
    made = horizon(CASE)
    assert made.simple_payback == pytest.approx(150_000 / 16_833.33, rel=1e-5)
    assert round(made.simple_payback) == 9
    # in money that is really paid the depreciation is no payment: 150,000 / (30,000 - 9,000)
    assert made.payback == pytest.approx(150_000 / 21_000)


def test_what_the_design_leaves_out_is_neutral():
    named = {"hardware", "operating", "large model"}
    assert {part for part, usd in month(CASE).parts.items() if usd} == named
    assert horizon(CASE).npv == pytest.approx(36 * 21_000 - 150_000)


def test_nothing_is_saved_where_the_design_says_nothing():
    # (4,166.67 + 3,000) / (0.03 - 0.2 x 0.03), and (30,000 - 7,166.67) / 30,000
    assert break_even_volume(CASE).value == pytest.approx(7_166.667 / 0.024, rel=1e-6)
    assert break_even_share(CASE).value == pytest.approx(22_833.333 / 30_000, rel=1e-6)


@pytest.mark.parametrize(
    ("changes", "part", "usd"),
    [
        ({"people": 5_000.0}, "people", 5_000),
        ({"people_once": 36_000.0}, "hardware", 4_166.67 + 1_000),
        ({"handed_over": 0.01, "per_handed_over": 4.0}, "people", 40_000),
        ({"retried": 0.05}, "failed calls", 300),
        ({"classifier_per_thousand": 0.001}, "classifier", 1),
        ({"remembered": 0.3, "classifier_per_thousand": 1.0}, "classifier", 700),
        ({"local_per_request": 0.001}, "small models", 800),
        ({"residual": 36_000.0}, "hardware", 3_166.67),
        ({"kilowatts": 2.0, "per_kwh": 0.2, "cooling": 1.5}, "energy", 2 * 730.5 * 1.5 * 0.2),
        ({"large_per_request": 0.06}, "large model", 12_000),
    ],
)
def test_what_the_design_leaves_out_is_counted_where_it_is_said(changes, part, usd):
    assert month(replace(CASE, **changes)).parts[part] == pytest.approx(usd, abs=0.01)


def test_failed_calls_are_paid_again_by_the_single_model_too():
    assert month(replace(CASE, retried=0.1)).single == pytest.approx(33_000)


def test_hardware_that_is_hardly_used_is_mostly_idle():
    first = month(replace(CASE, capacity=3_200_000.0))
    assert first.utilisation == pytest.approx(0.25)
    assert first.idle == pytest.approx(0.75 * 7_166.67, rel=1e-5)
    assert month(CASE).idle is None


def test_hardware_that_is_full_is_bought_once_more():
    full = replace(CASE, capacity=500_000.0, most_used=0.8)
    first = month(full)
    assert first.units == 2
    assert first.parts["operating"] == 6_000
    assert first.utilisation == pytest.approx(0.8)


def test_electricity_follows_the_load():
    drawing = replace(CASE, kilowatts=1.0, per_kwh=1.0, idle_power=0.3, capacity=1_600_000.0)
    assert month(drawing).parts["energy"] == pytest.approx(730.5 * (0.3 + 0.7 * 0.5))


def test_a_case_has_one_price_for_both_ways_unless_it_says_two():
    assert Case(**{**_seven(), "single_per_request": 0.05}).large == 0.05
    assert Case(**_seven(), large_per_request=0.01).large == 0.01


def _seven():
    return {
        "requests": 1e6,
        "escalated": 0.2,
        "single_per_request": 0.03,
        "hardware": 150_000.0,
        "months": 36,
        "operating": 3_000.0,
    }
