"""What a stream may show: every accepted word once, and no word of a draft that was rejected.

Under ``updates`` and ``values`` LangGraph shows the state as it is, drafts and all; there the contract is about
``messages``, and ``output_keys`` leaves the rest out.
"""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.store.memory import InMemoryStore

from moslm import Config, MoSLMContext
from moslm.config import RecallSettings

MODES = ["messages", "updates", "custom", "values"]
BUDGET = "What is my budget?"
BOTH = "What is my budget? And my laptop is broken."
REJECTED = "Zaunkönig"
"""A word that only drafts hold that nobody may see."""


def looks_up(name: str = "search_handbook") -> AIMessage:
    words = f"{REJECTED} {REJECTED}"
    return AIMessage(words, tool_calls=[{"name": name, "args": {"query": "budget"}, "id": "c1"}])


@pytest.fixture(
    params=["accepted", "rejected", "failed", "tools", "fan out", "fan out rejected", "recalled", "refused"]
)
def case(request: Any, moslm: Any, scripted: Any) -> tuple[Any, str, MoSLMContext, str]:
    """A graph, what it is asked, by whom, and what it must say."""
    caller, name = MoSLMContext(), request.param
    if name == "accepted":
        return moslm({"finance": "Forty thousand euros."}), BUDGET, caller, "Forty thousand euros."
    if name == "rejected":
        return moslm({"finance": REJECTED}, confidence=0.3, large="Large words."), BUDGET, caller, "Large words."
    if name == "failed":
        model = scripted([looks_up(), ConnectionError(REJECTED)])
        return moslm({"finance": model}, large="Large words."), BUDGET, caller, "Large words."
    if name == "tools":
        return moslm({"finance": scripted([looks_up(), "Forty."])}), BUDGET, caller, "Forty."
    caller = MoSLMContext(multi_domain="fan_out")
    if name == "fan out":
        said = "**Finance**\nForty.\n\n**IT support**\nRestart."
        return moslm({"finance": "Forty.", "it_support": "Restart."}), BOTH, caller, said
    if name == "fan out rejected":
        drafts = {"finance": scripted(f"{REJECTED}."), "it_support": scripted(REJECTED, 0.2)}
        return moslm(drafts, large="Large words."), BOTH, caller, "Large words."
    if name == "recalled":
        graph = moslm({"finance": "Forty."}, config=Config(recall=RecallSettings(enabled=True)), store=InMemoryStore())
        graph.invoke({"messages": [("user", BUDGET)]}, context=MoSLMContext())
        return graph, BUDGET, MoSLMContext(), "Forty."
    return moslm(), " ", MoSLMContext(), "The message is empty."


def in_a_parent(graph: Any) -> Any:
    parent = StateGraph(MessagesState, MoSLMContext)
    parent.add_node("moslm", graph)
    parent.add_edge(START, "moslm")
    parent.add_edge("moslm", END)
    return parent.compile()


def streamed(parts: list[tuple[Any, ...]]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {mode: [] for mode in MODES}
    for part in parts:
        mode, data = part[-2:]
        found[mode].append(data)
    return found


def texts(value: Any) -> list[str]:
    """Return the words of every AI message in a value, however deep."""
    if isinstance(value, BaseMessage):
        return [value.text] if value.type in ("ai", "AIMessageChunk") else []
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return [text for each in inside for text in texts(each)]


def hold_to_the_contract(found: dict[str, list[Any]], said: str) -> None:
    assert "".join(text for data in found["messages"] for text in texts(data)) == said
    for update in found["updates"]:
        assert set(texts(update)) <= {said}
    assert texts(found["updates"])[-1] == said
    assert REJECTED not in str(found["custom"]) + str(found["messages"])


@pytest.mark.parametrize("subgraphs", [False, True])
def test_every_accepted_word_once_and_no_rejected_one(case, subgraphs):
    graph, text, caller, said = case
    asked: Any = {"messages": [("user", text)]}
    parts = list(graph.stream(asked, context=caller, stream_mode=MODES, subgraphs=subgraphs))
    found = streamed(parts)
    hold_to_the_contract(found, said)
    assert found["custom"][-1]["type"] == "moslm.answered"


async def test_the_same_under_astream(case):
    graph, text, caller, said = case
    asked: Any = {"messages": [("user", text)]}
    parts = [part async for part in graph.astream(asked, context=caller, stream_mode=MODES, subgraphs=True)]
    hold_to_the_contract(streamed(parts), said)


def test_the_same_inside_a_parent_that_shows_its_subgraphs(case):
    graph, text, caller, said = case
    asked: Any = {"messages": [("user", text)]}
    parts = list(in_a_parent(graph).stream(asked, context=caller, stream_mode=MODES, subgraphs=True))
    hold_to_the_contract(streamed(parts), said)


def test_a_parent_that_does_not_gets_the_accepted_message_once_and_whole(case):
    graph, text, caller, said = case
    asked: Any = {"messages": [("user", text)]}
    found = streamed(list(in_a_parent(graph).stream(asked, context=caller, stream_mode=MODES)))
    hold_to_the_contract(found, said)
    assert REJECTED not in str(found)


def test_with_output_keys_no_stream_shows_a_rejected_word(case):
    graph, text, caller, said = case
    asked: Any = {"messages": [("user", text)]}
    keys = ["messages", "decision"]
    found = streamed(list(graph.stream(asked, context=caller, stream_mode=MODES, output_keys=keys)))
    hold_to_the_contract(found, said)
    assert REJECTED not in str(found)
