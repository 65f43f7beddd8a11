import re

import pytest
from decision_samples import DRAFT_TRIGGERS, REQUEST_TRIGGERS, a_decision, an_unsure_decision, any_decisions
from hypothesis import given, settings

from moslm.decision import (
    Check,
    Classification,
    Cost,
    DraftRecord,
    Latency,
    Reason,
    Review,
    Span,
    Stopped,
    ToolUse,
    Usage,
)
from moslm.governance.explanation import explain


def sent_up(*reasons, **changes):
    check = Check(stage="request", action="escalate", considered=REQUEST_TRIGGERS, reasons=list(reasons))
    values = {"outcome": "escalated", "action": "escalate", "answered_by": "gpt-4o", "drafts": [], "confidence": None}
    return a_decision(**{**values, "checks": [check], "reasons": list(reasons), **changes})


UNFAMILIAR = Reason(
    trigger="unfamiliar", detail="of familiar requests only 0.4% look this strange", measured=0.004, threshold=0.02
)
REASONING = Reason(
    trigger="needs_reasoning", detail="complex reasoning has probability 0.71", measured=0.71, threshold=0.5
)
SPANS = Reason(trigger="several_domains", detail="it spans finance and it_support", measured=2.0)
WISH = Reason(trigger="asked_for", detail="the request asks for advanced reasoning")


@given(any_decisions)
@settings(max_examples=150, deadline=None)
def test_any_decision_is_explained_without_a_missing_value_showing(decision):
    text = explain(decision)
    assert text
    assert not re.search(r"\b(None|nan|inf)\b", text)
    assert all(char.isprintable() or char == "\n" for char in text)


def test_an_answered_request_is_told_paragraph_by_paragraph():
    assert explain(a_decision()).split("\n\n") == [
        "Decision 0b8f2c4e of 2026-11-23 20:44:00 UTC, tenant acme. It was answered by finance's own model (smollm2).",
        "The classifier (encoder-1) took it for finance (finance 0.91, it_support 0.05, customer_service 0.03,"
        " complex_reasoning 0.01). Its novelty p-value is 0.430 against a limit of 0.020, so it counts as familiar.",
        "Before any small model was asked, 4 triggers could fire: several_domains, needs_reasoning, asked_for and"
        " unfamiliar. No trigger fired, so one small model was to answer. Once the drafts were there, 2 triggers could"
        " fire: backend_failed and low_confidence. No trigger fired, so what the small models wrote was shown.",
        "The draft of finance's own model (smollm2) had a confidence of 0.91, not below its threshold of 0.80; it was"
        " accepted. Its signals: mean 0.91.",
        "Had the confidence been below 0.80, the request would have gone up. Had its novelty p-value been below 0.020,"
        " it would have gone up without a draft. Had the probability of complex reasoning reached 0.50, likewise.",
        "The small model (smollm2) read 812 tokens and wrote 74 tokens in 1 call. It cost $0; a large model for"
        " everything (gpt-4o) would have cost $0.00277, so $0.00277 was saved.",
        "It took 412 ms in all. The latency budget of finance's own model, 500 ms, was kept: 312 ms.",
    ]


def test_an_unsure_draft_is_told_with_what_would_have_been_enough():
    text = explain(an_unsure_decision())
    assert "It was answered by the large model (gpt-4o)." in text
    assert (
        "low_confidence fired: Confidence 0.62 is below 0.80. Did not fire: backend_failed."
        " So the large model was to answer instead." in text
    )
    assert "had a confidence of 0.62, below its threshold of 0.80; it was not shown." in text
    assert "Had the confidence been at least 0.80, finance's own model would have answered." in text


def test_an_unknown_confidence_is_called_unknown_and_low():
    draft = DraftRecord(part="0", domain="finance", model="m", confidence=None, threshold=0.8, accepted=False)
    text = explain(an_unsure_decision(confidence=None, drafts=[draft]))
    assert "had an unknown confidence, which counts as below its threshold of 0.80; it was not shown." in text
    assert "Had the confidence been at least 0.80, finance's own model would have answered." in text


@pytest.mark.parametrize(
    ("reason", "otherwise"),
    [
        (UNFAMILIAR, "Had its novelty p-value been at least 0.020, finance's own model would have been asked first."),
        (
            REASONING,
            "Had the probability of complex reasoning been below 0.50, finance's own model would have been asked",
        ),
        (WISH, "Had it not asked for advanced reasoning, finance's own model would have been asked first."),
        (
            SPANS,
            "Had all of it been about one domain, a small model would have been asked first. With multi_domain ="
            ' "fan_out", each domain\'s own model would have answered its part.',
        ),
        (
            Reason(trigger="of_a_stranger", detail="it is Sunday"),
            "Had of_a_stranger not fired, finance's own model would have been asked first.",
        ),
    ],
)
def test_each_trigger_is_turned_round(reason, otherwise):
    text = explain(sent_up(reason))
    assert otherwise in text
    assert f"{reason.trigger} fired: {reason.detail}." in text


def test_several_reasons_must_all_have_been_otherwise():
    assert (
        "Had it not asked for advanced reasoning and its novelty p-value been at least 0.020, finance's own model"
        " would have been asked first." in explain(sent_up(WISH, UNFAMILIAR))
    )


def test_a_reasoning_request_below_the_threshold_is_not_told_it_had_to_be_lower():
    reason = Reason(trigger="needs_reasoning", detail="d", measured=0.45, threshold=0.5)
    assert "Had another kind of request been more probable than complex reasoning" in explain(sent_up(reason))


def test_an_unmeasured_novelty_is_said_to_be_unmeasured():
    found = a_decision().classification.model_copy(update={"novelty_p": None})
    assert "could not be measured" in explain(a_decision(classification=found))


