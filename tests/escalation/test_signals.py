from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moslm.decision import ToolUse
from moslm.escalation.confidence import lowest, measure
from moslm.escalation.gauges import raw
from moslm.escalation.signals import COSTLY, SIGNALS

TASK = {"part": "0", "domain": "finance", "text": "How much may a hotel cost per night?"}
PASSAGE = "Hotels are paid up to 140 euros a night, in Dublin up to 190 euros. Book through the travel desk."


def draft(logprobs=None, text="Up to 140 euros a night.", **changes):
    return {"task": TASK, "model": "m", "text": text, "logprobs": logprobs, **changes}


def value(name, given_draft):
    return SIGNALS[name](given_draft).value


CERTAIN = [[0.0, -20.0, -20.0], [0.0, -20.0, -20.0]]
TOSS_UP = [[math.log(0.5), math.log(0.5)]]
FROM_TOKENS = ("mean", "minimum", "entropy", "margin")


@pytest.mark.parametrize("name", FROM_TOKENS)
def test_every_token_signal_trusts_certainty_more_than_a_toss_up(name):
    assert value(name, draft(CERTAIN)) == pytest.approx(1.0, abs=1e-3)
    assert value(name, draft(TOSS_UP)) < 0.6


@pytest.mark.parametrize("name", FROM_TOKENS)
@pytest.mark.parametrize(
    ("logprobs", "why"),
    [
        (None, "sent no"),
        ([], "sent no"),
        ([[math.nan]], "no numbers"),
        ([[-0.1], [-math.inf]], "no numbers"),
        ([[-0.1], [math.inf]], "no numbers"),
        ([[-0.1], []], "no numbers"),
        ([[-0.1], [None]], "no numbers"),
        ([[0.7]], "no numbers"),
    ],
)
def test_one_unusable_token_makes_every_token_signal_unknown_and_says_why(name, logprobs, why):
    signal = SIGNALS[name](draft(logprobs))
    assert signal.value is None
    assert why in signal.why


@pytest.mark.parametrize("name", sorted(set(SIGNALS) - {"brevity", "substance"}))
def test_every_signal_that_lacks_its_evidence_says_so(name):
    signal = SIGNALS[name](draft())
    assert signal.value is None
    assert signal.why


def test_the_minimum_sees_one_invented_word_that_the_mean_hides():
    rows = [[-0.01]] * 30 + [[-4.0]]
    assert value("mean", draft(rows)) > 0.8
    assert value("minimum", draft(rows)) < 0.05


def test_alternatives_without_a_rival_tell_no_margin():
    assert "no alternatives" in SIGNALS["margin"](draft([[-0.1]])).why


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Up to 140 euros a night.", 1.0),
        ("Hotels in Dublin are paid up to 190 euros.", 1.0),
        ("Up to 150 euros a night.", 0.0),
        ("In Paris up to 190 euros a night.", 0.0),
        ("It depends on the weather and on the moon.", 0.0),
        ("", 0.0),
    ],
)
def test_grounding_is_strict_about_numbers_and_names(text, expected):
    assert value("grounding", draft(text=text, evidence=[PASSAGE])) == pytest.approx(expected)


def test_a_denial_that_stands_in_no_passage_halves_the_grounding():
    said = value("grounding", draft(text="Hotels are paid.", evidence=[PASSAGE]))
    denied = value("grounding", draft(text="Hotels are not paid.", evidence=[PASSAGE]))
    assert denied == said / 2


def test_a_number_of_the_request_may_be_repeated():
    asked = {**TASK, "text": "I need a purchase of 30,000 euros approved"}
    said = draft(text="30,000 euros: the finance director.", task=asked, evidence=["The finance director approves it."])
    assert value("grounding", said) > 0.5


def tools(*outcomes, **changes):
    return [ToolUse(name=f"t{i}", effect="read", outcome=o, **changes).model_dump() for i, o in enumerate(outcomes)]


@pytest.mark.parametrize(
    ("used", "expected"),
    [
        (tools("done"), 1.0),
        (tools("failed"), 0.0),
        (tools("done", "unknown"), 0.5),
        (tools("done", empty=True), 0.5),
        ([{**tools("failed")[0]}, {**tools("done")[0]}], 1.0),
    ],
)
def test_tool_outcomes_count_the_last_call_of_each_tool(used, expected):
    assert value("tool_outcomes", draft(tools=used)) == expected


def test_what_layer_1_measured_becomes_signals():
    found = {"probabilities": {"finance": 0.7, "it_support": 0.2}, "novelty_p": 0.31}
    assert value("classifier_margin", draft(classification=found)) == pytest.approx(0.5)
    assert value("familiarity", draft(classification=found)) == 0.31
    assert value("classifier_margin", draft(classification=found, task={**TASK, "domain": "it_support"})) == 0.0
    assert value("familiarity", draft(classification={**found, "novelty_p": None})) is None


