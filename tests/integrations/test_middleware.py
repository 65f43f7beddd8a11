from __future__ import annotations

from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.callbacks import get_usage_metadata_callback
from langchain_core.messages import AIMessage
from langchain_core.tools import tool

from moslm import Config, ConfigError
from moslm.config import LargeModelSettings, ScriptedModel
from moslm.integrations.middleware import MoSLMMiddleware

ASKED: Any = {"messages": [("user", "What is my budget?")]}


@tool
def weather(city: str) -> str:
    """Say what the weather is like."""
    return f"sunny in {city}"


def calling(city: str) -> AIMessage:
    return AIMessage("", tool_calls=[{"name": "weather", "args": {"city": city}, "id": "c1"}])


@pytest.fixture
def agent(scripted, chosen):
    """An agent of LangChain's with the gate around its model."""

    def build(small: Any, large: Any = "Large words here.", *, confidence: float = 0.95, **options: Any) -> Any:
        model = scripted(small, confidence)
        options.setdefault("classifier", chosen())
        above = scripted(large, 0.9) if large is not None else None
        gate = MoSLMMiddleware(above, **options)
        return create_agent(model=model, tools=[weather], middleware=[gate]), model, above

    return build


def last(result: Any) -> tuple[str, dict[str, Any]]:
    message = result["messages"][-1]
    return message.text, message.response_metadata["moslm"]


def test_sure_words_of_the_agents_own_model_are_kept(agent):
    graph, _, large = agent("Forty thousand.")
    text, note = last(graph.invoke(ASKED))
    assert (text, note["action"], note["domain"]) == ("Forty thousand.", "answer", "finance")
    assert note["confidence"] == pytest.approx(0.95)
    assert large.calls == []


def test_doubtful_words_go_up_with_their_reason(agent):
    graph, _, _ = agent("Draft draft.", confidence=0.3)
    text, note = last(graph.invoke(ASKED))
    assert text == "Large words here."
    assert [reason["trigger"] for reason in note["reasons"]] == ["low_confidence"]
    assert (note["answered_by"], note["rejected"]) == ("scripted", "scripted")


async def test_the_same_holds_under_ainvoke(agent):
    graph, _, _ = agent("Draft draft.", confidence=0.3)
    assert last(await graph.ainvoke(ASKED))[0] == "Large words here."


def test_an_unfamiliar_request_is_not_put_to_the_small_model(agent):
    graph, small, _ = agent("Never said.", classifier=None)
    asked: Any = {"messages": [("user", "Which telescope shows the rings of Saturn best?")]}
    text, note = last(graph.invoke(asked))
    assert text == "Large words here."
    assert "unfamiliar" in [reason["trigger"] for reason in note["reasons"]]
    assert note["novelty_p"] < 0.05
    assert small.calls == []


def test_a_request_that_spans_domains_is_not_put_to_the_small_model(agent):
    graph, small, _ = agent("Never said.")
    asked: Any = {"messages": [("user", "my budget and my laptop")]}
    text, note = last(graph.invoke(asked))
    assert text == "Large words here."
    assert note["reasons"][0]["trigger"] == "several_domains"
    assert small.calls == []


def test_tools_run_and_the_words_made_from_their_results_are_judged(agent):
    graph, _, large = agent([calling("Porto"), "It is sunny."])
    result = graph.invoke(ASKED)
    assert [message.type for message in result["messages"]] == ["human", "ai", "tool", "ai"]
    assert last(result)[0] == "It is sunny."
    doubtful, _, above = agent([calling("Porto"), "Rain?"], confidence=0.3)
    assert last(doubtful.invoke(ASKED))[0] == "Large words here."
    assert [message.type for message in above.calls[0]] == ["human", "ai", "tool"]
    assert large.calls == []


