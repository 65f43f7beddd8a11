"""A person in the loop: writes and escalations wait, and go on as decided."""

from __future__ import annotations

import pytest
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command

from moslm import Config
from moslm.config import DomainSettings, LargeModelSettings, ScriptedModel

THREAD = {"configurable": {"thread_id": "t"}}


@pytest.fixture
def written():
    return []


@pytest.fixture
def pay(written):
    @tool
    def pay(amount: int) -> str:
        """Pay an amount."""
        written.append(amount)
        return f"paid {amount}"

    pay.metadata = {"effect": "write"}
    return pay


@pytest.fixture
def graph(moslm, scripted, pay):
    call = AIMessage("", tool_calls=[{"name": "pay", "args": {"amount": 7}, "id": "call-1"}])
    config = Config(domains={"finance": DomainSettings(tools=["pay"])})
    model = scripted([call, "Done: 7 were paid."])
    return moslm({"finance": model}, config=config, tools=[pay], checkpointer=InMemorySaver())


def asked(graph, context=None, thread=THREAD):
    return graph.invoke({"messages": [("user", "Pay 7 from my budget")]}, thread, context=context)


def test_a_write_waits_for_a_person_in_the_shape_front_ends_render(graph, written):
    result = asked(graph)
    question = result["__interrupt__"][0].value
    assert question["action_requests"][0]["name"] == "pay"
    assert question["action_requests"][0]["args"] == {"amount": 7}
    assert question["review_configs"][0]["allowed_decisions"] == ["approve", "edit", "reject", "respond"]
    assert written == []


def test_an_approved_write_runs_once_and_the_answer_follows(graph, written):
    asked(graph)
    result = graph.invoke(Command(resume={"decisions": [{"type": "approve"}]}), THREAD)
    assert written == [7]
    assert result["messages"][-1].text == "Done: 7 were paid."
    used = result["decision"]["drafts"][0]["tools"][0]
    assert (used["name"], used["outcome"], used["approved_by"]) == ("pay", "done", "person")
    assert [(each["what"], each["decision"]) for each in result["decision"]["reviews"]] == [("pay", "approve")]


def test_an_edited_write_runs_with_the_persons_arguments(graph, written):
    asked(graph)
    edit = {"type": "edit", "edited_action": {"name": "pay", "args": {"amount": 5}}}
    graph.invoke(Command(resume={"decisions": [edit]}), THREAD)
    assert written == [5]


@pytest.mark.parametrize(
    "decision", [{"type": "reject", "message": "too much"}, {"type": "respond", "message": "paid"}]
)
def test_a_rejected_or_answered_write_never_runs(graph, written, decision):
    asked(graph)
    result = graph.invoke(Command(resume={"decisions": [decision]}), THREAD)
    assert written == []
    assert result["decision"]["reviews"][0]["decision"] == decision["type"]


@pytest.mark.parametrize(
    "answer",
    [
        "yes",
        {"decisions": []},
        {"decisions": [{"type": "approve"}, {"type": "approve"}]},
        {"decisions": [{"type": "launch"}]},
        {"decisions": [{"type": "edit", "edited_action": {"name": "wipe", "args": {}}}]},
    ],
)
def test_an_answer_that_does_not_fit_the_question_is_asked_again_and_never_guessed(graph, written, answer):
    asked(graph)
    again = graph.invoke(Command(resume=answer), THREAD)
    assert again["__interrupt__"][0].value["problem"]
    assert written == []
    graph.invoke(Command(resume={"decisions": [{"type": "approve"}]}), THREAD)
    assert written == [7]


def test_a_role_that_may_write_is_not_asked(graph, written):
    result = asked(graph, context={"role": "operator"})
    assert written == [7]
    assert result["decision"]["drafts"][0]["tools"][0]["approved_by"] == "operator"


