"""A request that waits for a person: its state is plain JSON, and goes through a checkpointer and back as it was."""

from __future__ import annotations

import json
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.types import Command

from moslm import Config
from moslm.config import DomainSettings

THREAD: Any = {"configurable": {"thread_id": "t"}}
APPROVE: Any = Command(resume={"decisions": [{"type": "approve"}]})


class OnDisk(InMemorySaver):
    """Keeps nothing but bytes, as a database does, and lets no type through that strict msgpack does not know."""

    def __init__(self) -> None:
        super().__init__(serde=JsonPlusSerializer(pickle_fallback=False, allowed_msgpack_modules=None))


@pytest.fixture
def waiting(moslm, scripted):
    """A graph whose finance has looked something up, and now waits to pay, and whose IT has answered."""
    paid: list[int] = []

    @tool
    def pay(amount: int) -> str:
        """Pay an amount."""
        paid.append(amount)
        return "paid"

    @tool
    def look_up(what: str) -> str:
        """Look something up."""
        return "forty"

    look_up.metadata = {"effect": "read"}
    both = AIMessage(
        "I look and pay.",
        tool_calls=[
            {"name": "look_up", "args": {"what": "budget"}, "id": "1"},
            {"name": "pay", "args": {"amount": 7}, "id": "2"},
        ],
    )
    config = Config(multi_domain="fan_out", domains={"finance": DomainSettings(tools=["pay", "look_up"])})

    def build(saver: Any) -> Any:
        models = {"finance": scripted([both, "Paid."]), "it_support": scripted("Restart it.")}
        return moslm(models, config=config, tools=[pay, look_up], checkpointer=saver)

    return build, paid


def asked(graph: Any) -> Any:
    return graph.invoke({"messages": [("user", "Pay 7 from my budget. And why is my laptop slow?")]}, THREAD)


def test_a_state_that_waits_is_plain_json_with_its_pending_writes(waiting):
    build, paid = waiting
    graph = build(OnDisk())
    assert asked(graph)["__interrupt__"]
    kept = graph.get_state(THREAD)
    plain = {key: value for key, value in kept.values.items() if key != "messages"}
    assert json.loads(json.dumps(plain)) == plain
    assert plain["drafts"]["0"]["pending"] == [{"id": "2", "name": "pay", "args": {"amount": 7}}]
    assert [message["type"] for message in plain["drafts"]["0"]["transcript"]][-2:] == ["ai", "tool"]
    assert kept.next == ("review",)
    assert paid == []


def test_a_request_that_waits_goes_on_in_another_process(waiting):
    build, paid = waiting
    saver = OnDisk()
    asked(build(saver))
    text = _resumed_elsewhere(build(saver)).text
    assert paid == [7]
    assert "Restart it." in text


def _resumed_elsewhere(graph: Any) -> Any:
    # a graph that was built afresh, whose scripts begin again: its model says what it said, and waits again
    again = graph.invoke(APPROVE, THREAD)
    while "__interrupt__" in again:
        again = graph.invoke(Command(resume={"decisions": [{"type": "reject"}]}), THREAD)
    return again["messages"][-1]


async def test_the_same_holds_under_ainvoke(waiting):
    build, paid = waiting
    graph = build(OnDisk())
    question: Any = {"messages": [("user", "Pay 7 from my budget. And why is my laptop slow?")]}
    assert (await graph.ainvoke(question, THREAD))["__interrupt__"]
    result = await graph.ainvoke(APPROVE, THREAD)
    assert paid == [7]
    assert "Paid." in result["messages"][-1].text


def test_a_second_request_while_the_first_waits_starts_afresh_and_pays_nothing(waiting):
    build, paid = waiting
    graph = build(OnDisk())
    asked(graph)
    result = graph.invoke({"messages": [("user", "Why is my laptop slow?")]}, THREAD)
    assert result["messages"][-1].text == "Restart it."
    assert paid == []
    assert graph.get_state(THREAD).values["drafts"].keys() == {"0"}


def test_nothing_of_the_state_is_written_as_a_type_that_strict_msgpack_blocks(waiting, caplog):
    build, _ = waiting
    graph = build(OnDisk())
    asked(graph)
    graph.invoke(APPROVE, THREAD)
    assert list(graph.get_state_history(THREAD))
    assert not [record for record in caplog.records if "msgpack" in record.getMessage().lower()]
