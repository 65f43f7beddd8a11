"""Every way a request can go, with scripted models: what the user reads and what the decision says."""

from __future__ import annotations

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from moslm import Config, MoSLMContext, Reason
from moslm.errors import BackendDown


def steps(decision):
    return [step["name"] for step in decision["steps"]]


def fired(decision):
    return [reason["trigger"] for reason in decision["reasons"]]


def test_a_confident_draft_is_the_answer(moslm, ask):
    text, decision = ask(moslm({"finance": "The budget is 40,000 dollars."}), "What is my budget?")
    assert text == "The budget is 40,000 dollars."
    assert decision["outcome"] == "answered"
    assert decision["domain"] == "finance"
    assert decision["confidence"] == pytest.approx(0.95)
    assert steps(decision) == ["screen", "recall", "classify", "check_request", "answer", "check_draft", "respond"]


def test_a_doubtful_draft_goes_up_and_is_never_shown(moslm, ask):
    text, decision = ask(moslm({"finance": "Perhaps 7."}, confidence=0.4, large="It is 12."), "What is my budget?")
    assert text == "It is 12."
    assert decision["outcome"] == "escalated"
    assert fired(decision) == ["low_confidence"]
    assert decision["drafts"][0]["accepted"] is False


def test_a_draft_that_does_not_know_goes_up_however_sure_it_is_of_that(moslm, ask):
    text, decision = ask(moslm({"finance": "I do not know; please ask."}, large="It is 12."), "What is my budget?")
    assert text == "It is 12."
    assert fired(decision) == ["declined"]


def test_unknown_confidence_counts_as_low(moslm, ask):
    _, decision = ask(moslm({"finance": "Sure."}, confidence=None, large="It is 12."), "What is my budget?")
    assert decision["confidence"] is None
    assert fired(decision) == ["low_confidence"]


def test_without_a_large_model_the_request_is_handed_over_with_the_reason_and_no_invented_answer(moslm, ask):
    text, decision = ask(moslm({"finance": "Perhaps 7."}, confidence=0.4), "What is my budget?")
    assert decision["outcome"] == "handed_over"
    assert decision["answered_by"] is None
    assert "handed this request over" in text
    assert "no large model is configured" in text
    assert "Perhaps" not in text


def test_a_request_that_spans_domains_goes_up_before_any_small_model_is_paid(moslm, ask, scripted):
    finance = scripted("never asked")
    text, decision = ask(moslm({"finance": finance}, large="Both."), "What is my budget and why is my laptop slow?")
    assert text == "Both."
    assert fired(decision) == ["several_domains"]
    assert finance.calls == []
    assert "answer" not in steps(decision)


def test_fan_out_sends_each_domain_its_part_and_joins_the_answers_in_reading_order(moslm, ask, scripted):
    models = {"finance": scripted("Forty thousand."), "it_support": scripted("Restart it.")}
    graph = moslm(models, config=Config(multi_domain="fan_out"))
    text, decision = ask(graph, "What is my budget? And why is my laptop slow?")
    assert decision["action"] == "answer"
    assert decision["outcome"] == "answered"
    assert [draft["domain"] for draft in decision["drafts"]] == ["finance", "it_support"]
    assert text.index("Forty thousand.") < text.index("Restart it.")
    assert "laptop" not in models["finance"].calls[0][-1].text
    assert "budget" not in models["it_support"].calls[0][-1].text


def test_fan_out_goes_up_as_a_whole_when_one_part_is_doubtful(moslm, ask, scripted):
    models = {"finance": scripted("Forty thousand."), "it_support": scripted("Hm.", 0.3)}
    graph = moslm(models, config=Config(multi_domain="fan_out"), large="Both, done.")
    text, decision = ask(graph, "What is my budget? And why is my laptop slow?")
    assert text == "Both, done."
    assert decision["reasons"][-1]["part"] == "1"


def test_the_caller_may_fan_out_where_the_settings_escalate(moslm, ask):
    _, decision = ask(
        moslm(), "What is my budget? And why is my laptop slow?", context=MoSLMContext(multi_domain="fan_out")
    )
    assert len(decision["drafts"]) == 2


def test_an_explicit_wish_for_advanced_reasoning_goes_up(moslm, ask):
    _, decision = ask(moslm(large="Deep thought."), "I need advanced reasoning on my budget, please.")
    assert "asked_for" in fired(decision)
    assert decision["outcome"] == "escalated"


def test_complex_reasoning_goes_up(moslm, ask, chosen):
    classifier = chosen({"prove": "complex_reasoning"})
    _, decision = ask(moslm(large="QED", classifier=classifier), "prove that there are infinitely many primes")
    assert fired(decision) == ["needs_reasoning"]


def test_an_unfamiliar_request_goes_up(moslm, ask):
    strange = Reason(trigger="unfamiliar", detail="unlike anything seen")
    graph = moslm(large="A large answer.", triggers=[lambda evidence: None if evidence.drafts else strange])
    _, decision = ask(graph, "What is my budget?")
    assert fired(decision) == ["unfamiliar"]


