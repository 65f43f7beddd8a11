"""A frontier says what a gate saves, with the field's own figures."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moslm.escalation.calibration.routing import routed
from moslm.evals.frontiers import measures
from moslm.evals.frontiers.curves import cases_of, operating
from moslm.evals.frontiers.frontier import frontier
from moslm.evals.frontiers.gates import Gate, oracle, random_mix, scored
from moslm.evals.tables.recorded import RecordedCase, RecordedTable, recorded


def a_table(count: int = 400, *, price: float = 1.0, seed: int = 0) -> tuple[RecordedTable, np.ndarray]:
    """Cases of known difficulty: the small model is right with the chance that a perfect confidence would say."""
    random = np.random.default_rng(seed)
    chance = random.random(count)
    small, large = random.random(count) < chance, random.random(count) < 0.9
    cases = [RecordedCase(str(i), f"q{i}", str(i // 2)) for i in range(count)]
    usd = np.tile([0.1 * price, price], (count, 1))
    points = np.column_stack([small, large]).astype(float)
    return recorded("made", cases, ["s", "l"], points, usd, small=("s",), large="l"), chance


def test_the_figures_are_those_that_routellm_computes() -> None:
    table, chance = a_table()
    gate = scored(table, "s", chance, before_any_draft=True)
    curve = operating(cases_of(table, gate, "l", priced=True), np.ones(400))
    theirs = routed(-chance, table.points[:, 0] > 0, table.points[:, 1] > 0)
    assert measures.apgr(curve) == pytest.approx(theirs.apgr, abs=1e-9)
    assert measures.cpt(curve, 0.5) == pytest.approx(theirs.cpt50, abs=1e-9)
    assert measures.cpt(curve, 0.8) == pytest.approx(theirs.cpt80, abs=1e-9)
    assert measures.escalated(curve, 0.95) == pytest.approx(theirs.escalations["0.95"], abs=1 / 400)


def test_a_random_mix_recovers_half_the_gap_on_average_and_pays_for_no_draft() -> None:
    table, _ = a_table()
    found = frontier(table, {"random": ("blindly", random_mix(table, "s"))}, "l", resamples=50).systems[0]
    assert found.figures["apgr"].value == pytest.approx(0.5)
    assert found.figures["escalated_parity"].value == pytest.approx(1.0)
    assert found.curve[0].cost == pytest.approx(100)
    assert found.curve[-1].cost == pytest.approx(1000)


def test_a_draft_that_is_escalated_is_paid_for_twice() -> None:
    table, chance = a_table()
    gate = scored(table, "s", chance, before_any_draft=False)
    curve = operating(cases_of(table, gate, "l", priced=True), np.ones(400))
    assert curve.cost[-1] == pytest.approx(1.1)
    assert measures.saved(curve, 1.0) == pytest.approx(1 - (0.1 + measures.escalated(curve, 1.0)), abs=1e-9)


def test_who_knows_more_saves_more() -> None:
    table, chance = a_table(2_000)
    sure = scored(table, "s", chance, before_any_draft=True)
    gates = {"random": ("", random_mix(table, "s")), "sure": ("", sure), "oracle": ("", oracle(table, sure, "l"))}
    found = {each.system: each.figures for each in frontier(table, gates, "l", resamples=100).systems}
    for figure in ("saved_95", "saved_99", "apgr", "aiq"):
        values = [found[name][figure].value or 0.0 for name in ("random", "sure", "oracle")]
        assert values == sorted(values)
        assert all(found[name][figure].low is not None for name in found)
    assert found["sure"]["saved_95"].low > (found["random"]["saved_95"].high or 1)


def test_a_threshold_chosen_on_one_half_nearly_keeps_what_it_reached_there_on_the_other() -> None:
    table, chance = a_table(3_000)
    found = frontier(table, {"x": ("", scored(table, "s", chance, before_any_draft=True))}, "l", resamples=20)
    assert found.systems[0].figures["held_out_95"].value == pytest.approx(0.95, abs=0.01)


def test_equal_confidences_are_not_ranked_by_the_order_of_the_file() -> None:
    table, _ = a_table()
    by_luck = Gate(np.zeros(400, dtype=np.int64), np.zeros(400), ())
    cases = cases_of(table, by_luck, "l", priced=True)
    assert operating(cases, np.ones(400)).escalated.tolist() == [0.0, 1.0]


def test_without_a_price_cost_counts_calls_and_says_so() -> None:
    table, chance = a_table(price=math.nan)
    found = frontier(table, {"x": ("", scored(table, "s", chance, before_any_draft=False))}, "l", resamples=20)
    assert found.unit == "calls to the large model a case"
    assert found.systems[0].curve[-1].cost == pytest.approx(1.0)
    assert found.models[0].cost is None


def test_a_large_model_that_is_no_better_leaves_no_gap_to_recover() -> None:
    table, _ = a_table()
    found = frontier(table, {"x": ("", random_mix(table, "l"))}, "s", resamples=20).systems[0]
    assert found.figures["apgr"].value is None
    assert found.figures["apgr"].why


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 10), st.floats(0, 1)), min_size=1, max_size=20), st.floats(0, 5))
def test_aiq_lies_between_the_least_and_the_most_and_another_point_never_lowers_it(
    points: list[tuple[float, float]], low: float
) -> None:
    costs, quality = np.array([x for x, _ in points]), np.array([y for _, y in points])
    found = measures.aiq(costs, quality, low, low + 1)
    assert found is not None
    assert 0 <= found <= quality.max() + 1e-9
    fewer = measures.aiq(costs[:-1], quality[:-1], low, low + 1)
    assert fewer is None or fewer <= found + 1e-9
