"""A customer who is upset or vulnerable is answered by a person, or by the models once a person approves that."""

from __future__ import annotations

from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from moslm import Config
from moslm.config import DomainSettings, LargeModelSettings, Price, ScriptedModel

THREAD: Any = {"configurable": {"thread_id": "t"}}
UPSET = "I am furious, this is the third time I write! Where is my refund?!"
VULNERABLE = "My husband died last week and I need the refund for his boots."


def said(text: str) -> Any:
    return {"messages": [("user", text)]}


def resumed(graph: Any, kind: str, **more: Any) -> dict[str, Any]:
    return graph.invoke(Command(resume={"decisions": [{"type": kind, **more}]}), THREAD)


@pytest.fixture
def desk(moslm, scripted):
    """Build a graph, and return it with its model of customer service."""

    def build(**options: Any) -> Any:
        model = scripted("Your refund is on its way.")
        options.setdefault("checkpointer", InMemorySaver())
        return moslm({"customer_service": model}, **options), model

    return build


@pytest.mark.parametrize(("text", "trigger"), [(UPSET, "upset_customer"), (VULNERABLE, "vulnerable_customer")])
def test_a_person_is_asked_before_any_model(desk, text, trigger):
    graph, model = desk()
    waiting = graph.invoke(said(text), THREAD)["__interrupt__"][0].value
    (shown,) = waiting["action_requests"]
    assert (shown["name"], shown["args"]["question"]) == ("answer_customer", text)
    assert waiting["review_configs"][0]["allowed_decisions"] == ["approve", "reject", "respond"]
    assert model.calls == []
    decision = resumed(graph, "respond", message="I am so sorry. You have it tomorrow.")["decision"]
    assert model.calls == []
    assert decision["reasons"][0]["trigger"] == trigger
    assert (decision["answered_by"], decision["checks"][0]["asks"]) == ("person", "customer")


def test_who_may_approve_that_the_small_model_answers(desk):
    graph, model = desk()
    graph.invoke(said(UPSET), THREAD)
    result = resumed(graph, "approve")
    assert result["messages"][-1].text == "Your refund is on its way."
    assert len(model.calls) == 1
    assert result["decision"]["classification"]["mood"]["upset"] >= 0.5


def test_who_may_approve_that_the_request_goes_up_and_sees_its_price(desk, scripted):
    section = LargeModelSettings(model=ScriptedModel(kind="scripted"), review_above_usd=0)
    large = scripted("From above.")
    config = Config(large_model=section, prices={"scripted": Price(input=1000, output=1000)})
    graph, _ = desk(config=config, large=large)
    text = f"{UPSET} Use advanced reasoning."
    shown = graph.invoke(said(text), THREAD)["__interrupt__"][0].value["action_requests"][0]
    assert shown["args"]["approving"] == "asks the large model"
    assert shown["args"]["at_most_usd"] > 0
    assert large.calls == []
    decision = resumed(graph, "approve")["decision"]
    assert decision["outcome"] == "escalated"
    assert len(decision["reviews"]) == 1


def test_who_may_leave_it_to_somebody_else(desk):
    graph, model = desk()
    graph.invoke(said(VULNERABLE), THREAD)
    assert resumed(graph, "reject")["decision"]["outcome"] == "handed_over"
    assert model.calls == []


def test_a_calm_complaint_is_answered_as_ever(desk):
    graph, _ = desk()
    decision = graph.invoke(said("I'd like to complain: the refund for order 10482 is late."), THREAD)["decision"]
    assert decision["outcome"] == "answered"
    assert "upset_customer" in decision["checks"][0]["considered"]


def test_a_domain_that_does_not_ask_about_moods_does_not_measure_them(desk):
    graph, _ = desk()
    decision = graph.invoke(said("I am furious, who took my budget?!"), THREAD)["decision"]
    assert decision["outcome"] == "answered"
    assert decision["classification"]["mood"] is None


def test_a_domain_says_in_which_moods_it_asks(desk):
    graph, _ = desk(config=Config(domains={"customer_service": DomainSettings(ask_when=["vulnerable"])}))
    assert graph.invoke(said(UPSET), THREAD)["decision"]["outcome"] == "answered"
    other = {"configurable": {"thread_id": "u"}}
    assert graph.invoke(said(VULNERABLE), other)["__interrupt__"]


def test_where_nobody_can_be_asked_the_request_is_handed_over_and_says_so(desk):
    graph, model = desk(checkpointer=None)
    result = graph.invoke(said(VULNERABLE))
    assert result["decision"]["outcome"] == "handed_over"
    assert "nobody can be asked in this run" in result["messages"][-1].text
    assert model.calls == []


def test_several_domains_are_shared_out_once_it_is_approved(desk):
    graph, _ = desk(config=Config(multi_domain="fan_out"))
    graph.invoke(said(f"{UPSET} And why is my laptop slow?"), THREAD)
    decision = resumed(graph, "approve")["decision"]
    assert [draft["domain"] for draft in decision["drafts"]] == ["customer_service", "it_support"]
