"""Formulas against textbooks, and against a queue that is run request by request."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moslm.budgets.sizing import (
    Level,
    Load,
    allen_cunneen,
    mean_wait,
    planned,
    simulated,
    takes_longer,
    waiting_probability,
    waits_longer,
)
from moslm.budgets.sizing.queueing import scv, takes_longer_than

CHARS = Path(__file__).resolve().parents[4] / "shared/data/mmlu_pro_models/output_chars.csv"
EXPONENTIAL = [-math.log(1 - (i + 0.5) / 5000) for i in range(5000)]


def test_erlangs_formula_has_the_values_of_the_textbooks():
    assert waiting_probability(1, 0.6) == pytest.approx(0.6)
    assert waiting_probability(2, 1.0) == pytest.approx(1 / 3)
    assert waiting_probability(10, 8) == pytest.approx(0.409, abs=1e-3)
    assert mean_wait(2, 1.0, 1.0) == pytest.approx(1 / 3)
    assert (mean_wait(2, 2.0, 1.0), waiting_probability(2, 3.0)) == (math.inf, 1.0)


def test_one_place_takes_exponentially_long_in_all():
    # M/M/1: the time from the request to the end of its answer is exponential with the rate 1/s - λ
    assert takes_longer(2.0, 1, 0.6, 1.0) == pytest.approx(math.exp(-0.4 * 2.0))
    # where places and load differ by one, both rates are equal
    assert takes_longer(1.5, 3, 2.0, 1.0) == pytest.approx(takes_longer(1.5, 3, 2.0 + 1e-7, 1.0), rel=1e-5)


def test_one_place_of_any_answers_waits_as_pollaczek_and_khinchine_say():
    assert allen_cunneen(1, 0.7, 2.0, 1.0, 0.0) == pytest.approx(0.7 * 2.0 / (2 * 0.3))
    assert allen_cunneen(1, 0.7, 2.0, 1.0, 1.0) == pytest.approx(mean_wait(1, 0.7, 2.0))


@given(st.integers(1, 200), st.floats(0.01, 0.99), st.floats(0.1, 20), st.floats(0, 60))
def test_probabilities_stay_probabilities(places, used, answer_s, seconds):
    load = used * places
    for value in (
        waiting_probability(places, load),
        waits_longer(seconds, places, load, answer_s),
        takes_longer(seconds, places, load, answer_s),
        takes_longer_than(seconds, places, load, [answer_s], 1.0, 0.0),
    ):
        assert -1e-12 <= value <= 1 + 1e-12
    assert takes_longer(seconds, places, load, answer_s) >= waits_longer(seconds, places, load, answer_s) - 1e-9


@pytest.mark.parametrize(("places", "used"), [(1, 0.6), (4, 0.7), (16, 0.85)])
def test_a_queue_that_is_run_waits_as_erlang_says(places, used):
    run = simulated(used * places, places, EXPONENTIAL, requests=400_000)
    assert run.mean_wait == pytest.approx(mean_wait(places, used * places, 1.0), rel=0.05)
    assert run.waited == pytest.approx(waiting_probability(places, used * places), rel=0.05)
    for seconds in (1.0, 2.0):
        assert run.later(seconds) == pytest.approx(takes_longer(seconds, places, used * places, 1.0), rel=0.05)


def test_evenly_spaced_requests_for_even_answers_never_wait():
    run = simulated(0.9, 1, [1.0], arrivals_scv=0)
    assert run.mean_wait == 0
    assert simulated(0.9, 1, [1.0], arrivals_scv=4).mean_wait > simulated(0.9, 1, [1.0]).mean_wait > 0


def test_a_queue_without_an_end_is_refused():
    with pytest.raises(ValueError, match="cannot answer"):
        simulated(2.0, 2, [1.0])


def answers(model):
    """Lengths of real answers as seconds, at 240 characters a second."""
    rows = csv.DictReader(CHARS.read_text(encoding="utf-8").splitlines())
    return [float(row[model]) / 240 for row in rows if float(row[model]) > 0]


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.skipif(not CHARS.exists(), reason="shared/data is not here")
@pytest.mark.parametrize("model", ["gemma-7b", "Mixtral-8x7B-Instruct-v0.1", "Meta-Llama-3_1-8B-Instruct"])
@pytest.mark.parametrize(("places", "used"), [(1, 0.7), (16, 0.7)])
def test_a_plan_is_within_five_per_cent_of_a_long_run_of_real_answers(model, places, used):
    samples = answers(model)
    rate = used * places / (math.fsum(samples) / len(samples))
    plan = planned(Load(rate, 0, places, samples), None, most_used=used + 1e-6)
    assert plan.places == places
    long = simulated(rate, places, samples, requests=2_000_000, seed=11)
    # two runs differ by chance: what is within their errors is no difference
    noise = 2 * math.hypot(long.error, plan.error)
    assert abs(plan.mean_wait - long.mean_wait) <= max(0.05 * long.mean_wait, noise)
    assert abs(plan.approximated - plan.simulated) <= 0.05 * plan.simulated or plan.method == "simulation"


@pytest.mark.data
@pytest.mark.skipif(not CHARS.exists(), reason="shared/data is not here")
def test_the_approximation_fails_for_answers_that_vary_much_and_the_run_takes_its_place():
    samples = answers("mathstral-7B")
    assert scv(samples) > 3
    rate = 0.7 * 16 / (math.fsum(samples) / len(samples))
    plan = planned(Load(rate, 0, 16, samples), None, most_used=0.7 + 1e-6)
    assert plan.method == "simulation"
    assert plan.mean_wait == plan.simulated
    assert plan.approximated > 1.2 * plan.simulated


def test_a_level_is_kept_by_the_fewest_replicas_exactly():
    load, level = Load(rate=2.8, answer_s=2.0, side_by_side=1), Level(0.9, 6.0)
    plan = planned(load, level, most_used=0.95)
    assert plan.method == "M/M/c"
    assert plan.late <= 0.1 < takes_longer(6.0, plan.replicas - 1, plan.load, 2.0)
    assert planned(load, level, most_used=0.5).replicas == 12


def test_a_level_is_kept_by_the_fewest_replicas_as_run():
    rng = np.random.default_rng(3)
    samples = [float(each) for each in rng.gamma(4, 0.5, 3000)]
    plan = planned(Load(3.0, 0, 1, samples), Level(0.9, 4.0), most_used=0.95)
    assert plan.late <= 0.1
    fewer = simulated(3.0, plan.replicas - 1, samples, seed=7)
    assert fewer.later(4.0) > 0.1


def test_answers_that_vary_less_take_no_more_replicas():
    few, many = (planned(Load(20, 1.0, 1, service_scv=each), Level(0.95, 5.0)).mean_wait for each in (0.2, 3.0))
    assert few < many


def test_no_number_of_replicas_makes_an_answer_faster():
    with pytest.raises(ValueError, match="an answer alone takes"):
        planned(Load(1, 2.0, 1), Level(0.9, 0.3))
