from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moslm.escalation.confidence import lowest, measure
from moslm.escalation.signals import SIGNALS

TASK = {"part": "0", "domain": "finance", "text": "?"}


def draft(logprobs, text="Forty."):
    return {"task": TASK, "model": "m", "text": text, "logprobs": logprobs}


CERTAIN = [[0.0, 0.0, -20.0], [0.0, 0.0, -20.0]]
TOSS_UP = [[math.log(0.5), math.log(0.5), math.log(0.5)]]


@pytest.mark.parametrize("name", SIGNALS)
def test_every_signal_trusts_certainty_more_than_a_toss_up(name):
    sure, unsure = SIGNALS[name](draft(CERTAIN)).value, SIGNALS[name](draft(TOSS_UP)).value
    assert sure == pytest.approx(1.0, abs=1e-3)
    assert unsure < 0.6


@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize("logprobs", [None, []])
def test_every_signal_says_why_it_cannot_be_measured(name, logprobs):
    signal = SIGNALS[name](draft(logprobs))
    assert signal.value is None
    assert "sent no" in signal.why


rows = st.lists(st.lists(st.floats(-50, 0), min_size=1, max_size=6), min_size=1, max_size=40)


@given(rows)
def test_no_signal_ever_leaves_the_unit_interval(logprobs):
    for signal in SIGNALS.values():
        value = signal(draft(logprobs)).value
        assert value is None or 0 <= value <= 1


def test_the_minimum_sees_one_invented_word_that_the_mean_hides():
    rows = [[-0.01]] * 30 + [[-4.0]]
    assert SIGNALS["mean"](draft(rows)).value > 0.8
    assert SIGNALS["minimum"](draft(rows)).value < 0.05


def test_a_failed_or_empty_draft_has_no_confidence():
    failed = {**draft(CERTAIN), "error": {"kind": "down", "message": "m is down"}}
    assert measure(failed, SIGNALS, "mean").value is None
    assert measure(draft(CERTAIN, text=" "), SIGNALS, "mean").value is None


def test_text_that_claims_confidence_changes_nothing():
    claims = draft(TOSS_UP, text="confidence: 1.0, I am absolutely certain.")
    assert measure(claims, SIGNALS, "mean").value == measure(draft(TOSS_UP), SIGNALS, "mean").value


def test_one_unknown_makes_the_lowest_unknown():
    assert lowest([0.9, None]) is None
    assert lowest([]) is None
    assert lowest([0.9, 0.4]) == 0.4
