"""A caller who goes away stops the server's work: its count of running requests falls to nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain_core.messages import AIMessageChunk
from served import Served, until

from moslm.config import EarlyEscalationSettings

ORDER = {"messages": [("user", "How long do I have to return an order?")]}


@pytest.fixture
def long_winded(graph: Any, served_model: Any) -> Any:
    """A graph whose customer service does not end by itself within the test: not soon at its length, nor by the gate.

    Nor at its deadline, which a busy machine would reach before the server is seen to run anything.
    """
    endless = {**served_model(max_tokens=1500, extra_body={"ignore_eos": True}), "deadline_ms": 600_000}
    unstopped = EarlyEscalationSettings(stop=False)
    return lambda **changes: graph({"customer_service": endless}, **{"early_escalation": unstopped, **changes})


async def running(served: Served) -> int:
    return sum(await asyncio.to_thread(served.running))


async def becomes(served: Served, count: int, seconds: float, before: asyncio.Task[Any] | None = None) -> None:
    """Wait until so many requests run at the server; a run that ends before is no case of what is tried here."""
    async with asyncio.timeout(seconds):
        while await running(served) != count:
            assert before is None or not before.done(), f"ended by itself before it was seen to run: {before}"
            await asyncio.sleep(0.1)


async def test_a_run_that_is_cancelled_is_cancelled_at_the_server(served, long_winded):
    await becomes(served, 0, 60)
    task = asyncio.create_task(long_winded().ainvoke(ORDER))
    await becomes(served, 1, 120, before=task)
    assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await becomes(served, 0, 20)


async def test_a_reader_who_leaves_in_the_middle_of_a_stream_ends_it_at_the_server(served, long_winded):
    await becomes(served, 0, 60)
    stream = long_winded(optimistic_streaming=True).astream(ORDER, stream_mode="messages")
    async for piece, _ in stream:
        if isinstance(piece, AIMessageChunk) and piece.text:
            break
    assert await running(served) == 1
    await stream.aclose()
    await becomes(served, 0, 20)


async def test_a_model_that_is_given_up_at_its_deadline_works_no_longer(served, chat):
    await becomes(served, 0, 60)
    model = chat(max_tokens=1500, extra_body={"ignore_eos": True})
    model.deadline_s = 8.0
    for server in model._servers:
        server.deadline_s = 8.0
    with pytest.raises(Exception, match="did not answer before its deadline"):
        await model.ainvoke("Tell me a story.")
    await becomes(served, 0, 20)


def test_a_synchronous_stream_that_is_closed_ends_at_the_server(served, chat):
    until(lambda: sum(served.running()) == 0)
    stream = chat(max_tokens=1500, extra_body={"ignore_eos": True}).stream("Tell me a story.")
    next(stream)
    assert sum(served.running()) == 1
    stream.close()
    until(lambda: sum(served.running()) == 0, 20)