def test_a_turn_that_went_up_stays_up_and_the_next_one_starts_below(agent):
    graph, small, large = agent(
        ["Draft.", "Draft too."], [calling("Porto"), "Sunny, says the large one."], confidence=0.3
    )
    result = graph.invoke(ASKED)
    assert last(result)[0] == "Sunny, says the large one."
    assert (len(small.calls), len(large.calls)) == (1, 2)
    graph.invoke({"messages": [*result["messages"], ("user", "And the budget now?")]})
    assert len(small.calls) == 2


@pytest.mark.parametrize("subgraphs", [False, True])
@pytest.mark.parametrize(("confidence", "told"), [(0.3, "Large words here."), (0.95, "Draft draft.")])
def test_only_accepted_words_stream_and_each_once(agent, confidence, told, subgraphs):
    graph, _, _ = agent("Draft draft.", confidence=confidence)
    parts = [part[-2:] for part in graph.stream(ASKED, stream_mode=["messages", "updates"], subgraphs=subgraphs)]
    assert "".join(data[0].text for mode, data in parts if mode == "messages") == told
    assert len([data for mode, data in parts if mode == "messages" and data[0].text]) > 1


async def test_only_accepted_words_stream_under_astream(agent):
    graph, _, _ = agent("Draft draft.")
    chunks = [chunk.text async for chunk, _ in graph.astream(ASKED, stream_mode="messages")]
    assert "".join(chunks) == "Draft draft."


def test_tokens_are_counted_once(agent):
    graph, _, _ = agent("Draft draft.")
    with get_usage_metadata_callback() as counted:
        graph.invoke(ASKED)
    assert counted.usage_metadata["scripted"]["output_tokens"] == 2


def test_a_model_that_is_down_goes_up(agent):
    graph, _, _ = agent(ConnectionError("secret address"))
    text, note = last(graph.invoke(ASKED))
    assert text == "Large words here."
    assert note["reasons"][0]["trigger"] == "backend_failed"
    assert "secret" not in str(note)


def test_where_nobody_answers_it_says_so_and_shows_no_draft(agent):
    graph, _, _ = agent("Draft draft.", None, confidence=0.3)
    text, note = last(graph.invoke(ASKED))
    assert text.startswith("I have handed this request over: confidence of the finance draft is 0.30")
    assert text.endswith("because no large model is configured.")
    assert note["answered_by"] is None
    both, _, _ = agent("Draft draft.", ConnectionError("secret"), confidence=0.3)
    assert last(both.invoke(ASKED))[0].endswith("does not answer at its address.")


def test_the_cap_of_the_large_model_holds(agent):
    capped = LargeModelSettings(model=ScriptedModel(kind="scripted"), max_calls_per_day=1)
    graph, _, large = agent("Draft.", confidence=0.3, config=Config(large_model=capped))
    assert last(graph.invoke(ASKED))[0] == "Large words here."
    assert "handed this request over" in last(graph.invoke(ASKED))[0]
    assert len(large.calls) == 1


def test_a_threshold_of_its_own_takes_the_place_of_the_domains(agent):
    graph, _, _ = agent("Forty.", confidence=0.6, threshold=0.5)
    assert last(graph.invoke(ASKED))[1]["threshold"] == 0.5
    assert last(graph.invoke(ASKED))[0] == "Forty."


@pytest.mark.parametrize("own", [{"review": True}, {"review_above_usd": 0.0}])
def test_a_configuration_that_asks_a_person_is_refused_when_the_gate_is_made(own):
    asks = LargeModelSettings(model=ScriptedModel(kind="scripted"), **own)
    with pytest.raises(ConfigError, match=rf"large_model\.{next(iter(own))}"):
        MoSLMMiddleware(config=Config(large_model=asks))


def test_a_vulnerable_customer_is_handed_over_because_nobody_can_be_asked(agent):
    graph, small, above = agent("Forty.")
    said, told = last(graph.invoke({"messages": [("user", "My husband died last week. Where is his refund?")]}))
    assert "a person is to decide first" in said
    assert (small.calls, above.calls) == ([], [])
    assert told["reasons"]
