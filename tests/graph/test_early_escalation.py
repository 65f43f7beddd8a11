"""A draft that has to go up is stopped while it is written; the record says where and why, and nothing is shown."""

from __future__ import annotations

import pytest

from moslm import Config
from moslm.config import Defaults, EarlyEscalationSettings

BUDGET = "What is my budget?"
LONG = "Your budget is forty thousand euros for the whole of this year and the next one too."
DECLINES = "I do not know; please ask the people of finance about your budget."


def settings(confidence="minimum", *, optimistic=False, use_tools="never", **early):
    return Config(
        defaults=Defaults(confidence=confidence, use_tools=use_tools),
        optimistic_streaming=optimistic,
        early_escalation=EarlyEscalationSettings(**early),
    )


@pytest.fixture(autouse=True)
def none_is_finished_anyway(monkeypatch):
    monkeypatch.setattr("moslm.escalation.stopping.FINISHED_ANYWAY", 0.0)


def small(decision):
    (usage,) = [each for each in decision["usage"] if each["role"] == "small"]
    return usage


def test_a_draft_out_of_reach_is_stopped_and_the_large_model_answers(moslm, ask):
    graph = moslm({"finance": LONG}, confidence=0.3, large="Large words.", config=settings())
    text, decision = ask(graph, BUDGET)
    (draft,) = decision["drafts"]
    assert text == "Large words."
    assert draft["stopped"] == {
        "rule": "out_of_reach",
        "token": 4,
        "at_most": None,
        "confidence": pytest.approx(0.3),
        "least": 0.8,
    }
    assert (draft["accepted"], draft["confidence"], draft["signals"]) == (False, None, [])
    assert [reason["trigger"] for reason in decision["reasons"]] == ["stopped_early"]
    assert decision["reasons"][0]["measured"] == pytest.approx(0.3)


def test_its_tokens_are_counted_as_far_as_they_were_written(moslm, ask):
    graph = moslm({"finance": LONG}, confidence=0.3, large="Large words.", config=settings())
    usage = small(ask(graph, BUDGET)[1])
    assert (usage["output_tokens"], usage["known"]) == (4, False)
    assert usage["input_tokens"] > 10


def test_a_draft_that_declines_goes_up_before_it_is_finished(moslm, ask):
    graph = moslm({"finance": DECLINES}, large="Large words.", config=settings("mean"))
    text, decision = ask(graph, BUDGET)
    (draft,) = decision["drafts"]
    assert text == "Large words."
    assert (draft["stopped"]["rule"], draft["stopped"]["token"], draft["declined"]) == ("declined", 4, True)
    assert [reason["trigger"] for reason in decision["reasons"]] == ["declined"]
    assert "stopped early at token 4" in decision["reasons"][0]["detail"]


async def test_the_same_on_the_event_loop(moslm):
    graph = moslm({"finance": LONG}, confidence=0.3, large="Large words.", config=settings())
    result = await graph.ainvoke({"messages": [("user", BUDGET)]})
    assert result["decision"]["drafts"][0]["stopped"]["token"] == 4
    assert result["messages"][-1].text == "Large words."


def test_a_draft_that_reaches_its_threshold_is_finished_and_stands_as_before(moslm, ask):
    text, decision = ask(moslm({"finance": LONG}, config=settings()), BUDGET)
    assert (text, decision["drafts"][0]["stopped"]) == (LONG, None)
    assert small(decision)["known"]


def test_it_can_be_switched_off(moslm, ask):
    graph = moslm({"finance": LONG}, confidence=0.3, large="Large words.", config=settings(stop=False))
    _, decision = ask(graph, BUDGET)
    assert decision["drafts"][0]["stopped"] is None
    assert [reason["trigger"] for reason in decision["reasons"]] == ["low_confidence"]


def test_a_model_with_tools_in_hand_is_not_stopped_for_what_it_says_before_it_calls_one(moslm, ask):
    graph = moslm({"finance": LONG}, confidence=0.3, large="Large words.", config=settings(use_tools="auto"))
    assert ask(graph, BUDGET)[1]["drafts"][0]["stopped"] is None


def test_no_token_of_a_stopped_draft_is_streamed_and_the_event_says_where_it_stopped(moslm):
    graph = moslm({"finance": LONG}, confidence=0.3, large="Large words.", config=settings())
    shown, events = "", []
    for mode, data in graph.stream({"messages": [("user", BUDGET)]}, stream_mode=["messages", "custom"]):
        if mode == "messages":
            shown += data[0].text
        else:
            events.append(data)
    assert shown == "Large words."
    (drafted,) = [event for event in events if event["type"] == "moslm.drafted"]
    assert (drafted["stopped"], drafted["output_tokens"]) == ("out_of_reach", 4)
    assert [event["reasons"] for event in events if event["type"] == "moslm.checked"][-1] == ["stopped_early"]


def test_what_was_streamed_optimistically_is_taken_back(moslm):
    graph = moslm({"finance": LONG}, confidence=0.3, large="Large words.", config=settings(optimistic=True))
    shown: dict[str, str] = {}
    ever, retracted = "", []
    for mode, data in graph.stream({"messages": [("user", BUDGET)]}, stream_mode=["messages", "custom"]):
        if mode == "messages":
            shown[data[0].id] = shown.get(data[0].id, "") + data[0].text
            ever += data[0].text
        elif data["type"] == "moslm.retracted":
            retracted.append(data)
            for gone in data["messages"]:
                shown.pop(gone)
    assert ever == "Your budget is fortyLarge words."
    assert "".join(shown.values()) == "Large words."
    assert [each["reasons"] for each in retracted] == [["stopped_early"]]