def test_a_long_or_cut_off_answer_is_trusted_less():
    assert value("brevity", draft()) > value("brevity", draft(text="word " * 80))
    assert value("brevity", draft(cut_off=True)) == 0.0


def test_an_echo_of_the_question_has_no_substance():
    assert value("substance", draft(text="A hotel may cost much per night.")) == 0.0
    assert value("substance", draft(text="The travel desk books it.")) == 1.0


def test_retrieval_tells_a_fitting_passage_from_another():
    fits = draft(passages=["Expenses: Hotels"], evidence=[PASSAGE])
    other = draft(passages=["Rules: VAT"], evidence=["The VAT rate is 23 percent."])
    assert value("retrieval", fits) > 0.5 > value("retrieval", other)


@pytest.mark.parametrize(
    ("second", "agrees"),
    [
        ("Up to 140 euros a night.", True),
        ("A night may cost up to 140 euros.", True),
        ("Up to 190 euros a night.", False),
        ("Not up to 140 euros a night.", False),
        ("In Dublin up to 140 euros a night.", False),
        ("Up to 140 euros a night on Tuesday.", False),
        ("I do not know.", False),
        ("Something else entirely.", False),
    ],
)
def test_agreement_is_strict_about_numbers_names_and_denial(second, agrees):
    found = value("agreement", draft(opinions={"agreement": {"model": "other", "text": second}}))
    assert (found > 0.6) is agrees
    if not agrees:
        assert found < 0.2


def test_a_second_opinion_that_failed_is_a_missing_signal():
    failed = draft(opinions={name: {"model": "other", "error": "other is down"} for name in COSTLY})
    for name in COSTLY:
        assert SIGNALS[name](failed).value is None
        assert "down" in SIGNALS[name](failed).why


@pytest.mark.parametrize("yes", [None, math.nan, math.inf, -0.1, 1.5])
def test_a_self_check_that_is_no_probability_is_missing(yes):
    assert value("self_check", draft(opinions={"self_check": {"model": "m", "yes": yes}})) is None


numbers = st.one_of(st.floats(), st.just(None), st.integers())
anything = st.fixed_dictionaries(
    {
        "task": st.just(TASK),
        "model": st.just("m"),
        "text": st.text(),
        "logprobs": st.one_of(st.none(), st.lists(st.lists(numbers, max_size=6), max_size=20)),
        "evidence": st.lists(st.text(), max_size=3),
        "passages": st.lists(st.text(), max_size=3),
        "cut_off": st.booleans(),
        "opinions": st.fixed_dictionaries(
            {},
            optional={
                "agreement": st.fixed_dictionaries({"model": st.just("o")}, optional={"text": st.text()}),
                "self_check": st.fixed_dictionaries({"model": st.just("o")}, optional={"yes": numbers}),
            },
        ),
    }
)


@given(anything)
def test_no_draft_whatever_makes_a_signal_raise_or_leave_the_unit_interval(made):
    for name in SIGNALS:
        found = value(name, made)
        assert found is None or 0 <= found <= 1


@given(anything, st.sampled_from([math.nan, math.inf, -math.inf, None]), st.data())
def test_spoiling_a_log_probability_never_raises_a_confidence(made, spoilt, data):
    rows = [[-0.5, -1.0], [-0.1, -3.0], [-2.0, -2.5]]
    row = data.draw(st.integers(0, 2))
    broken = [list(each) for each in rows]
    broken[row][0] = spoilt
    for name in FROM_TOKENS:
        assert measure({**made, "text": "x", "logprobs": broken}, SIGNALS, raw(name)).value is None


def test_an_absurdly_long_draft_is_measured_in_no_time():
    long = draft([[-0.1, -2.0]] * 20_000, text="a1 B2, not c. " * 100_000, evidence=["x " * 500_000], passages=["p"])
    long["opinions"] = {"agreement": {"model": "o", "text": "a1 B2, not c. " * 100_000}}
    for name in SIGNALS:
        found = value(name, long)
        assert found is None or 0 <= found <= 1


def test_a_failed_or_empty_draft_has_no_confidence():
    failed = {**draft(CERTAIN), "error": {"kind": "down", "message": "m is down"}}
    assert measure(failed, SIGNALS, raw("mean")).value is None
    assert measure(draft(CERTAIN, text=" "), SIGNALS, raw("mean")).value is None


def test_text_that_claims_confidence_changes_nothing_about_the_tokens():
    claims = draft(TOSS_UP, text="confidence: 1.0, I am absolutely certain.")
    for name in FROM_TOKENS:
        assert value(name, claims) == value(name, draft(TOSS_UP))


def test_one_unknown_makes_the_lowest_unknown():
    assert lowest([0.9, None]) is None
    assert lowest([]) is None
    assert lowest([0.9, 0.4]) == 0.4
