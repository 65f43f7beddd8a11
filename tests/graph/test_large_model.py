"""What guards the large model: its cap, its throttle, its deadline, its latency budget; and which requests reach it."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from moslm import Config, ScriptedChatModel, create_moslm
from moslm.config import (
    BudgetSettings,
    ClassifierSettings,
    DomainSettings,
    LargeModelSettings,
    Price,
    ScriptedModel,
)
from moslm.errors import BackendBusy

QUESTION = "What is my budget?"
SCRIPTED = ScriptedModel(kind="scripted")


def guarded(**limits: Any) -> Config:
    return Config(large_model=LargeModelSettings(model=SCRIPTED, **limits))


def test_at_the_cap_of_calls_a_request_is_handed_over_and_says_so(moslm, ask, scripted):
    large = scripted("From above.")
    graph = moslm(confidence=0.3, large=large, config=guarded(max_calls_per_day=1))
    assert ask(graph, QUESTION)[0] == "From above."
    text, decision = ask(graph, QUESTION)
    assert decision["outcome"] == "handed_over"
    assert "the cap of 1 calls a day of the large model is reached" in text
    assert len(large.calls) == 1


def test_at_the_cap_of_money_a_request_is_handed_over_before_anything_is_spent(moslm, ask):
    large = ScriptedChatModel(replies=["From above."], model="dear")
    config = guarded(max_usd_per_day=0.01).model_copy(update={"prices": {"dear": Price(input=1000, output=1000)}})
    text, decision = ask(moslm(confidence=0.3, large=large, config=config), QUESTION)
    assert decision["outcome"] == "handed_over"
    assert "more than the cap of $0.01 a day of the large model" in text
    assert large.calls == []


def test_behind_the_throttle_a_request_is_handed_over_when_the_wait_is_too_long(moslm, ask, scripted):
    large = scripted("From above.")
    graph = moslm(confidence=0.3, large=large, config=guarded(requests_per_minute=1, max_wait_ms=0))
    outcomes = [ask(graph, QUESTION)[1]["outcome"] for _ in range(3)]
    assert outcomes[0] == "escalated"
    assert outcomes[-1] == "handed_over"
    assert len(large.calls) == outcomes.count("escalated")


def test_behind_the_throttle_of_tokens_a_request_is_handed_over_likewise(moslm, ask, scripted):
    large = scripted("From above.")
    graph = moslm(confidence=0.3, large=large, config=guarded(tokens_per_minute=100, max_wait_ms=0))
    outcomes = [ask(graph, QUESTION)[1]["outcome"] for _ in range(2)]
    assert outcomes == ["escalated", "handed_over"]


def test_a_provider_that_asks_to_be_left_alone_is(moslm, ask):
    asked_for = BackendBusy("large", "large refused the request because it has too many", retry_after_s=3600)
    large = ScriptedChatModel(replies=[asked_for, "From above."])
    graph = moslm(confidence=0.3, large=large, config=guarded())
    texts = [ask(graph, QUESTION)[0] for _ in range(3)]
    assert "because it has too many" in texts[0]
    assert all("too many requests are waiting for" in text for text in texts[1:])
    assert len(large.calls) == 1


async def test_all_processes_that_share_a_redis_leave_it_alone(moslm, redis_server):
    budgets = BudgetSettings(redis_url=redis_server.url, redis_prefix=uuid4().hex)
    config = guarded().model_copy(update={"budgets": budgets})
    asked_for = BackendBusy("large", "large refused the request because it has too many", retry_after_s=3600)
    refusing, other = ScriptedChatModel(replies=[asked_for]), ScriptedChatModel(replies=["From above."])
    for large in (refusing, other):
        graph = moslm(confidence=0.3, large=large, config=config)
        result = await graph.ainvoke({"messages": [("user", QUESTION)]})
        assert result["decision"]["outcome"] == "handed_over"
    assert (len(refusing.calls), other.calls) == (1, [])


def test_a_call_that_is_given_up_counts_towards_the_cap(moslm, ask):
    large = ScriptedChatModel(replies=["Late."], delay_ms=5000)
    graph = moslm(confidence=0.3, large=large, config=guarded(max_calls_per_day=1, deadline_ms=100))
    assert "did not answer before its deadline" in ask(graph, QUESTION)[0]
    assert "the cap of 1 calls a day" in ask(graph, QUESTION)[0]


def test_a_latency_budget_is_measured_whether_it_was_kept_or_not(moslm, ask):
    slow = ScriptedChatModel(replies=["Forty."], confidence=0.95, delay_ms=50)
    config = Config(domains={"finance": DomainSettings(latency_ms=10)})
    _, decision = ask(moslm({"finance": slow}, config=config), QUESTION)
    (latency,) = decision["latency"]
    assert (latency["what"], latency["budget_ms"], latency["kept"]) == ("finance", 10, False)
    assert latency["measured_ms"] >= 50
    _, decision = ask(moslm(), QUESTION)
    assert decision["latency"][0]["kept"] is True


def test_the_cost_of_a_small_answer_is_held_against_the_large_model_for_everything(moslm, ask):
    _, decision = ask(moslm(), QUESTION)
    cost = decision["cost"]
    assert cost["spent_usd"] == 0
    assert cost["baseline_usd"] > 0
    assert cost["saved_usd"] == pytest.approx(cost["baseline_usd"] - cost["spent_usd"])


class TestWithTheShippedClassifier:
    """Which of Layer 3's reasons fire on words, not on numbers that a test made up."""

    @pytest.fixture
    def graph(self, scripted) -> Any:
        models = {name: scripted("From below.") for name in ("finance", "it_support", "customer_service")}
        return create_moslm(models=models, large_model=scripted("From above.")).compile(checkpointer=InMemorySaver())

    @pytest.mark.parametrize(
        ("text", "fired"),
        [
            ("How much may a hotel cost per night on a business trip?", []),
            ("How often are laptops replaced?", []),
            ("How long are rucksacks under guarantee?", []),
            ("My laptop does not start. And who approves a supplier's invoice of 12,000 euros?", ["several_domains"]),
            ("Use advanced reasoning: should we lease or buy our next three delivery vans?", ["asked_for"]),
            ("Prove that the square root of 2 is irrational.", ["needs_reasoning"]),
            ("Which telescope shows the rings of Saturn best?", ["unfamiliar"]),
        ],
    )
    def test_a_request_goes_up_for_its_reason_and_for_no_other(self, graph, ask, text, fired):
        answer, decision = ask(graph, text, config={"configurable": {"thread_id": text}})
        assert set(fired) <= {reason["trigger"] for reason in decision["reasons"]}
        assert bool(fired) == bool(decision["reasons"])
        assert answer == ("From above." if fired else "From below.")

    def test_a_follow_up_stays_in_the_domain_of_its_conversation(self, graph, ask):
        thread: Any = {"configurable": {"thread_id": "t"}}
        ask(graph, "How much of the marketing budget is left in Q1?", config=thread)
        _, decision = ask(graph, "and for Q2?", config=thread)
        assert decision["domain"] == "finance"
        assert decision["classification"]["continued"] is True
        assert decision["outcome"] == "answered"