def test_a_strangers_role_does_not_count(graph, written):
    parent = StateGraph(MessagesState, context_schema=dict)
    parent.add_node("moslm", graph)
    parent.add_edge(START, "moslm")
    parent.add_edge("moslm", END)
    compiled = parent.compile(checkpointer=InMemorySaver())
    compiled.invoke({"messages": [("user", "Pay 7 from my budget")]}, THREAD, context={"role": "admin"})
    assert written == []


def test_a_nested_interrupt_is_resumed_from_the_parent(moslm, scripted, pay, written):
    call = AIMessage("", tool_calls=[{"name": "pay", "args": {"amount": 7}, "id": "call-1"}])
    model = scripted([call, "Done."])
    config = Config(domains={"finance": DomainSettings(tools=["pay"])})
    parent = StateGraph(MessagesState)
    parent.add_node("moslm", moslm({"finance": model}, config=config, tools=[pay]))
    parent.add_edge(START, "moslm")
    parent.add_edge("moslm", END)
    compiled = parent.compile(checkpointer=InMemorySaver())
    paused = compiled.invoke({"messages": [("user", "Pay 7 from my budget")]}, THREAD)
    assert paused["__interrupt__"]
    result = compiled.invoke(Command(resume={"decisions": [{"type": "approve"}]}), THREAD)
    assert written == [7]
    assert result["messages"][-1].text == "Done."
    assert len(model.calls) == 2


async def test_one_branch_of_a_fan_out_waits_while_the_other_is_done(moslm, scripted, pay, written):
    call = AIMessage("", tool_calls=[{"name": "pay", "args": {"amount": 7}, "id": "call-1"}])
    models = {"finance": scripted([call, "Paid."]), "it_support": scripted("Restart it.")}
    config = Config(multi_domain="fan_out", domains={"finance": DomainSettings(tools=["pay"])})
    graph = moslm(models, config=config, tools=[pay], checkpointer=InMemorySaver())
    ask = {"messages": [("user", "Pay 7 from my budget. And why is my laptop slow?")]}
    paused = await graph.ainvoke(ask, THREAD)
    assert len(paused["__interrupt__"]) == 1
    result = await graph.ainvoke(Command(resume={"decisions": [{"type": "approve"}]}), THREAD)
    assert written == [7]
    assert "Paid." in result["messages"][-1].text
    assert "Restart it." in result["messages"][-1].text
    assert len(models["it_support"].calls) == 1


class TestEscalationsThatNeedApproval:
    @pytest.fixture
    def large(self, scripted):
        return scripted("From the large model.")

    @pytest.fixture
    def guarded(self, moslm, large):
        section = LargeModelSettings(model=ScriptedModel(kind="scripted"), review=True)
        return moslm(confidence=0.3, large=large, config=Config(large_model=section), checkpointer=InMemorySaver())

    def test_nothing_is_paid_before_a_person_approves(self, guarded, large):
        paused = guarded.invoke({"messages": [("user", "What is my budget?")]}, THREAD)
        assert paused["__interrupt__"][0].value["action_requests"][0]["name"] == "escalate_to_large_model"
        assert large.calls == []
        result = guarded.invoke(Command(resume={"decisions": [{"type": "approve"}]}), THREAD)
        assert result["messages"][-1].text == "From the large model."
        assert result["decision"]["outcome"] == "escalated"

    def test_a_rejected_escalation_is_handed_over_unpaid(self, guarded, large):
        guarded.invoke({"messages": [("user", "What is my budget?")]}, THREAD)
        result = guarded.invoke(Command(resume={"decisions": [{"type": "reject", "message": "not now"}]}), THREAD)
        assert large.calls == []
        assert result["decision"]["outcome"] == "handed_over"
        assert "not now" in result["messages"][-1].text

    def test_a_person_may_answer_instead(self, guarded, large):
        guarded.invoke({"messages": [("user", "What is my budget?")]}, THREAD)
        result = guarded.invoke(Command(resume={"decisions": [{"type": "respond", "message": "It is 9."}]}), THREAD)
        assert result["messages"][-1].text == "It is 9."
        assert result["decision"]["answered_by"] == "person"
