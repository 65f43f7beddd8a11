from __future__ import annotations

import asyncio
import math
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import tool

from moslm.errors import BackendDown, BackendTimeout
from moslm.models.chat.scripted import ScriptedChatModel


@tool
def order_status(order: str) -> str:
    """Say where an order is."""
    return order


CALL = AIMessage(content="", tool_calls=[{"name": "order_status", "args": {"order": "7"}, "id": "call_1"}])


def test_replies_come_in_turn_and_the_last_one_repeats():
    model = ScriptedChatModel(replies=["one", "two"])
    assert [model.invoke("hi").text for _ in range(3)] == ["one", "two", "two"]
    assert [call[0].text for call in model.calls] == ["hi"] * 3


def test_every_token_carries_the_scripted_probability():
    content = (
        ScriptedChatModel(replies=["four words of answer"], confidence=0.7)
        .invoke("x")
        .response_metadata["logprobs"]["content"]
    )
    assert [entry["token"] for entry in content] == ["four", " words", " of", " answer"]
    assert all(math.isclose(math.exp(entry["logprob"]), 0.7) for entry in content)


def test_without_confidence_there_are_no_log_probabilities():
    assert ScriptedChatModel(confidence=None).invoke("x").response_metadata["logprobs"] is None


async def test_streamed_words_add_up_to_the_message_of_an_invoke():
    model = ScriptedChatModel(replies=["a streamed  answer\n"])
    whole = await model.ainvoke("x")
    chunks = [chunk async for chunk in model.astream("x")]
    total = chunks[0]
    for chunk in chunks[1:]:
        total += chunk
    assert len(chunks) > 3
    assert total.content == whole.content == "a streamed  answer\n"
    assert total.response_metadata == whole.response_metadata
    assert total.usage_metadata == whole.usage_metadata


@pytest.mark.parametrize("streamed", [False, True])
def test_tool_calls_come_as_calls_and_the_bound_tools_are_recorded(streamed):
    model = ScriptedChatModel(replies=[CALL, "done"])
    bound = model.bind_tools([order_status])
    if streamed:
        chunks = list(bound.stream("x"))
        message = sum(chunks[1:], chunks[0])
    else:
        message = bound.invoke("x")
    assert [(call["name"], call["args"], call["id"]) for call in message.tool_calls] == [
        ("order_status", {"order": "7"}, "call_1")
    ]
    assert message.response_metadata["finish_reason"] == "tool_calls"
    assert model.tools_seen[0][0]["function"]["name"] == "order_status"
    assert bound.invoke("y").text == "done"


def test_the_scripted_message_itself_is_never_changed():
    reply = AIMessage(content="kept")
    model = ScriptedChatModel(replies=[reply])
    assert model.invoke("x").id != model.invoke("x").id
    assert reply == AIMessage(content="kept")


def test_a_failure_in_the_script_is_raised():
    model = ScriptedChatModel(replies=[BackendDown("m", "Nothing answers."), "well again"])
    with pytest.raises(BackendDown, match="Nothing answers"):
        model.invoke("x")
    assert model.invoke("x").text == "well again"


def test_a_function_in_the_script_sees_the_messages():
    assert ScriptedChatModel(replies=[lambda messages: messages[-1].text.upper()]).invoke("abc").text == "ABC"


def test_a_delay_beyond_the_deadline_is_given_up_at_the_deadline():
    model = ScriptedChatModel(delay_ms=60_000, deadline_ms=30)
    started = time.monotonic()
    with pytest.raises(BackendTimeout):
        model.invoke("x")
    with pytest.raises(BackendTimeout):
        list(model.stream("x"))
    assert time.monotonic() - started < 5


async def test_a_delayed_call_can_be_cancelled():
    task = asyncio.create_task(ScriptedChatModel(delay_ms=60_000).ainvoke([HumanMessage("x")]))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_threads_share_one_script_without_losing_a_call():
    model = ScriptedChatModel(replies=[str(n) for n in range(40)])
    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(lambda n: model.invoke(str(n)).text, range(40)))
    assert sorted(said, key=int) == [str(n) for n in range(40)]
    assert len(model.calls) == 40


def test_usage_can_be_withheld_as_some_servers_do():
    assert ScriptedChatModel(reports_usage=False).invoke("x").usage_metadata is None
    usage = ScriptedChatModel(replies=["two words"]).invoke("three words here").usage_metadata
    assert usage == {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}
