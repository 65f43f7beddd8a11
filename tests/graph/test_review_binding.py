"""A decision is bound to what was shown, to who may decide, to a time, and to one carrying out."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from moslm import Config, MoSLMContext
from moslm.config import DomainSettings, LargeModelSettings, ReviewSettings, ScriptedModel
from moslm.errors import RequestError

THREAD: Any = {"configurable": {"thread_id": "t"}}
APPROVE: dict[str, Any] = {"decisions": [{"type": "approve"}]}
ASK: Any = {"messages": [("user", "Pay 7 from my budget")]}


@pytest.fixture(params=["file", "redis"])
def kept(request) -> ReviewSettings:
    """Where questions are kept, as settings."""
    if request.param == "file":
        return ReviewSettings()
    return ReviewSettings(redis_url=request.getfixturevalue("redis_server").url, redis_prefix=uuid4().hex)


@pytest.fixture
def written() -> list[int]:
    return []


@pytest.fixture
def paying(moslm, scripted, written, kept):
    """Build a graph whose finance model wants to pay, and then says so."""

    @tool
    def pay(amount: int) -> str:
        """Pay an amount."""
        written.append(amount)
        return f"paid {amount}"

    pay.metadata = {"effect": "write"}

    def build(saver: Any = None, replies: Any = None, **settings: Any) -> Any:
        call = AIMessage("", tool_calls=[{"name": "pay", "args": {"amount": 7}, "id": "call-1"}])
        settings.setdefault("review", kept)
        config = Config(domains={"finance": DomainSettings(tools=["pay"])}, **settings)
        model = scripted(replies or [call, "Done: 7 were paid."])
        return moslm({"finance": model}, config=config, tools=[pay], checkpointer=saver or InMemorySaver())

    return build


def question(result: dict[str, Any]) -> dict[str, Any]:
    return result["__interrupt__"][0].value


def resumed(graph: Any, answer: Any = APPROVE, **options: Any) -> dict[str, Any]:
    return graph.invoke(Command(resume=answer), options.pop("config", THREAD), **options)


def test_the_question_says_what_it_may_be_answered_with_until_when_and_what_was_shown(paying):
    asked = question(paying().invoke(ASK, THREAD))
    schema = asked["response_schema"]
    jsonschema.Draft202012Validator.check_schema(schema)
    judge = jsonschema.Draft202012Validator(schema)
    edit = {"type": "edit", "edited_action": {"name": "pay", "args": {"amount": 5}}}
    for fits in (APPROVE, {"decisions": [edit]}, {"decisions": [{"type": "reject"}], "by": "ann", "why": "late"}):
        assert judge.is_valid(fits)
    for wrong in ({}, {"decisions": []}, {"decisions": [{"type": "launch"}]}, {"decisions": [{"type": "respond"}]}):
        assert not judge.is_valid(wrong)
    assert len(asked["shown_sha256"]) == 64
    assert asked["asked_at"] < asked["expires_at"]


def test_who_when_and_why_are_in_the_decision(paying):
    graph = paying()
    asked = question(graph.invoke(ASK, THREAD))
    (review,) = resumed(graph, {**APPROVE, "by": "ann", "why": "agreed by phone"})["decision"]["reviews"]
    assert (review["by"], review["role"], review["why"]) == ("ann", None, "agreed by phone")
    assert review["shown_sha256"] == asked["shown_sha256"]
    assert asked["asked_at"] == review["asked_at"] < review["decided_at"]


class TestWhoDecides:
    def test_is_the_user_of_the_context_that_resumes(self, paying):
        graph = paying()
        graph.invoke(ASK, THREAD, context=MoSLMContext(user="bob"))
        context = MoSLMContext(user="ann", role="reviewer")
        decision = resumed(graph, {**APPROVE, "by": "mallory"}, context=context)["decision"]
        assert (decision["reviews"][0]["by"], decision["reviews"][0]["role"]) == ("ann", "reviewer")
        assert (decision["user"], decision["role"]) == ("bob", "user")

    @pytest.mark.parametrize("user", [{"identity": "ann"}, SimpleNamespace(identity="ann", role="admin")])
    def test_is_whom_the_server_authenticated_before_anybody_else(self, paying, user):
        graph = paying()
        graph.invoke(ASK, THREAD)
        config = {"configurable": {"thread_id": "t", "langgraph_auth_user": user}}
        context = MoSLMContext(user="mallory", role="reviewer")
        (review,) = resumed(graph, {**APPROVE, "by": "eve"}, config=config, context=context)["decision"]["reviews"]
        assert review["by"] == "ann"
        assert review["role"] == ("reviewer" if isinstance(user, dict) else "admin")

    @pytest.mark.parametrize("role", ["user", "auditor", "operator"])
    def test_is_nobody_whose_role_may_not(self, paying, written, role):
        graph = paying()
        graph.invoke(ASK, THREAD)
        again = resumed(graph, context=MoSLMContext(role=role))
        assert question(again)["problem"] == (
            f"the role {role} may not decide here: the rules on access give it no review"
        )
        assert written == []

    def test_and_such_an_answer_does_not_count_later_when_somebody_who_may_resumes(self, paying, written):
        graph = paying()
        graph.invoke(ASK, THREAD)
        resumed(graph, context=MoSLMContext(role="user"))
        rejected = {"decisions": [{"type": "reject", "message": "no"}]}
        decision = resumed(graph, rejected, context=MoSLMContext(role="reviewer"))["decision"]
        assert written == []
        assert [each["decision"] for each in decision["reviews"]] == ["reject"]

    def test_is_not_a_user_whom_the_server_knows_as_one_whatever_the_context_says(self, paying, written):
        graph = paying()
        graph.invoke(ASK, THREAD)
        config = {"configurable": {"thread_id": "t", "langgraph_auth_user": {"identity": "bob", "role": "user"}}}
        assert question(resumed(graph, config=config, context=MoSLMContext(role="admin")))["problem"]
        assert written == []


class TestAnEditedCheckpoint:
    def edited(self, graph: Any, amount: int) -> None:
        drafts = graph.get_state(THREAD).values["drafts"]
        draft = drafts["0"]
        wish = {**draft["pending"][0], "args": {"amount": amount}}
        graph.update_state(THREAD, {"drafts": {"0": {**draft, "pending": [wish]}}}, as_node="check_draft")

    def test_is_asked_about_again_because_nobody_approved_what_it_says(self, paying, written):
        graph = paying()
        first = question(graph.invoke(ASK, THREAD))
        self.edited(graph, 7000)
        again = question(resumed(graph))
        assert written == []
        assert again["problem"] == "what is to be decided has changed since it was shown"
        assert again["action_requests"][0]["args"] == {"amount": 7000}
        assert again["shown_sha256"] != first["shown_sha256"]
        resumed(graph)
        assert written == [7000]

    def test_that_is_looked_at_before_it_is_approved_needs_one_approval(self, paying, written):
        graph = paying()
        graph.invoke(ASK, THREAD)
        self.edited(graph, 70)
        assert question(graph.invoke(None, THREAD))["action_requests"][0]["args"] == {"amount": 70}
        resumed(graph)
        assert written == [70]

    def test_of_a_request_that_was_never_asked_about_is_not_carried_out(self, paying, written):
        graph = paying()
        graph.invoke(ASK, THREAD)
        request = graph.get_state(THREAD).values["request"]
        graph.update_state(THREAD, {"request": {**request, "id": "another"}}, as_node="check_draft")
        assert question(resumed(graph))["problem"] == "this question was not asked before it was answered"
        assert written == []


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(amount=st.integers(-(10**6), 10**6).filter(lambda amount: amount != 7))
def test_no_edited_amount_is_ever_paid_on_the_approval_of_another(paying, written, amount):
    written.clear()
    graph, edit = paying(), TestAnEditedCheckpoint()
    graph.invoke(ASK, THREAD)
    edit.edited(graph, amount)
    resumed(graph)
    assert written == []


def test_a_decision_that_names_another_hash_is_not_carried_out(paying, written):
    graph = paying()
    asked = question(graph.invoke(ASK, THREAD))
    assert question(resumed(graph, {**APPROVE, "shown_sha256": "0" * 64}))["problem"]
    assert written == []
    resumed(graph, {**APPROVE, "shown_sha256": asked["shown_sha256"]})
    assert written == [7]


class TestADecisionThatComesTooLate:
    @pytest.fixture
    def late(self, paying, kept):
        graph = paying(review=kept.model_copy(update={"expires_minutes": 1e-6}))
        graph.invoke(ASK, THREAD)
        time.sleep(0.01)
        return graph

    def test_is_not_carried_out_and_the_request_is_handed_over(self, late, written):
        result = resumed(late)
        assert written == []
        assert result["decision"]["outcome"] == "handed_over"
        assert "was not carried out" in result["messages"][-1].text
        assert [each["decision"] for each in result["decision"]["reviews"]] == ["expired"]

    def test_is_not_made_timely_by_looking_at_the_question_again(self, late, written):
        assert question(late.invoke(None, THREAD))["action_requests"]
        assert resumed(late)["decision"]["outcome"] == "handed_over"
        assert written == []


def test_how_long_a_question_stands_is_a_setting(paying):
    asked = question(paying(review=ReviewSettings(expires_minutes=1)).invoke(ASK, THREAD))
    assert asked["expires_at"][:16] != asked["asked_at"][:16]
    assert asked["expires_at"][17:] == asked["asked_at"][17:]


def test_questions_in_a_redis_that_is_not_there_are_not_asked_and_nothing_is_done(paying, written, tmp_path):
    result = paying(review=ReviewSettings(redis_url=f"unix://{tmp_path}/nothing.sock")).invoke(ASK, THREAD)
    assert "__interrupt__" not in result
    assert written == []
    assert "the question cannot be kept" in result["messages"][-1].text


class TestADecisionThatComesTwice:
    def test_writes_once(self, paying, written):
        graph = paying()
        graph.invoke(ASK, THREAD)
        first = resumed(graph)
        second = resumed(graph)
        assert written == [7]
        assert [message.id for message in second["messages"]] == [message.id for message in first["messages"]]

    def test_writes_once_where_it_is_sent_to_the_checkpoint_that_waited(self, paying, written):
        graph = paying()
        graph.invoke(ASK, THREAD)
        waited = graph.get_state(THREAD).config
        resumed(graph)
        with pytest.raises(RequestError, match=r"pay was decided at .*; nothing is done twice"):
            resumed(graph, config=waited)
        assert written == [7]

    def test_writes_once_where_ten_click_at_the_same_moment(self, paying, written):
        graph = paying()
        graph.invoke(ASK, THREAD)
        waited = graph.get_state(THREAD).config

        async def storm() -> list[Any]:
            runs = [graph.ainvoke(Command(resume=APPROVE), waited) for _ in range(10)]
            return await asyncio.gather(*runs, return_exceptions=True)

        ended = asyncio.run(storm())
        assert written == [7]
        assert sum(isinstance(each, RequestError) for each in ended) == 9

    def test_may_be_made_anew_by_a_person_who_is_shown_that_it_was_made_before(self, paying, written):
        graph = paying(replies=None)
        graph.invoke(ASK, THREAD)
        waited = graph.get_state(THREAD).config
        resumed(graph, {**APPROVE, "by": "ann"})
        again = question(graph.invoke(None, waited))
        assert again["decided_before"].startswith("decided by ann at ")
        assert written == [7]

    @pytest.fixture
    def guarded(self, moslm, scripted):
        large = scripted(["From above.", "Again."])
        section = LargeModelSettings(model=ScriptedModel(kind="scripted"), review=True)
        config = Config(large_model=section)
        return moslm(confidence=0.3, large=large, config=config, checkpointer=InMemorySaver()), large

    def test_pays_once(self, guarded):
        graph, large = guarded
        graph.invoke({"messages": [("user", "What is my budget?")]}, THREAD)
        waited = graph.get_state(THREAD).config
        first = resumed(graph)
        second = resumed(graph, config=waited)
        assert len(large.calls) == 1
        assert second["messages"][-1].text == first["messages"][-1].text == "From above."
        assert second["decision"]["reviews"] == first["decision"]["reviews"]


@pytest.mark.parametrize("off", [-90 * 86_400, 90 * 86_400])
def test_a_machine_whose_clock_is_set_neither_ends_a_question_early_nor_keeps_one_open(paying, kept, off, monkeypatch):
    graph, real = paying(), time.time
    graph.invoke(ASK, THREAD)
    monkeypatch.setattr(time, "time", lambda: real() + off)
    assert resumed(graph)["decision"]["outcome"] == "answered"
    monkeypatch.undo()
    short = paying(review=kept.model_copy(update={"expires_minutes": 1e-6}))
    other: Any = {"configurable": {"thread_id": "t2"}}
    short.invoke(ASK, other)
    monkeypatch.setattr(time, "time", lambda: real() + off)
    time.sleep(0.01)
    assert resumed(short, config=other)["decision"]["outcome"] == "handed_over"


@pytest.mark.parametrize("kept", ["file"], indirect=True)
class TestAQuestionThatCannotBeKept:
    def test_is_not_asked_and_nothing_is_done(self, paying, written, home):
        (home / "reviews.sqlite").write_bytes(b"this is no database" * 100)
        result = paying().invoke(ASK, THREAD)
        assert "__interrupt__" not in result
        assert written == []
        assert "the question cannot be kept" in result["messages"][-1].text

    def test_is_not_carried_out_when_its_answer_comes(self, paying, written, home):
        graph = paying()
        graph.invoke(ASK, THREAD)
        for each in home.glob("reviews.sqlite*"):
            each.write_bytes(b"this is no database" * 100)
        assert resumed(graph)["decision"]["outcome"] == "handed_over"
        assert written == []


def test_a_graph_that_is_built_anew_between_question_and_answer_carries_it_out(paying, written):
    saver = InMemorySaver()
    asked = question(paying(saver).invoke(ASK, THREAD))
    result = resumed(paying(saver, replies=["Done."]))
    assert written == [7]
    assert result["decision"]["reviews"][0]["shown_sha256"] == asked["shown_sha256"]


@pytest.mark.parametrize("kept", ["file"], indirect=True)
def test_neither_what_was_shown_nor_what_was_said_is_in_the_file(paying, home):
    graph = paying()
    graph.invoke({"messages": [("user", "Pay 7 from my budget to CANARY-1")]}, THREAD)
    resumed(graph, {"decisions": [{"type": "reject", "message": "CANARY-2"}], "why": "CANARY-3"})
    kept = b"".join(each.read_bytes() for each in home.glob("reviews.sqlite*"))
    assert b"CANARY" not in kept
    assert b"pay" not in kept
