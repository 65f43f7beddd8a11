"""What leaves the premises with a request, what stays, and that nothing gets past the door."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import Field

from moslm import Config, MoSLMContext, ScriptedChatModel
from moslm.config import BoundaryRule, BoundarySettings, ClassifierSettings, HostedModel
from moslm.errors import ConfigError, EgressRefused
from moslm.models.leaving import Outside

MAIL = "jane.doe@contoso.example"
QUESTION = f"What is the budget of {MAIL}?"
OUTSIDE = {"premises": "outside"}


class Echo(ScriptedChatModel):
    """Says what it was asked, placeholders and all."""

    def _generate(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
        return self._said(messages)._generate(messages, *args, **kwargs)

    async def _agenerate(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
        return await self._said(messages)._agenerate(messages, *args, **kwargs)

    def _said(self, messages: Any) -> ScriptedChatModel:
        self.asked.append([message.text for message in messages])
        return ScriptedChatModel(replies=[f"You asked: {messages[-1].text}"], confidence=self.confidence)

    asked: list[list[str]] = Field(default_factory=list)
    disable_streaming: bool = True


def echo(**options: Any) -> Echo:
    return Echo(metadata=OUTSIDE, asked=[], **options)


def bounded(default: str = "redacted", *rules: dict[str, Any]) -> Config:
    return Config(boundary=BoundarySettings(default=default, rules=[BoundaryRule(**each) for each in rules]))


@pytest.mark.parametrize("face", ["sync", "async"])
def test_personal_data_stays_behind_placeholders_and_is_put_back_into_the_answer(moslm, face):
    large = echo()
    graph = moslm(confidence=0.3, large=large, config=bounded())
    asked = {"messages": [HumanMessage(QUESTION)]}
    result = graph.invoke(asked) if face == "sync" else asyncio.run(graph.ainvoke(asked))
    assert MAIL not in json.dumps(large.asked)
    assert result["messages"][-1].text == f"You asked: {QUESTION}"
    (crossed,) = result["decision"]["egress"]
    assert (crossed["ruling"], crossed["rule"], crossed["hidden"]) == ("redacted", "default", 1)


def test_the_whole_conversation_is_hidden_with_one_placeholder_for_one_value(moslm):
    large = echo()
    graph = moslm(confidence=0.3, large=large, config=bounded(), checkpointer=InMemorySaver())
    thread: Any = {"configurable": {"thread_id": "t"}}
    graph.invoke({"messages": [("user", QUESTION)]}, thread)
    graph.invoke({"messages": [("user", f"And the budget {MAIL.upper()} had before?")]}, thread)
    first, second = large.asked
    assert MAIL not in json.dumps(large.asked).lower()
    placeholder = first[-1].split()[-1].rstrip("?")
    assert placeholder in second[-1]
    assert placeholder in second[-3]


def test_what_must_stay_is_handed_over_and_nobody_outside_is_asked(moslm, ask):
    large = echo()
    config = bounded("redacted", {"domain": "finance", "may_leave": "local_only"})
    text, decision = ask(moslm(confidence=0.3, large=large, config=config), QUESTION)
    assert decision["outcome"] == "handed_over"
    assert "it must not leave the premises (domain finance)" in text
    assert large.asked == []
    assert decision["egress"][0]["ruling"] == "local_only"


@pytest.mark.parametrize(
    ("context", "left"),
    [
        (MoSLMContext(sensitivity="public"), True),
        (MoSLMContext(sensitivity="restricted"), False),
        (MoSLMContext(tenant="clinic"), False),
        (MoSLMContext(region="eu"), False),
        (MoSLMContext(region="us"), True),
    ],
)
def test_labels_decide(moslm, ask, context, left):
    large = echo()
    config = bounded(
        "redacted",
        {"sensitivity": "confidential", "may_leave": "local_only"},
        {"tenant": "clinic", "may_leave": "local_only"},
        {"region": "eu", "may_leave": "local_only"},
    )
    ask(moslm(confidence=0.3, large=large, config=config), QUESTION, context=context)
    assert bool(large.asked) is left


def test_with_any_it_leaves_as_it_is(moslm, ask):
    large = echo()
    ask(moslm(confidence=0.3, large=large, config=bounded("any")), QUESTION)
    assert MAIL in json.dumps(large.asked)


def test_a_model_inside_is_asked_as_it_is(moslm, ask):
    large = Echo(asked=[])
    _, decision = ask(moslm(confidence=0.3, large=large, config=bounded("local_only")), QUESTION)
    assert MAIL in json.dumps(large.asked)
    assert decision["egress"] == []


def test_a_recogniser_that_fails_keeps_everything_inside(moslm, ask, monkeypatch):
    def fails(self: Any, texts: Sequence[str]) -> list[str]:
        from moslm.errors import DetectorFailed

        raise DetectorFailed("patterns", "broke")

    monkeypatch.setattr("moslm.privacy.pseudonyms.Conversation.hide_all", fails)
    large = echo()
    text, decision = ask(moslm(confidence=0.3, large=large, config=bounded()), QUESTION)
    assert decision["outcome"] == "handed_over"
    assert "could not be checked, so it stays inside" in text
    assert large.asked == []


def test_a_small_model_outside_is_held_against_the_boundary_too(moslm, ask):
    small = echo(confidence=0.95)
    text, decision = ask(moslm({"finance": small}, config=bounded()), QUESTION)
    assert MAIL not in json.dumps(small.asked)
    assert text == f"You asked: {QUESTION}"
    assert decision["egress"][0]["model"] == "scripted"


class TestTheDoor:
    def test_lets_nothing_through_that_does_not_come_by_it(self):
        outside = Outside(ScriptedChatModel(), "large")
        with pytest.raises(EgressRefused, match="past the boundary"):
            outside.invoke([HumanMessage("hello")])
        with pytest.raises(EgressRefused, match="past the boundary"):
            asyncio.run(outside.ainvoke([HumanMessage("hello")]))
        with pytest.raises(EgressRefused, match="past the boundary"):
            next(outside.stream([HumanMessage("hello")]))

    def test_is_closed_again_after_each_call(self, moslm, ask):
        large = echo()
        ask(moslm(confidence=0.3, large=large, config=bounded()), QUESTION)
        with pytest.raises(EgressRefused):
            Outside(ScriptedChatModel(), "large").invoke([HumanMessage("hello")])


class TestAWiringThatCouldPassWhatMustStay:
    def test_is_refused_where_a_domains_own_model_is_outside(self, moslm):
        config = bounded("redacted", {"domain": "finance", "sensitivity": "restricted", "may_leave": "local_only"})
        with pytest.raises(ConfigError, match=r"domains\.finance\.model = 'scripted': is answered off the premises"):
            moslm({"finance": echo()}, config=config)

    def test_is_refused_where_the_classifier_is_outside(self, monkeypatch):
        from moslm import create_moslm

        monkeypatch.setenv("OPENAI_API_KEY", "k")
        gateway = ClassifierSettings(kind="chat", model=HostedModel(kind="hosted", name="openai:gpt-4o-mini"))
        with pytest.raises(ConfigError, match=r"classifier\.model: is off the premises"):
            create_moslm(Config(classifier=gateway))


def test_an_answer_in_pieces_is_restored_whole(moslm):
    large = ScriptedChatModel(replies=["Ask <EMAIL_ADDRESS_1> or <NOBODY_7>."], metadata=OUTSIDE)
    graph = moslm(confidence=0.3, large=large, config=bounded())
    seen = []
    for piece, _ in graph.stream({"messages": [HumanMessage(QUESTION)]}, stream_mode="messages"):
        if isinstance(piece, AIMessage):
            seen.append(piece.text)
    assert "".join(seen).startswith(f"Ask {MAIL} or")
    assert "<NOBODY_7>" in "".join(seen)
