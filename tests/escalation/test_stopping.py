from __future__ import annotations

import math

import pytest

from moslm.decision import Stopped
from moslm.escalation import triggers
from moslm.escalation.calibration.tracks import Floor
from moslm.escalation.gauges import missing, raw
from moslm.escalation.signals import SIGNALS
from moslm.escalation.stopping import Prospects, finishes
from moslm.escalation.triggers import DraftEvidence, Evidence
from moslm.state import Draft, Task
from moslm.statements.declining import declined_for_good
from tests.escalation.test_triggers import classification, policy


def written(look, words, probabilities):
    """Write a draft word by word; return at which word the lookout stopped it, and why."""
    for count in range(1, len(words) + 1):
        text = " ".join(words[:count])

        def so_far(count=count, text=text):
            draft = Draft(task=Task(part="0", domain="finance", text="How much?"), model="m", text=text)
            draft["logprobs"] = [[math.log(p), math.log(1 - p)] for p in probabilities[:count]]
            return draft

        if stopped := look(text, count, so_far):
            return stopped
    return None


def lookout(gauge=None, best=None, floor=None, *, threshold=0.8, at_most=20, may_call=False, finish=False):
    prospects = Prospects(SIGNALS, gauge or raw("minimum"), best, lambda _: floor)
    return prospects.lookout(threshold, at_most, may_call=may_call, finish=finish)


def most_of(signal):
    return lambda reaches: reaches[signal].most


WORDS = "The limit for a night is as high as you like it to be here and there".split()  # noqa: SIM905
SURE = [0.99] * len(WORDS)


@pytest.mark.parametrize(
    ("text", "declines"),
    [
        ("I do not know", False),
        ("I do not know;", True),
        ("I do not know ", True),
        ("I do not knowingly", False),
        ("Sorry, I cannot say why", True),
        ("The limit", False),
        ("", False),
    ],
)
def test_words_that_decline_count_once_something_has_followed_them(text, declines):
    assert declined_for_good(text) == declines


def test_a_draft_that_declines_is_stopped_at_once():
    stopped = written(lookout(), ["I", "do", "not", "know;", "please", "ask", "the", "team"], SURE)
    assert stopped == Stopped(rule="declined", token=4, at_most=20)


def test_a_draft_is_stopped_at_the_first_look_after_it_has_no_way_up_any_more():
    doubtful = [0.99] * 6 + [0.5] + [0.99] * 20
    stopped = written(lookout(best=most_of("minimum")), WORDS, doubtful)
    assert (stopped.rule, stopped.token, stopped.confidence, stopped.least) == ("out_of_reach", 8, 0.5, 0.8)


def test_a_mean_can_recover_as_long_as_enough_tokens_are_left():
    doubtful = [0.3] * 4 + [0.99] * 20
    gauge, best = raw("mean"), most_of("mean")
    assert written(lookout(gauge, best, at_most=200), WORDS, doubtful) is None
    assert written(lookout(gauge, best, at_most=None), WORDS, doubtful) is None
    assert written(lookout(gauge, best, at_most=20), WORDS, doubtful).token == 4


def test_a_running_confidence_counts_after_two_looks():
    floor = Floor(least=0.6, reached=0.8, drafts=30, rate=0.1)
    stopped = written(lookout(raw("mean"), floor=floor), WORDS, [0.5] * 20)
    assert (stopped.rule, stopped.token, stopped.least) == ("running_low", 6, 0.6)
    assert stopped.confidence == pytest.approx(0.5)
    assert written(lookout(raw("mean"), floor=floor), WORDS, [0.7] * 20) is None


def test_what_already_reaches_the_threshold_is_never_too_low():
    floor = Floor(least=0.6, reached=0.8, drafts=30, rate=0.1)
    assert written(lookout(raw("mean"), floor=floor, threshold=0.4), WORDS, [0.5] * 20) is None


@pytest.mark.parametrize("words", [["I", "do", "not", "know;", "let", "me", "look"], WORDS])
def test_a_model_that_may_still_call_tools_is_not_stopped_for_certain(words):
    assert lookout(best=most_of("minimum"), may_call=True) is None  # nobody need look
    floor = Floor(least=0.05, reached=0.8, drafts=30, rate=0.1)
    assert written(lookout(best=most_of("minimum"), floor=floor, may_call=True), words, [0.1] * 20) is None


def test_a_draft_whose_confidence_would_be_unknown_is_finished():
    assert written(lookout(missing("never calibrated"), best=lambda _: 0.0), WORDS, [0.1] * 20) is None


def test_a_tenth_of_the_drafts_is_finished_whatever_they_say():
    share = sum(finishes(f"request {i}", "0") for i in range(4000)) / 4000
    assert share == pytest.approx(0.1, abs=0.02)
    assert written(lookout(best=most_of("minimum"), finish=True), WORDS, [0.1] * 20) is None
    assert written(lookout(finish=True), ["I", "do", "not", "know;", "please", "ask"], SURE).rule == "declined"


def evidence(stopped, declined=False):
    draft = DraftEvidence("0", "finance", "m", None, 0.8, None, declined, None, stopped)
    return Evidence(classification(), policy(), (draft,))


def test_the_reason_says_where_a_draft_was_stopped_and_why():
    stopped = Stopped(rule="out_of_reach", token=8, at_most=96, confidence=0.5, least=0.8)
    assert triggers.stopped_early(evidence(stopped)).detail == (
        "the finance draft was stopped early at token 8 of at most 96: its confidence could reach 0.50 at most"
        " (needs 0.80)"
    )
    stopped = Stopped(rule="running_low", token=6, confidence=0.31, least=0.4)
    assert triggers.stopped_early(evidence(stopped)).detail == (
        "the finance draft was stopped early at token 6: its running confidence was 0.31, and drafts that reach 0.80"
        " seldom have less than 0.40"
    )
    assert triggers.low_confidence(evidence(stopped)) is None


def test_a_draft_that_declined_has_declined_wherever_it_was_stopped():
    found = evidence(Stopped(rule="declined", token=5, at_most=96), declined=True)
    assert triggers.stopped_early(found) is None
    assert triggers.declined(found).detail == "m does not know the answer (stopped early at token 5 of at most 96)"
