"""Drafts that stream before they are judged: whoever shows the stream ends up with the accepted words, each once."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from moslm import Config, MoSLMContext

OPTIMISTIC = Config(optimistic_streaming=True)
BUDGET = "What is my budget?"
MODES = ["messages", "custom"]


class Screen:
    """What a person sees: words appear as they stream, and go where they are taken back."""

    def __init__(self) -> None:
        self.shown: dict[str, str] = {}
        self.ever = ""
        self.retractions: list[dict[str, Any]] = []

    def show(self, parts: Any) -> Screen:
        for part in parts:
            mode, data = part[-2:]
            if mode == "messages" and data[0].type in ("ai", "AIMessageChunk"):
                self.shown[data[0].id] = self.shown.get(data[0].id, "") + data[0].text
                self.ever += data[0].text
            elif mode == "custom" and data["type"] == "moslm.retracted":
                self.retractions.append(data)
                for id in data["messages"]:
                    self.shown.pop(id, None)
        return self

    @property
    def text(self) -> str:
        return "".join(self.shown.values())


def stream(graph: Any, text: str = BUDGET, **options: Any) -> Screen:
    asked: Any = {"messages": [("user", text)]}
    return Screen().show(graph.stream(asked, stream_mode=MODES, subgraphs=True, **options))


def looks_up() -> AIMessage:
    return AIMessage("Let me see.", tool_calls=[{"name": "search_handbook", "args": {"query": "budget"}, "id": "c1"}])


def test_a_draft_streams_before_it_is_judged_and_an_accepted_one_stands_as_it_is(moslm):
    graph = moslm({"finance": "Forty thousand euros."}, config=OPTIMISTIC)
    asked: Any = {"messages": [("user", BUDGET)]}
    order = ["word" if mode == "messages" else data["type"] for mode, data in graph.stream(asked, stream_mode=MODES)]
    assert order.index("word") < order.index("moslm.drafted")
    screen = stream(graph)
    assert screen.text == screen.ever == "Forty thousand euros."
    assert screen.retractions == []


def test_a_rejected_draft_is_taken_back_with_its_reason(moslm):
    screen = stream(moslm({"finance": "Draft draft."}, confidence=0.3, large="Large words.", config=OPTIMISTIC))
    assert screen.ever == "Draft draft.Large words."
    assert screen.text == "Large words."
    assert len(screen.shown) == 1
    assert [(each["part"], each["reasons"]) for each in screen.retractions] == [("0", ["low_confidence"])]


async def test_the_same_under_astream(moslm):
    graph = moslm({"finance": "Draft draft."}, confidence=0.3, large="Large words.", config=OPTIMISTIC)
    asked: Any = {"messages": [("user", BUDGET)]}
    screen = Screen().show([part async for part in graph.astream(asked, stream_mode=MODES)])
    assert (screen.ever, screen.text) == ("Draft draft.Large words.", "Large words.")


def test_words_beside_a_tool_call_are_taken_back_and_the_answer_stands(moslm, scripted):
    screen = stream(moslm({"finance": scripted([looks_up(), "Forty."])}, config=OPTIMISTIC))
    assert screen.ever == "Let me see.Forty."
    assert screen.text == "Forty."


def test_a_model_that_dies_in_mid_sentence_leaves_nothing_on_the_screen(moslm, scripted):
    class Dying(type(scripted("x"))):  # type: ignore[misc]
        def _stream(self, *args: Any, **options: Any) -> Any:
            yield from list(super()._stream(*args, **options))[:2]
            raise ConnectionError("gone")

    graph = moslm({"finance": Dying(replies=["Forty thousand euros."])}, large="Large words.", config=OPTIMISTIC)
    screen = stream(graph)
    assert screen.ever == "Forty thousandLarge words."
    assert screen.text == "Large words."
    assert screen.retractions[0]["reasons"] == ["backend_failed"]


def test_answers_that_are_put_together_take_the_place_of_their_parts(moslm):
    graph = moslm({"finance": "Forty.", "it_support": "Restart."}, config=OPTIMISTIC)
    screen = stream(graph, "What is my budget? And my laptop is broken.", context=MoSLMContext(multi_domain="fan_out"))
    assert screen.text == "**Finance**\nForty.\n\n**IT support**\nRestart."
    assert {each["part"] for each in screen.retractions} == {"0", "1"}


def test_calls_of_the_callers_tools_are_shown_once(moslm, scripted):
    weather: Any = {"type": "function", "function": {"name": "weather"}}
    call = AIMessage("Let me see.", tool_calls=[{"name": "weather", "args": {}, "id": "c1"}])
    graph = moslm({"finance": scripted(call)}, config=OPTIMISTIC)
    screen = stream(graph, context=MoSLMContext(tools=[weather]))
    assert screen.text == ""
    assert len(screen.shown) == 1


def test_what_was_shown_before_a_person_was_asked_is_taken_back_after(moslm, scripted):
    pays = {"name": "refund", "args": {"order_id": 10305, "amount": 49.9, "reason": "broken"}, "id": "p1"}
    model = scripted([AIMessage("I will pay it back.", tool_calls=[pays]), "Paid."])
    graph = moslm({"customer_service": model}, config=OPTIMISTIC, checkpointer=InMemorySaver())
    thread: Any = {"configurable": {"thread_id": "t"}}
    screen = stream(graph, "I want a refund", config=thread)
    assert screen.text == "I will pay it back."
    rejection: Any = Command(resume={"decisions": [{"type": "reject"}]})
    screen.show(graph.stream(rejection, thread, stream_mode=MODES, subgraphs=True))
    assert screen.text == "Paid."


@pytest.mark.parametrize("confidence", [0.3, 0.95])
def test_the_result_of_the_run_is_the_same_as_without(moslm, confidence):
    results = [
        moslm({"finance": "Forty."}, confidence=confidence, large="Large.", config=config).invoke(
            {"messages": [("user", BUDGET)]}
        )
        for config in (OPTIMISTIC, Config())
    ]
    assert results[0]["messages"][-1].text == results[1]["messages"][-1].text
    assert results[0]["decision"]["outcome"] == results[1]["decision"]["outcome"]