def test_a_model_server_that_is_down_is_a_reason_and_not_a_crash(moslm, ask, scripted):
    down = scripted([BackendDown("finance-7b", "finance-7b does not answer")])
    text, decision = ask(moslm({"finance": down}, large="From above."), "What is my budget?")
    assert text == "From above."
    assert fired(decision) == ["backend_failed"]
    assert decision["drafts"][0]["error"] == "down"


def test_a_model_that_answers_nothing_is_a_reason_and_not_an_answer(moslm, ask):
    _, decision = ask(moslm({"finance": "   "}), "What is my budget?")
    assert fired(decision) == ["backend_failed"]
    assert decision["drafts"][0]["error"] == "garbled"


def test_a_classifier_whose_server_is_down_sends_the_request_up(moslm, ask, chosen):
    class Down(chosen):
        def rank(self, turns):
            raise BackendDown("gateway-1b", "gateway-1b does not answer")

    text, decision = ask(moslm(classifier=Down(), large="From above."), "What is my budget?")
    assert text == "From above."
    assert decision["classification"] is None
    assert fired(decision) == ["backend_failed"]


def test_a_large_model_that_fails_leaves_the_request_handed_over_and_the_draft_hidden(moslm, ask, scripted):
    broken = scripted([RuntimeError("secret path /etc/passwd")])
    text, decision = ask(moslm({"finance": "Perhaps 7."}, confidence=0.4, large=broken), "What is my budget?")
    assert decision["outcome"] == "handed_over"
    assert "Perhaps" not in text
    assert "/etc/passwd" not in text


def test_a_caller_who_may_not_escalate_is_told_so(moslm, ask):
    text, decision = ask(
        moslm(confidence=0.4, large="No."), "What is my budget?", context=MoSLMContext(may_escalate=False)
    )
    assert decision["outcome"] == "handed_over"
    assert "may not use the large model" in text


def test_the_callers_threshold_holds(moslm, ask):
    _, decision = ask(moslm(confidence=0.4), "What is my budget?", context=MoSLMContext(threshold=0.3))
    assert decision["outcome"] == "answered"
    assert decision["threshold"] == 0.3


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        ([], "no_message"),
        ([SystemMessage("be nice")], "no_message"),
        ([HumanMessage("")], "empty"),
        ([HumanMessage(" \n\x00\u202e ")], "empty"),
        ([HumanMessage("x" * 1_000_000)], "too_long"),
        ([HumanMessage([{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}])], "not_text"),
    ],
)
def test_what_nobody_can_answer_is_refused_with_a_closed_decision(moslm, messages, code):
    result = moslm().invoke({"messages": messages})
    decision = result["decision"]
    assert decision["outcome"] == "refused"
    assert decision["reasons"][0]["trigger"] == code
    assert result["messages"][-1].text == decision["refusal"]
    assert steps(decision) == ["screen", "respond"]


def test_earlier_turns_reach_the_model_and_bookkeeping_does_not(moslm, scripted):
    finance = scripted("Still 40,000.")
    moslm({"finance": finance}).invoke(
        {
            "messages": [
                HumanMessage("What is my budget?"),
                AIMessage("40,000."),
                AIMessage("", tool_calls=[{"name": "transfer", "args": {}, "id": "1"}]),
                HumanMessage("Is the budget final?"),
            ]
        }
    )
    assert [message.text for message in finance.calls[0][1:]] == [
        "What is my budget?",
        "40,000.",
        "Is the budget final?",
    ]


@pytest.mark.parametrize(
    "text", ["¿Cuál es mi budget? 预算 میزانیه 🙂", "budget\u202e\u0000\u0007 now", "budget " * 500]
)
async def test_odd_text_is_answered_the_same_way_under_ainvoke(moslm, text):
    result = await moslm().ainvoke({"messages": [("user", text)]})
    assert result["decision"]["outcome"] == "answered"


def test_a_message_that_was_turned_away_is_no_part_of_the_conversation(moslm, scripted):
    finance = scripted("Forty.")
    moslm({"finance": finance}).invoke(
        {"messages": [HumanMessage("x" * 40_000), AIMessage("Too long."), HumanMessage("What is my budget?")]}
    )
    assert not any("xxx" in message.text for message in finance.calls[0])


def test_an_empty_answer_of_the_large_model_is_handed_over_and_paid(moslm, ask, scripted):
    empty = scripted("  ")
    _, decision = ask(moslm(confidence=0.3, large=empty), "What is my budget?")
    assert decision["outcome"] == "handed_over"
    assert [usage["role"] for usage in decision["usage"]] == ["small", "large"]


@pytest.mark.parametrize("mode", ["escalate", "fan_out"])
def test_a_label_that_nobody_serves_goes_up_and_reaches_no_model(moslm, ask, chosen, mode):
    classifier = chosen({"court": "legal"})
    classifier.labels = (*classifier.labels, "legal")
    graph = moslm(classifier=classifier, large="From above.", config=Config(multi_domain=mode))
    text, decision = ask(graph, "Must we go to court?")
    assert text == "From above."
    assert fired(decision) == ["unfamiliar"]
    assert decision["drafts"] == []
