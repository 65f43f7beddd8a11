"""When a person is asked beside writes: a dear escalation, and a doubtful draft of a domain of high risk."""

from __future__ import annotations

from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from moslm import Config, MoSLMContext, ScriptedChatModel
from moslm.config import Defaults, DomainSettings, LargeModelSettings, Price, ScriptedModel
from moslm.errors import ConfigError

THREAD: Any = {"configurable": {"thread_id": "t"}}
QUESTION: Any = {"messages": [("user", "What is my budget?")]}


def question(result: dict[str, Any]) -> dict[str, Any]:
    return result["__interrupt__"][0].value["action_requests"][0]


def resumed(graph: Any, kind: str, **more: Any) -> dict[str, Any]:
    return graph.invoke(Command(resume={"decisions": [{"type": kind, **more}]}), THREAD)


class TestADearEscalation:
    @pytest.fixture
    def guarded(self, moslm):
        """Build a graph whose large model costs a dollar a thousand tokens, in and out."""

        def build(above: float, **options: Any) -> Any:
            section = LargeModelSettings(model=ScriptedModel(kind="scripted"), review_above_usd=above)
            config = Config(large_model=section, prices={"dear": Price(input=1000, output=1000)})
            large = ScriptedChatModel(replies=["From above."], model="dear")
            options.setdefault("confidence", 0.3)
            return moslm(large=large, config=config, checkpointer=InMemorySaver(), **options), large

        return build

    def test_waits_for_a_person_who_sees_its_price_before_anything_is_paid(self, guarded):
        graph, large = guarded(0.5)
        shown = question(graph.invoke(QUESTION, THREAD))
        assert shown["name"] == "escalate_to_large_model"
        assert shown["args"]["at_most_usd"] > 0.5
        assert f"${shown['args']['at_most_usd']:.2f}" in shown["description"]
        assert large.calls == []
        decision = resumed(graph, "approve")["decision"]
        assert decision["outcome"] == "escalated"
        assert decision["cost"]["spent_usd"] <= shown["args"]["at_most_usd"]
        dear = decision["reasons"][-1]
        assert (dear["trigger"], dear["threshold"]) == ("dear_escalation", 0.5)
        assert decision["checks"][-1]["asks"] == "escalation"

    def test_is_what_the_ledger_sets_aside(self, guarded):
        graph, _ = guarded(0.5)
        shown = question(graph.invoke(QUESTION, THREAD))
        resumed(graph, "approve")
        import sqlite3

        from moslm.config import home

        with sqlite3.connect(home() / "ledger.sqlite") as db:
            ((nanos,),) = db.execute("SELECT most_nanos FROM purchases").fetchall()
        assert nanos / 1e9 == pytest.approx(shown["args"]["at_most_usd"], rel=1e-6)

    def test_that_is_rejected_pays_nothing(self, guarded):
        graph, large = guarded(0.5)
        graph.invoke(QUESTION, THREAD)
        decision = resumed(graph, "reject")["decision"]
        assert large.calls == []
        assert (decision["outcome"], decision["cost"]["spent_usd"]) == ("handed_over", 0)

    def test_that_is_cheap_enough_asks_nobody(self, guarded):
        graph, _ = guarded(50)
        decision = graph.invoke(QUESTION, THREAD)["decision"]
        assert decision["outcome"] == "escalated"
        assert "dear_escalation" in decision["checks"][-1]["considered"]

    def test_is_asked_about_where_no_draft_is_made_at_all(self, guarded):
        graph, large = guarded(0.5, confidence=0.95)
        asked = {"messages": [("user", "Use advanced reasoning: what is my budget?")]}
        assert question(graph.invoke(asked, THREAD))["name"] == "escalate_to_large_model"
        assert large.calls == []

    def test_of_a_caller_who_may_not_escalate_asks_nobody(self, guarded):
        graph, _ = guarded(0.5)
        result = graph.invoke(QUESTION, THREAD, context=MoSLMContext(may_escalate=False))
        assert result["decision"]["outcome"] == "handed_over"