def test_a_small_chat_model_classifies_by_config_alone(scripted):
    small = ScriptedModel(kind="scripted", name="gateway-1b", replies=["B"])
    config = Config(classifier=ClassifierSettings(kind="chat", model=small))
    models = {name: scripted(f"The {name} answer.") for name in ("finance", "it_support", "customer_service")}
    graph = create_moslm(config, models=models).compile()
    result = graph.invoke({"messages": [("user", "Where is my parcel?")]})
    found = result["decision"]["classification"]
    assert "gateway-1b" in found["classifier"]
    assert found["novelty_p"] is None
    assert max(found["probabilities"].values()) == pytest.approx(0.9, abs=0.1)
    assert result["decision"]["domain"] == found["domain"]


@pytest.mark.parametrize(
    "text", ["What is my budget?", "budget 预算还剩多少，能不能告诉我？" * 200, "budget 🙂🙃" * 300]
)
def test_what_is_set_aside_covers_every_token_the_text_can_have(text):
    from moslm.models.paying import Till, bill_of
    from moslm.nodes.escalate import LargeModel, _prompt

    till = Till("m", None, None, None, 50)
    large = LargeModel(None, "m", "Be brief.", 1.0, till, lambda domain: "hand_over")
    bill = bill_of(till, _prompt(large, {"turns": [("user", text)], "id": "r"}))
    assert bill.input_tokens >= len(text.encode()) + len(b"Be brief.")


def test_a_model_passed_in_code_may_not_answer_longer_than_was_set_aside(moslm, ask, scripted):
    seen = []

    class Watching(ScriptedChatModel):
        def _generate(self, messages, stop=None, run_manager=None, **kwargs):
            seen.append(kwargs.get("max_tokens"))
            return super()._generate(messages, stop, run_manager, **kwargs)

        def _stream(self, messages, stop=None, run_manager=None, **kwargs):
            seen.append(kwargs.get("max_tokens"))
            return super()._stream(messages, stop, run_manager, **kwargs)

    ask(moslm(confidence=0.3, large=Watching(replies=["From above."])), QUESTION)
    assert seen == [1024]
