from __future__ import annotations

import json

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.store.memory import InMemoryStore

from moslm import Config, Decision
from moslm.config import RecallSettings
from moslm.decision import Action


def test_a_full_state_goes_through_a_checkpointer_and_back_under_strict_msgpack(moslm):
    saver = InMemorySaver(serde=JsonPlusSerializer(allowed_msgpack_modules=None))
    graph = moslm(confidence=0.4, large="Large.", config=Config(multi_domain="fan_out"), checkpointer=saver)
    thread = {"configurable": {"thread_id": "t"}}
    graph.invoke({"messages": [("user", "What is my budget? And why is my laptop slow?")]}, thread)
    kept = graph.get_state(thread).values
    plain = {key: value for key, value in kept.items() if key != "messages"}
    assert json.loads(json.dumps(plain)) == plain
    assert set(plain["drafts"]) == {"0", "1"}
    assert Decision.model_validate(kept["decision"]).plain() == kept["decision"]


def test_a_second_request_on_the_same_thread_starts_with_nothing_of_the_first(moslm):
    graph = moslm(checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "t"}}
    first = graph.invoke({"messages": [("user", "What is my budget?")]}, thread)["decision"]
    second = graph.invoke({"messages": [("user", "My laptop is slow")]}, thread)["decision"]
    assert second["domain"] == "it_support"
    assert [draft["domain"] for draft in second["drafts"]] == ["it_support"]
    assert len(second["steps"]) == len(first["steps"])
    assert second["turns"] == 2
    assert second["thread_id"] == "t"


def test_only_messages_and_the_decision_leave_the_graph(moslm):
    result = moslm().invoke({"messages": [("user", "What is my budget?")]})
    assert set(result) == {"messages", "decision"}


def test_the_same_request_of_the_same_tenant_is_answered_from_the_store(moslm, scripted):
    finance = scripted("Forty.")
    graph = moslm({"finance": finance}, store=InMemoryStore())
    ask = {"messages": [("user", "What is my budget?")]}
    first = graph.invoke(ask, context={"tenant": "a"})
    second = graph.invoke(ask, context={"tenant": "a"})
    other = graph.invoke(ask, context={"tenant": "b"})
    assert first["messages"][-1].text == second["messages"][-1].text == "Forty."
    assert second["decision"]["outcome"] == "recalled"
    assert second["decision"]["domain"] == "finance"
    assert other["decision"]["outcome"] == "answered"
    assert len(finance.calls) == 2


async def test_memory_works_with_the_graphs_own_store_under_ainvoke(moslm):
    graph = moslm(config=Config(recall=RecallSettings()))
    graph.store = InMemoryStore()
    ask = {"messages": [("user", "What is my budget?")]}
    await graph.ainvoke(ask)
    assert (await graph.ainvoke(ask))["decision"]["outcome"] == "recalled"


def test_the_decision_has_a_json_schema_for_every_action():
    schema = Decision.model_json_schema()
    assert set(schema["properties"]["action"]["enum"]) == set(Action.__args__)
