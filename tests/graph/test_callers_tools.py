"""A caller who brings tools of its own: they reach whoever answers, and their calls go back to the caller."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, InvalidToolCall, ToolMessage
from langchain_core.tools import tool

from moslm import ConfigError, MoSLMContext
from moslm.context import resolve_context

QUESTION = "What is my budget?"
WEATHER: dict[str, Any] = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
}


def calling(name: str, id: str = "c1", **args: Any) -> AIMessage:
    return AIMessage("Let me see.", tool_calls=[{"name": name, "args": args, "id": id}])


def asked(graph: Any, *messages: Any, **context: Any) -> Any:
    return graph.invoke({"messages": list(messages)}, context=MoSLMContext(**{"tools": [WEATHER], **context}))


def test_a_call_of_the_callers_tool_goes_back_to_the_caller_without_the_words_beside_it(moslm, scripted):
    model = scripted(calling("weather", city="Porto"))
    result = asked(moslm({"finance": model}), ("user", QUESTION))
    reply = result["messages"][-1]
    assert [(call["name"], call["args"], call["id"]) for call in reply.tool_calls] == [
        ("weather", {"city": "Porto"}, "c1")
    ]
    assert reply.text == ""
    assert result["decision"]["calls"] == ["weather"]
    assert "weather" in {each["function"]["name"] for each in model.tools_seen[0]}


def test_the_result_reaches_the_model_and_the_answer_is_held_against_its_threshold(moslm, scripted):
    model = scripted(lambda messages: f"It is {messages[-1].text}.", 0.95)
    seen = [HumanMessage(QUESTION), calling("weather", city="Porto"), ToolMessage("sunny", tool_call_id="c1")]
    result = asked(moslm({"finance": model}), *seen)
    assert result["messages"][-1].text == "It is sunny."
    assert result["decision"]["confidence"] == pytest.approx(0.95)
    doubtful = scripted("Rain, perhaps.", 0.2)
    result = asked(moslm({"finance": doubtful}, large="It is sunny in Porto."), *seen)
    assert result["messages"][-1].text == "It is sunny in Porto."


def test_the_large_model_gets_the_tools_and_their_results_too(moslm, scripted):
    large = scripted([calling("weather", city="Porto"), "Sunny."], 0.9)
    graph = moslm({"finance": "A doubtful draft."}, confidence=0.2, large=large)
    first = asked(graph, ("user", QUESTION))
    assert first["messages"][-1].tool_calls[0]["name"] == "weather"
    assert first["decision"]["outcome"] == "escalated"
    assert first["decision"]["cost"]["spent_usd"] >= 0
    second = asked(graph, *first["messages"], ToolMessage("sunny", tool_call_id="c1"))
    assert second["messages"][-1].text == "Sunny."
    assert [message.type for message in large.calls[1]] == ["system", "human", "ai", "tool"]


def test_the_callers_instructions_stand_after_the_domains_own(moslm, scripted):
    model = scripted("Forty thousand.")
    asked(moslm({"finance": model}), ("user", QUESTION), instructions="Answer in one line.")
    system = model.calls[0][0].text
    assert system.endswith("\n\nAnswer in one line.")
    assert len(system) > len("\n\nAnswer in one line.")


def test_instructions_that_are_too_long_are_turned_away(moslm):
    result = asked(moslm(), ("user", QUESTION), instructions="x" * 100_000)
    assert result["decision"]["outcome"] == "refused"
    assert "instructions" in result["messages"][-1].text


def test_a_demanded_call_goes_up_where_the_small_model_calls_no_tools(moslm, scripted):
    small = scripted("Words.")
    small.profile = {"tool_calling": False}
    large = scripted(calling("weather"), 0.9)
    result = asked(moslm({"finance": small}, large=large), ("user", QUESTION), tool_choice="required")
    assert result["messages"][-1].tool_calls
    assert small.calls == []
    assert result["decision"]["reasons"][0]["trigger"] == "backend_failed"


def test_tools_that_may_not_be_called_are_not_offered(moslm, scripted):
    model = scripted("Words.")
    asked(moslm({"finance": model}), ("user", QUESTION), tool_choice="none")
    assert "weather" not in {each["function"]["name"] for each in model.tools_seen[0]}


def test_a_tool_with_the_name_of_the_domains_own_is_not_mixed_up_with_it(moslm, scripted):
    own = {"type": "function", "function": {"name": "search_handbook"}}
    model = scripted("Words.")
    result = asked(moslm({"finance": model}, large="Large."), ("user", QUESTION), tools=[own])
    assert result["messages"][-1].text == "Large."
    assert "search_handbook" in result["decision"]["reasons"][0]["detail"]
    assert model.calls == []


def test_a_call_that_cannot_be_read_is_explained_to_the_model_and_not_passed_on(moslm, scripted):
    wrong = InvalidToolCall(name="weather", args="Porto", id="c0", error="no JSON")
    model = scripted([AIMessage("", invalid_tool_calls=[wrong]), calling("weather", city="Porto")])
    result = asked(moslm({"finance": model}), ("user", QUESTION))
    assert result["messages"][-1].tool_calls[0]["args"] == {"city": "Porto"}
    assert "one JSON object" in model.calls[1][-1].text


def test_after_a_write_of_its_own_a_draft_may_not_hand_over_for_it_would_write_again(moslm, scripted, chosen):
    written = []

    @tool
    def refund(order_id: int, amount: float, reason: str) -> str:
        """Pay money back."""
        written.append(order_id)
        return "paid"

    refund.metadata = {"effect": "write"}
    pays = calling("refund", id="p1", order_id=1, amount=2.0, reason="broken")
    model = scripted([pays, calling("weather", id="w1"), "Paid."])
    graph = moslm({"customer_service": model}, tools=[refund])
    result = asked(graph, ("user", "I want a refund"), role="operator")
    assert written == [1]
    assert result["messages"][-1].text == "Paid."
    assert not result["messages"][-1].tool_calls


def test_a_parents_own_calls_are_no_part_of_the_conversation(moslm, scripted):
    model = scripted("Words.")
    handover = AIMessage("", tool_calls=[{"name": "transfer_to_moslm", "args": {}, "id": "t1"}])
    asked(moslm({"finance": model}), HumanMessage(QUESTION), handover, ToolMessage("ok", tool_call_id="t1"))
    assert [message.type for message in model.calls[0]] == ["system", "human"]


def test_an_answer_to_a_caller_with_tools_is_not_remembered(moslm, scripted):
    from langgraph.store.memory import InMemoryStore

    model = scripted(["First.", "Second."])
    graph = moslm({"finance": model}, store=InMemoryStore())
    assert asked(graph, ("user", QUESTION))["messages"][-1].text == "First."
    assert asked(graph, ("user", QUESTION))["messages"][-1].text == "Second."


def test_the_calls_stream_once_in_messages_mode(moslm, scripted):
    graph = moslm({"finance": scripted(calling("weather", city="Porto"))})
    context = MoSLMContext(tools=[WEATHER])
    chunks = [
        chunk
        for chunk, _ in graph.stream({"messages": [("user", QUESTION)]}, context=context, stream_mode="messages")
        if chunk.type in ("AIMessageChunk", "ai")
    ]
    assert [call["name"] for chunk in chunks for call in chunk.tool_calls] == ["weather"]


def test_a_strangers_tools_are_not_taken_for_the_callers():
    assert resolve_context({"tools": ["hammer"], "tenant": "acme"}).tools == []


@pytest.mark.parametrize("wrong", [[{}], [{"function": {"name": ""}}], [{"function": "weather"}]])
def test_a_tool_without_a_name_is_a_mistake(wrong):
    with pytest.raises(ConfigError, match="tool"):
        resolve_context({"moslm": {"tools": wrong}})
