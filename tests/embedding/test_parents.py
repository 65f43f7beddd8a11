"""MoSLM inside the graphs that teams already have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

import pytest
from langchain.agents import create_agent
from langchain.tools import ToolRuntime, tool
from langchain_core.messages import AIMessage
from langgraph.graph import END, START, MessagesState, StateGraph

from moslm import MoSLMContext


class Ticket(TypedDict, total=False):
    question: str
    answer: str
    confidence: float


def test_a_parent_with_another_state_calls_it_inside_a_node(moslm):
    inner = moslm({"finance": "Forty."})

    def help_desk(state: Ticket, config) -> Ticket:
        result = inner.invoke({"messages": [("user", state["question"])]}, config)
        return {"answer": result["messages"][-1].text, "confidence": result["decision"]["confidence"]}

    parent = StateGraph(Ticket)
    parent.add_node("help_desk", help_desk)
    parent.add_edge(START, "help_desk")
    parent.add_edge("help_desk", END)
    assert parent.compile().invoke({"question": "What is my budget?"})["answer"] == "Forty."


def test_as_a_node_it_adds_one_message_and_nothing_of_its_own_state(moslm):
    class Parent(MessagesState):
        decision: dict

    parent = StateGraph(Parent)
    parent.add_node("moslm", moslm({"finance": "Forty."}))
    parent.add_edge(START, "moslm")
    parent.add_edge("moslm", END)
    result = parent.compile().invoke({"messages": [("user", "What is my budget?")]})
    assert [message.type for message in result["messages"]] == ["human", "ai"]
    assert set(result) == {"messages", "decision"}
    assert result["decision"]["outcome"] == "answered"


@dataclass
class Strangers:
    threshold: float = 0.99
    colour: str = "blue"


class Namespaced(TypedDict):
    moslm: MoSLMContext


@pytest.mark.parametrize(
    ("schema", "context", "threshold"),
    [
        (None, None, 0.8),
        (dict, {"colour": "blue"}, 0.8),
        (dict, {"moslm": {"threshold": 0.5}}, 0.5),
        (Strangers, Strangers(), 0.99),
        (MoSLMContext, MoSLMContext(threshold=0.2), 0.2),
        (Namespaced, {"moslm": MoSLMContext(threshold=0.4)}, 0.4),
    ],
)
def test_whatever_context_a_parent_brings_the_knobs_are_found_or_default(moslm, schema, context, threshold):
    parent = StateGraph(MoSLMParent, context_schema=schema)
    parent.add_node("moslm", moslm())
    parent.add_edge(START, "moslm")
    parent.add_edge("moslm", END)
    result = parent.compile().invoke({"messages": [("user", "What is my budget?")]}, context=context)
    assert result["decision"]["threshold"] == threshold


class MoSLMParent(MessagesState):
    decision: dict


def test_in_a_swarm(moslm):
    from langgraph_swarm import create_swarm

    swarm = create_swarm([moslm({"finance": "Forty."})], default_active_agent="moslm", context_schema=MoSLMContext)
    result = swarm.compile().invoke({"messages": [("user", "What is my budget?")]})
    assert result["messages"][-1].text == "Forty."


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_under_a_supervisor(moslm, scripted):
    from langgraph_supervisor import create_supervisor

    hand_off = AIMessage("", tool_calls=[{"name": "transfer_to_moslm", "args": {}, "id": "1"}])
    supervisor = create_supervisor([moslm({"finance": "Forty."})], model=scripted([hand_off, "MoSLM says forty."]))
    result = supervisor.compile().invoke({"messages": [("user", "What is my budget?")]})
    assert any(message.text == "Forty." for message in result["messages"])
    assert result["messages"][-1].text == "MoSLM says forty."


def test_as_a_tool_of_an_agent(moslm, scripted):
    inner = moslm({"finance": "Forty."})

    @tool
    def ask_moslm(question: str, runtime: ToolRuntime) -> str:
        """Ask the company's models."""
        result = inner.invoke({"messages": [("user", question)]}, runtime.config)
        return result["messages"][-1].text

    call = AIMessage("", tool_calls=[{"name": "ask_moslm", "args": {"question": "What is my budget?"}, "id": "1"}])
    agent = create_agent(scripted([call, "It is forty."]), [ask_moslm])
    result = agent.invoke({"messages": [("user", "How much may I spend?")]})
    assert [message.text for message in result["messages"]][-2:] == ["Forty.", "It is forty."]