class TestADoubtfulDraftOfHighRisk:
    @pytest.fixture
    def risky(self, moslm, scripted):
        def build(confidence: float | None = 0.3, reply: str = "Perhaps 7.", **options: Any) -> Any:
            large = scripted("From above.")
            config = options.pop("config", Config(domains={"finance": DomainSettings(risk="high")}))
            options.setdefault("checkpointer", InMemorySaver())
            return moslm({"finance": reply}, confidence=confidence, large=large, config=config, **options), large

        return build

    def test_goes_to_a_person_with_its_question_and_not_up(self, risky):
        graph, large = risky()
        shown = question(graph.invoke(QUESTION, THREAD))
        assert shown["name"] == "show_draft"
        assert (shown["args"]["question"], shown["args"]["draft"]) == ("What is my budget?", "Perhaps 7.")
        assert large.calls == []

    def test_is_given_as_it_stands_where_it_is_approved(self, risky):
        graph, large = risky()
        graph.invoke(QUESTION, THREAD)
        result = resumed(graph, "approve")
        decision = result["decision"]
        assert result["messages"][-1].text == "Perhaps 7."
        assert (decision["outcome"], decision["answered_by"]) == ("answered", "scripted")
        assert [reason["trigger"] for reason in decision["reasons"]] == ["low_confidence", "high_risk"]
        assert decision["drafts"][0]["accepted"] is False
        assert [each["decision"] for each in decision["reviews"]] == ["approve"]
        assert large.calls == []

    def test_is_given_in_the_persons_words_where_it_is_edited(self, risky):
        graph, _ = risky()
        graph.invoke(QUESTION, THREAD)
        result = resumed(graph, "edit", edited_action={"name": "show_draft", "args": {"draft": "It is 9."}})
        assert result["messages"][-1].text == "It is 9."
        assert result["decision"]["answered_by"] == "person"

    @pytest.mark.parametrize("args", [{}, {"draft": " "}, {"draft": 9}])
    def test_cannot_be_edited_into_nothing(self, risky, args):
        graph, _ = risky()
        graph.invoke(QUESTION, THREAD)
        again = resumed(graph, "edit", edited_action={"name": "show_draft", "args": args})
        assert again["__interrupt__"][0].value["problem"] == "an edit needs words in the argument draft"

    def test_may_be_answered_by_the_person_instead(self, risky):
        graph, _ = risky()
        graph.invoke(QUESTION, THREAD)
        assert resumed(graph, "respond", message="Nine.")["messages"][-1].text == "Nine."

    def test_is_handed_over_and_never_shown_where_it_is_rejected(self, risky):
        graph, large = risky()
        graph.invoke(QUESTION, THREAD)
        result = resumed(graph, "reject")
        assert result["decision"]["outcome"] == "handed_over"
        assert "Perhaps" not in result["messages"][-1].text
        assert large.calls == []

    def test_is_streamed_once_it_is_approved_and_not_before(self, risky):
        graph, _ = risky()
        before = [piece.text for piece, _ in graph.stream(QUESTION, THREAD, stream_mode="messages")]
        approve = Command(resume={"decisions": [{"type": "approve"}]})
        after = [piece.text for piece, _ in graph.stream(approve, THREAD, stream_mode="messages")]
        assert "".join(before) == ""
        assert "Perhaps 7." in "".join(after)

    def test_that_is_sure_enough_asks_nobody(self, risky):
        graph, _ = risky(confidence=0.95)
        assert graph.invoke(QUESTION, THREAD)["decision"]["outcome"] == "answered"

    def test_that_does_not_know_goes_up_because_there_is_nothing_to_show(self, risky):
        graph, large = risky(reply="I do not know.")
        assert graph.invoke(QUESTION, THREAD)["decision"]["outcome"] == "escalated"
        assert len(large.calls) == 1

    def test_of_another_domain_goes_up(self, risky):
        graph, _ = risky()
        asked = {"messages": [("user", "Why is my laptop slow?")]}
        assert graph.invoke(asked, THREAD)["decision"]["outcome"] == "escalated"

    def test_is_handed_over_where_nobody_can_be_asked(self, risky):
        graph, large = risky(checkpointer=None)
        result = graph.invoke(QUESTION)
        assert result["decision"]["outcome"] == "handed_over"
        assert "nobody can be asked in this run" in result["messages"][-1].text
        assert large.calls == []

    def test_makes_one_answer_with_the_other_domains_drafts(self, risky):
        graph, _ = risky(config=Config(multi_domain="fan_out", domains={"finance": DomainSettings(risk="high")}))
        asked = {"messages": [("user", "What is my budget? And why is my laptop slow?")]}
        shown = question(graph.invoke(asked, THREAD))["args"]["draft"]
        assert "Perhaps 7." in shown
        assert "The it_support answer." in shown
        assert resumed(graph, "approve")["messages"][-1].text == shown

    def test_cannot_be_streamed_before_it_is_judged(self, risky):
        config = Config(optimistic_streaming=True, defaults=Defaults(risk="high"))
        with pytest.raises(ConfigError, match="optimistic_streaming = True: shows drafts before they are judged"):
            risky(config=config)
