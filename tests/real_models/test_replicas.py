"""Two replicas, and one of them dies in the middle of an answer: nothing is lost, and it comes back."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

import pytest
from langchain_core.messages import AIMessageChunk
from served import Served, is_running, until

from moslm.decision import Decision
from moslm.serving.launching import launches
from moslm.serving.supervising import Supervisor

ORDER: Any = {"messages": [("user", "How long do I have to return an order?")]}


async def busy_one(served: Served) -> int:
    """Return which replica is answering."""
    async with asyncio.timeout(120):
        while sum(found := await asyncio.to_thread(served.running)) != 1:
            await asyncio.sleep(0.05)
    return found.index(1)


@pytest.mark.parametrize("part", ["server", "engine"])
async def test_a_replica_killed_in_the_middle_of_an_answer_costs_nobody_a_word(served, graph, served_model, part):
    whole = graph({"customer_service": served_model(long=True)}, optimistic_streaming=True)
    undisturbed = (await whole.ainvoke(ORDER))["messages"][-1].text
    shown, killed, final = "", None, None
    async for mode, piece in whole.astream(ORDER, stream_mode=["messages", "values"]):
        if mode == "messages" and isinstance(piece[0], AIMessageChunk):
            shown += piece[0].text
            if killed is None and len(shown) > 20:
                killed = await busy_one(served)
                own = served.processes(killed)
                os.kill(own[part], signal.SIGKILL)
        elif mode == "values":
            final = piece
    decision = Decision.model_validate(final["decision"])
    assert killed is not None
    assert decision.outcome == "answered"
    assert final["messages"][-1].text == undisturbed
    assert shown.strip() == undisturbed
    (call,) = decision.drafts[0].replicas
    assert (call.attempts, call.replica) == (2, 2 - killed)
    assert "broke off in the middle of its answer" in call.met[0]
    assert [use.calls for use in decision.usage] == [1]
    until(lambda: f"small/{killed}  died: " in served.said, 60)
    until(lambda: not any(map(is_running, own.values())), 60)


def test_the_replica_that_died_is_started_again_and_answers(served, chat):
    # the fixture has waited for it
    assert served.said.count(" died: ") == served.said.count("starting it again")
    assert all(chat(replicas=(each,), max_tokens=8).invoke("hi").text for each in (0, 1))


def test_servers_that_run_already_are_adopted_and_outlive_who_adopted_them(served, tmp_path):
    with Supervisor(launches("small", served.settings), tmp_path) as other:
        other.begin()
        assert [(each.state, each.adopted) for each in other.replicas] == [("healthy", True)] * 2
        for _ in range(3):
            other.step()
        assert {each.state for each in other.replicas} == {"healthy"}
    assert all(served.is_well(each) for each in served.seen())


def test_what_a_server_takes_and_does_is_shown(served, chat):
    chat(replicas=(0,), max_tokens=96).invoke("Tell me a long story.")
    until(lambda: _figures(served.said, "small/0"), 60)
    rate, memory = _figures(served.said, "small/0")
    assert rate > 0
    assert 0.5 < memory < 8


def _figures(said: str, name: str) -> tuple[float, float] | None:
    """Return the latest tokens/s above nothing and the memory that were shown of a replica."""
    for line in reversed(said.splitlines()):
        if line.startswith(f"{name}  healthy · ") and "– tokens/s" not in line and " 0.0 tokens/s" not in line:
            parts = line.split(" · ")
            return float(parts[1].split()[0]), float(parts[-1].split()[0])
    return None
