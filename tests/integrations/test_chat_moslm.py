from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.structured_output import ToolStrategy
from langchain_core.callbacks import get_usage_metadata_callback
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.tools import tool
from langchain_core.tracers.base import BaseTracer
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import BaseModel

from moslm import ConfigError, MoSLMContext
from moslm.errors import RequestError
from moslm.integrations.chat_model import ChatMoSLM

QUESTION = "What is my budget?"
DOUBTFUL: dict[str, Any] = {
    "replies": {"finance": "Draft draft draft."},
    "confidence": 0.3,
    "large": "Large words here.",
}


@tool
def weather(city: str) -> str:
    """Say what the weather is like."""
    return f"sunny in {city}"


def calling(name: str, **args: Any) -> AIMessage:
    return AIMessage("", tool_calls=[{"name": name, "args": args, "id": "c1"}])


def test_an_agent_calls_its_tools_through_the_graph_and_gets_the_gated_answer(moslm, scripted):
    model = scripted([calling("weather", city="Porto"), "It is sunny in Porto."])
    agent = create_agent(
        model=ChatMoSLM(graph=moslm({"finance": model})), tools=[weather], system_prompt="Answer in one line."
    )
    result = agent.invoke({"messages": [("user", QUESTION)]})
    assert [message.type for message in result["messages"]] == ["human", "ai", "tool", "ai"]
    assert result["messages"][2].text == "sunny in Porto"
    assert result["messages"][-1].text == "It is sunny in Porto."
    assert [message.type for message in model.calls[1]] == ["system", "human", "ai", "tool"]
    assert model.calls[1][0].text.endswith("Answer in one line.")


async def test_an_agent_runs_the_same_under_ainvoke(moslm, scripted):
    model = scripted([calling("weather", city="Porto"), "Sunny."])
    agent = create_agent(model=ChatMoSLM(graph=moslm({"finance": model})), tools=[weather])
    result = await agent.ainvoke({"messages": [("user", QUESTION)]})
    assert result["messages"][-1].text == "Sunny."


def test_an_agent_gets_structured_answers(moslm, scripted):
    class Budget(BaseModel):
        euros: int

    model = scripted(calling("Budget", euros=40_000))
    agent = create_agent(model=ChatMoSLM(graph=moslm({"finance": model})), response_format=ToolStrategy(Budget))
    assert agent.invoke({"messages": [("user", QUESTION)]})["structured_response"] == Budget(euros=40_000)


def test_usage_sums_every_model_that_ran_and_is_counted_once(moslm, scripted):
    model = ChatMoSLM(graph=moslm(**DOUBTFUL))
    with get_usage_metadata_callback() as counted:
        message = model.invoke(QUESTION)
    used = message.response_metadata["decision"]["usage"]
    assert {each["role"] for each in used} == {"small", "large"}
    assert message.usage_metadata["input_tokens"] == sum(each["input_tokens"] for each in used)
    assert message.usage_metadata["output_tokens"] == sum(each["output_tokens"] for each in used) == 6
    assert counted.usage_metadata == {"moslm": message.usage_metadata}


def test_the_decision_comes_with_the_answer(moslm):
    message = ChatMoSLM(graph=moslm(**DOUBTFUL)).invoke(QUESTION)
    assert message.response_metadata["decision"]["outcome"] == "escalated"
    assert message.id == f"moslm-{message.response_metadata['decision_id']}"


def test_words_stream_once_and_none_of_a_rejected_draft(moslm):
    pieces = [chunk.text for chunk in ChatMoSLM(graph=moslm(**DOUBTFUL)).stream(QUESTION)]
    assert "".join(pieces) == "Large words here."
    assert len([piece for piece in pieces if piece]) == 3


@pytest.mark.parametrize("subgraphs", [False, True])
def test_in_an_agents_stream_each_token_stands_once(moslm, subgraphs):
    agent = create_agent(model=ChatMoSLM(graph=moslm(**DOUBTFUL)))
    parts = agent.stream({"messages": [("user", QUESTION)]}, stream_mode=["messages", "updates"], subgraphs=subgraphs)
    found = [part[-2:] for part in parts]
    text = "".join(data[0].text for mode, data in found if mode == "messages")
    assert text == "Large words here."
    assert "Draft" not in str(found)


