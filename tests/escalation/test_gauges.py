from __future__ import annotations

import math
import random
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moslm.escalation.calibration.fitting import fit_calibration
from moslm.escalation.calibration.labelled import LabelledAnswer
from moslm.escalation.gauges import calibrated, missing, raw
from moslm.escalation.second_opinion import Stakes, worth_asking

TODAY = date(2026, 11, 23)
NAMES = ("mean", "grounding", "agreement")


def made(**changes):
    """A calibration of m 1 for finance, from answers that agree with another model where they are right."""
    chance = random.Random(3)
    rows = []
    for i in range(300):
        right = i % 2 == 0
        # some were not asked for a second opinion
        agreement = None if i % 5 == 0 else chance.betavariate(9, 2) if right else chance.betavariate(2, 9)
        mean = chance.betavariate(5, 4) if right else chance.betavariate(4, 5)
        signals = {"mean": mean, "grounding": chance.random(), "agreement": agreement}
        rows.append(LabelledAnswer("finance", f"g{i}", signals, right))
    fitted = fit_calibration(rows, signals=NAMES, model="m", revision="1", created=TODAY)
    return replace(fitted, **changes)


CALIBRATION = made()
WHOLE = {"mean": 0.6, "grounding": 0.5, "agreement": None}


def gauge(calibration=CALIBRATION, *, domain="finance", model="m", revision="1", signals=NAMES, today=TODAY):
    return calibrated(calibration, domain, model, revision, signals, lambda: today)


def test_a_calibration_in_force_gives_a_probability_and_names_its_version():
    reading = gauge()(WHOLE)
    assert 0 < reading.value < 1
    assert reading.calibration.state == "in_force"
    assert reading.calibration.version == CALIBRATION.version


@pytest.mark.parametrize(
    ("changes", "state", "why"),
    [
        ({"model": "other"}, "foreign", "it is of m"),
        ({"domain": "legal"}, "foreign", "never saw legal"),
        ({"revision": "2"}, "stale", "another revision"),
        ({"signals": ("mean", "agreement")}, "stale", "not measured here: grounding"),
        ({"today": TODAY + timedelta(days=90)}, "stale", "expired on 2027-02-21"),
    ],
)
def test_a_calibration_that_does_not_fit_is_named_and_guesses_nothing(changes, state, why):
    reading = gauge(**changes)(WHOLE)
    assert reading.value is None
    assert reading.calibration.state == state
    assert why in reading.calibration.why


def test_a_model_without_calibration_has_no_confidence():
    reading = missing("m was never calibrated")({"mean": 1.0})
    assert reading.value is None
    assert reading.calibration.state == "missing"


def test_a_raw_signal_is_named_as_uncalibrated():
    reading = raw("mean")({"mean": 0.7})
    assert reading.value == 0.7
    assert reading.calibration.state == "uncalibrated"


spoilt = st.sampled_from([None, math.nan, math.inf, -math.inf])


@given(st.sampled_from(["mean", "grounding"]), spoilt, st.floats(0, 1), st.floats(0, 1), st.none() | st.floats(0, 1))
def test_a_spoilt_signal_never_raises_the_calibrated_confidence(name, value, mean, grounding, agreement):
    reading = gauge()({"mean": mean, "grounding": grounding, "agreement": agreement, name: value})
    assert reading.value is None
    assert reading.calibration.state == "incomplete"
    assert name in reading.calibration.why


def stakes(**changes):
    given_stakes = {
        "threshold": 0.8,
        "escalation_usd": 0.004,
        "asking_usd": 0.0,
        "wait_s": 0.5,
        "usd_per_second": 0.0005,
    }
    return Stakes(**{**given_stakes, **changes})


def test_a_second_opinion_is_asked_where_it_could_lift_the_draft_over_the_threshold():
    before = gauge()(WHOLE).value
    assert before < 0.8 < gauge()({**WHOLE, "agreement": 0.97}).value
    assert worth_asking("agreement", WHOLE, gauge(), stakes())


@pytest.mark.parametrize(
    "changes",
    [
        {"threshold": 0.05},  # kept already
        {"escalation_usd": 0.0},  # going up is free
        {"asking_usd": 0.005},  # asking costs more
        {"wait_s": 60.0},  # the wait costs more
    ],
)
def test_otherwise_it_is_not(changes):
    assert not worth_asking("agreement", WHOLE, gauge(), stakes(**changes))


def test_an_answer_that_could_not_move_the_confidence_is_not_asked_for():
    assert not worth_asking("agreement", {"mean": 0.5}, raw("mean"), stakes())


def test_a_signal_the_calibration_does_not_know_is_never_asked_for():
    assert not worth_asking("self_check", WHOLE, gauge(), stakes())


def test_without_a_calibration_nothing_is_asked():
    assert not worth_asking("agreement", WHOLE, missing("never calibrated"), stakes())


def test_a_raw_costly_signal_that_is_the_confidence_is_always_asked_for():
    assert worth_asking("agreement", {"agreement": None}, raw("agreement"), stakes())