def test_parts_are_named_by_their_place_and_never_by_their_text():
    found = Classification(
        classifier="c",
        domain="finance",
        probabilities={"finance": 0.6, "it_support": 0.4},
        domains=["finance", "it_support"],
        spans=[
            Span(start=0, end=40, domain="finance", probability=0.9),
            Span(start=41, end=80, domain="it_support", probability=0.8),
        ],
    )
    assert (
        "Part by part it is about finance 0.90 (characters 0 to 40) and it_support 0.80 (characters 41 to 80)."
        in explain(sent_up(SPANS, classification=found))
    )


def test_a_handed_over_request_says_what_the_user_was_told_and_what_was_missing():
    text = explain(sent_up(UNFAMILIAR, outcome="handed_over", answered_by=None, refusal="no large model is configured"))
    assert "It was handed over to a person and carries no model's answer." in text
    assert "The reason given: No large model is configured." in text
    assert "Had a large model been there to answer" in text


def test_a_refused_request_was_never_classified():
    empty = Check(
        stage="request", action="refuse", considered=[], reasons=[Reason(trigger="empty", detail="It is empty.")]
    )
    text = explain(
        a_decision(
            outcome="refused",
            action="refuse",
            answered_by=None,
            domain=None,
            classification=None,
            checks=[empty],
            drafts=[],
            confidence=None,
            refusal="The message is empty.",
        )
    )
    assert "It was turned away. The reason given: The message is empty." in text
    assert "The request was not classified." in text
    assert "empty fired: It is empty. So it was turned away." in text


def test_a_remembered_answer_asked_no_model():
    text = explain(
        a_decision(outcome="recalled", answered_by="memory", classification=None, checks=[], drafts=[], usage=[])
    )
    assert "The answer was remembered from an earlier request; no model was asked." in text
    assert "Had no answer been remembered" in text
    assert "not classified" not in text


def test_a_failed_server_is_told_without_its_address():
    failed = Reason(trigger="backend_failed", detail="finance is down", part="0")
    draft = DraftRecord(part="0", domain="finance", model="smollm2", threshold=0.8, accepted=False, error="down")
    check = Check(stage="draft", action="escalate", considered=DRAFT_TRIGGERS, reasons=[failed])
    text = explain(an_unsure_decision(checks=[check], reasons=[failed], drafts=[draft], confidence=None))
    assert "There is no draft of finance's own model (smollm2): nothing answered at its address." in text
    assert "Had finance's own model not failed, its draft would have been held against the threshold of 0.80." in text


def test_tools_and_what_people_decided_are_told():
    tools = [
        ToolUse(name="find_ticket", effect="read", outcome="done"),
        ToolUse(name="open_ticket", effect="write", outcome="done", approved_by="person"),
    ]
    draft = a_decision().drafts[0].model_copy(update={"tools": tools, "passages": ["travel.md#meals"]})
    text = explain(a_decision(drafts=[draft], reviews=[Review(what="open_ticket", decision="approve")]))
    assert "It used find_ticket (read, done) and open_ticket (write, done, allowed by person)." in text
    assert "It was given travel.md#meals from the handbook." in text
    assert "A person was shown open_ticket and approved it." in text


def test_the_time_says_that_a_person_was_waited_for():
    reviews = [Review(what="open_ticket", decision="approve")]
    waited = explain(a_decision(total_ms=94_000.0, reviews=reviews))
    assert "It took 94.0 s in all, the time a person took to decide included." in waited
    assert "a person took" not in explain(a_decision())


def test_the_wait_for_the_first_words_is_told_where_there_were_words():
    assert "The first words of the answer came after 90 ms." in explain(a_decision(first_token_ms=90.0))
    assert "first words" not in explain(a_decision(outcome="refused"))


def test_a_loss_against_the_large_model_is_called_one():
    cost = Cost(spent_usd=0.003, baseline_usd=0.002, baseline_model="gpt-4o", saved_usd=-0.001)
    assert "would have cost $0.00200, so it cost $0.00100 more." in explain(a_decision(cost=cost))


def test_guessed_tokens_and_missed_budgets_are_said_to_be_so():
    text = explain(
        a_decision(
            usage=[Usage(model="m", role="large", input_tokens=1, output_tokens=2, known=False)],
            latency=[Latency(what="large_model", budget_ms=3000, measured_ms=4100, kept=False)],
        )
    )
    assert "read 1 token and wrote 2 tokens in 1 call, estimated because the server reported none." in text
    assert "The latency budget of the large model, 3000 ms, was not kept: 4100 ms." in text


@pytest.mark.parametrize(
    ("stopped", "told"),
    [
        (
            Stopped(rule="declined", token=5, at_most=96),
            "was stopped early, at token 5 of at most 96, because it had said that it does not know; it was not shown.",
        ),
        (
            Stopped(rule="out_of_reach", token=8, confidence=0.4, least=0.8),
            "was stopped early, at token 8, because its confidence could have reached 0.40 at most and its threshold is"
            " 0.80; it was not shown.",
        ),
        (
            Stopped(rule="running_low", token=1200, at_most=4096, confidence=0.2, least=0.4),
            "at token 1,200 of at most 4,096, because its running confidence was 0.20, and nearly all labelled drafts"
            " that reach its threshold of 0.80 run at 0.40 or more; it was not shown.",
        ),
    ],
)
def test_a_draft_that_was_stopped_is_told_with_where_and_why(stopped, told):
    draft = DraftRecord(part="0", domain="finance", model="m", threshold=0.8, accepted=False, stopped=stopped)
    text = explain(an_unsure_decision(confidence=None, drafts=[draft]))
    assert told in text
    assert "had an unknown confidence" not in text
    assert ("Had finance's draft run higher" in text) == (stopped.rule != "declined")
