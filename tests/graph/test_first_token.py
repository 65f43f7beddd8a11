"""When the first words that stand were given to the caller: as they were written, or once they were accepted."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from moslm import Config, MoSLMContext, ScriptedChatModel

OPTIMISTIC = Config(optimistic_streaming=True)
QUESTION: Any = {"messages": [("user", "What is my budget?")]}
PAUSE_MS = 20


class Slow(ScriptedChatModel):
    """Pauses after its first word, so that what came first and what came last lie apart."""

    def _stream(self, *args: Any, **options: Any) -> Any:
        first, *rest = super()._stream(*args, **options)
        yield first
        time.sleep(PAUSE_MS / 1000)
        yield from rest

    async def _astream(self, *args: Any, **options: Any) -> Any:
        pieces = super()._astream(*args, **options)
        yield await anext(pieces)
        await asyncio.sleep(PAUSE_MS / 1000)
        async for piece in pieces:
            yield piece


def slow(*replies: Any, confidence: float = 0.95) -> Slow:
    return Slow(replies=list(replies), confidence=confidence)


def streamed(graph: Any, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the decision of a run whose words are heard, and its last event."""
    parts = list(graph.stream(QUESTION, stream_mode=["messages", "custom", "values"], **options))
    events = [data for mode, data in parts if mode == "custom"]
    return [data for mode, data in parts if mode == "values"][-1]["decision"], events[-1]


def test_of_a_draft_that_streams_at_once_and_stands_it_is_its_first_word(moslm):
    decision, event = streamed(moslm({"finance": slow("Forty thousand euros.")}, config=OPTIMISTIC))
    assert 0 <= decision["first_token_ms"] <= decision["total_ms"] - PAUSE_MS
    assert event["type"] == "moslm.answered"
    assert event["first_token_ms"] == decision["first_token_ms"]


async def test_the_same_under_astream(moslm):
    graph = moslm({"finance": slow("Forty thousand euros.")}, config=OPTIMISTIC)
    async for mode, data in graph.astream(QUESTION, stream_mode=["messages", "values"]):
        last = data if mode == "values" else None
    assert last["decision"]["first_token_ms"] <= last["decision"]["total_ms"] - PAUSE_MS


def test_words_that_were_taken_back_do_not_count(moslm):
    call = AIMessage("Let me see.", tool_calls=[{"name": "search_handbook", "args": {"query": "budget"}, "id": "c1"}])
    decision, _ = streamed(moslm({"finance": slow(call, "Forty thousand.")}, config=OPTIMISTIC))
    assert PAUSE_MS <= decision["first_token_ms"] <= decision["total_ms"] - PAUSE_MS


@pytest.mark.parametrize("config", [Config(), OPTIMISTIC])
def test_of_an_answer_that_nobody_hears_while_it_is_written_it_is_the_end(moslm, config):
    decision = moslm({"finance": slow("Forty thousand.")}, config=config).invoke(QUESTION)["decision"]
    assert decision["first_token_ms"] == decision["total_ms"]


def test_of_a_draft_that_streams_once_it_is_accepted_it_is_when_the_record_was_closed(moslm):
    decision, event = streamed(moslm({"finance": slow("Forty thousand.")}))
    assert decision["first_token_ms"] == event["first_token_ms"] == decision["total_ms"]


def test_of_a_rejected_draft_it_is_the_large_models_answer(moslm):
    graph = moslm({"finance": slow("Draft draft.", confidence=0.3)}, large="Large words.", config=OPTIMISTIC)
    decision, _ = streamed(graph)
    assert decision["outcome"] == "escalated"
    assert decision["first_token_ms"] == decision["total_ms"]


def test_answers_put_together_are_given_when_they_are_whole(moslm):
    graph = moslm({"finance": slow("Forty."), "it_support": slow("Restart.")}, config=OPTIMISTIC)
    asked: Any = {"messages": [("user", "What is my budget? And my laptop is broken.")]}
    context = MoSLMContext(multi_domain="fan_out")
    *_, (_, last) = graph.stream(asked, context=context, stream_mode=["messages", "values"])
    assert last["decision"]["first_token_ms"] == last["decision"]["total_ms"]


def test_where_nobodys_words_answer_there_is_none(moslm, ask):
    _, refused = ask(moslm(), " ")
    _, handed_over = ask(moslm({"finance": "Draft."}, confidence=0.3), "What is my budget?")
    assert (refused["outcome"], handed_over["outcome"]) == ("refused", "handed_over")
    assert refused["first_token_ms"] is handed_over["first_token_ms"] is None