async def test_in_an_agents_event_stream_each_token_stands_once(moslm):
    agent = create_agent(model=ChatMoSLM(graph=moslm(**DOUBTFUL)))
    events = agent.astream_events({"messages": [("user", QUESTION)]}, version="v2")
    told = [event["data"]["chunk"].text async for event in events if event["event"] == "on_chat_model_stream"]
    assert "".join(told) == "Large words here."


def test_the_agents_checkpoints_hold_none_of_the_graphs_own(moslm):
    saver = InMemorySaver()
    agent = create_agent(model=ChatMoSLM(graph=moslm()), checkpointer=saver)
    thread: Any = {"configurable": {"thread_id": "t"}}
    agent.invoke({"messages": [("user", QUESTION)]}, thread)
    assert {each.config["configurable"]["checkpoint_ns"] for each in saver.list(thread)} == {""}


def test_a_tracer_sees_the_steps_of_the_graph(moslm):
    class Names(BaseTracer):
        def __init__(self) -> None:
            super().__init__()
            self.found: list[str] = []

        def _persist_run(self, run: Any) -> None:
            waiting = [run]
            while waiting:
                each = waiting.pop()
                self.found.append(each.name)
                waiting.extend(each.child_runs)

    tracer = Names()
    ChatMoSLM(graph=moslm()).invoke(QUESTION, {"callbacks": [tracer]})
    assert {"ChatMoSLM", "classify", "answer", "respond"} <= set(tracer.found)


def test_a_conversation_is_carried_by_its_messages(moslm, scripted):
    model = scripted("And forty thousand again.")
    ChatMoSLM(graph=moslm({"finance": model})).invoke(
        [
            SystemMessage("Be brief."),
            HumanMessage(QUESTION),
            AIMessage("Forty thousand."),
            HumanMessage("And my budget now?"),
        ]
    )
    assert [message.type for message in model.calls[0]] == ["system", "human", "ai", "human"]


def test_who_asks_and_which_threshold_holds_is_the_models(moslm):
    model = ChatMoSLM(graph=moslm(), context=MoSLMContext(tenant="acme", threshold=0.2))
    decision = model.invoke(QUESTION).response_metadata["decision"]
    assert (decision["tenant"], decision["threshold"]) == ("acme", 0.2)


def test_where_a_person_has_to_decide_the_call_fails_and_says_so(moslm, scripted):
    pays = calling("refund", order_id=10305, amount=49.9, reason="broken")
    model = ChatMoSLM(graph=moslm({"customer_service": scripted(pays)}))
    with pytest.raises(RequestError, match="A person must decide about refund"):
        model.invoke("I want a refund")


def test_where_a_person_has_to_decide_an_agents_checkpointer_changes_nothing(moslm, scripted):
    pays = calling("refund", order_id=10305, amount=49.9, reason="broken")
    agent = create_agent(
        model=ChatMoSLM(graph=moslm({"customer_service": scripted(pays)})), checkpointer=InMemorySaver()
    )
    with pytest.raises(RequestError, match="A person must decide about refund"):
        agent.invoke({"messages": [("user", "I want a refund")]}, {"configurable": {"thread_id": "t"}})


def test_a_graph_with_a_checkpointer_is_refused(moslm):
    with pytest.raises(ConfigError, match="compile it without one"):
        ChatMoSLM(graph=moslm(checkpointer=InMemorySaver()))


def test_a_configuration_that_cannot_stand_is_told_when_the_model_is_made(tmp_path):
    with pytest.raises(ConfigError, match="no such file"):
        ChatMoSLM(config=tmp_path / "absent.toml")


@pytest.mark.parametrize("stop", [["words"], ["here", "words"]])
def test_the_accepted_words_end_at_a_stop_word(moslm, stop):
    assert ChatMoSLM(graph=moslm(**DOUBTFUL)).invoke(QUESTION, stop=stop).text == "Large "


async def test_a_cancelled_call_cancels_the_graph(moslm, scripted):
    slow = scripted("Never said.")
    slow.delay_ms = 60_000
    call = asyncio.create_task(ChatMoSLM(graph=moslm({"finance": slow})).ainvoke(QUESTION))
    while not slow.calls:
        await asyncio.sleep(0.01)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert [task for task in asyncio.all_tasks() if not task.done()] == [asyncio.current_task()]
