"""Many requests at once: each answer, decision and record belongs to its own request."""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from langgraph.checkpoint.memory import InMemorySaver

from moslm import Config, ScriptedChatModel
from moslm.governance.audit import AuditLog, Filters

SUBJECTS = ("budget", "laptop", "refund")
DOMAINS = dict(zip(SUBJECTS, ("finance", "it_support", "customer_service"), strict=True))


def echo(messages: list[Any]) -> str:
    return f"About {re.search(r'[0-9]+', messages[-1].text)[0]}."


def question(number: int) -> str:
    return f"Question {number} about my {SUBJECTS[number % 3]}"


def built(moslm: Any, **options: Any) -> Any:
    models = {name: ScriptedChatModel(replies=[echo], confidence=0.95, delay_ms=5) for name in DOMAINS.values()}
    return moslm(models, **options)


def context(number: int) -> dict[str, Any]:
    return {"tenant": f"tenant-{number % 4}", "user": f"user-{number}"}


def belongs(number: int, result: Any) -> None:
    decision = result["decision"]
    assert [message.text for message in result["messages"]] == [question(number), f"About {number}."]
    assert decision["request_sha256"] == hashlib.sha256(question(number).encode()).hexdigest()
    assert decision["domain"] == DOMAINS[SUBJECTS[number % 3]]
    assert (decision["tenant"], decision["user"]) == (f"tenant-{number % 4}", f"user-{number}")
    assert decision["thread_id"] == str(number)
    assert result["messages"][-1].id == f"moslm-{decision['id']}"
    assert [step["name"] for step in decision["steps"]].count("answer") == 1


def kept(home: Any) -> dict[str, Any]:
    return {each.id: each.plain() for each in AuditLog(home / "audit.sqlite").list(Filters(limit=None))}


def test_32_threads_at_once_get_each_its_own_answer_and_record(moslm, home):
    graph = built(moslm, checkpointer=InMemorySaver())

    def ask(number: int) -> Any:
        thread: Any = {"configurable": {"thread_id": str(number)}}
        return graph.invoke({"messages": [("user", question(number))]}, thread, context=context(number))

    with ThreadPoolExecutor(32) as pool:
        results = list(pool.map(ask, range(32)))
    for number, result in enumerate(results):
        belongs(number, result)
    assert kept(home) == {result["decision"]["id"]: result["decision"] for result in results}


async def test_64_tasks_at_once_get_each_their_own_answer_and_record(moslm, home):
    graph = built(moslm, checkpointer=InMemorySaver())

    def ask(number: int) -> Any:
        thread: Any = {"configurable": {"thread_id": str(number)}}
        return graph.ainvoke({"messages": [("user", question(number))]}, thread, context=context(number))

    results = await asyncio.gather(*map(ask, range(64)))
    for number, result in enumerate(results):
        belongs(number, result)
    assert kept(home) == {result["decision"]["id"]: result["decision"] for result in results}


async def test_tasks_wait_for_their_models_side_by_side(moslm):
    models = {"finance": ScriptedChatModel(replies=["Forty."], confidence=0.95, delay_ms=1000)}
    graph = moslm(models)
    started = time.monotonic()
    await asyncio.gather(*(graph.ainvoke({"messages": [("user", "What is my budget?")]}) for _ in range(8)))
    assert time.monotonic() - started < 5


def test_both_parts_of_a_fan_out_keep_to_their_own_in_every_thread(moslm):
    graph = built(moslm, config=Config(multi_domain="fan_out"))

    def ask(number: int) -> str:
        text = f"What about budget {number}? And what about laptop {number + 1000}?"
        result: Any = graph.invoke({"messages": [("user", text)]})
        assert [draft["domain"] for draft in result["decision"]["drafts"]] == ["finance", "it_support"]
        return str(result["messages"][-1].text)

    with ThreadPoolExecutor(16) as pool:
        texts = list(pool.map(ask, range(32)))
    for number, text in enumerate(texts):
        assert f"About {number}." in text
        assert f"About {number + 1000}." in text
