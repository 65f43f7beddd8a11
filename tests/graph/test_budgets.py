"""What becomes of a request when a cap is reached, and that nothing is paid twice."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from typing import Any

import pytest
from langchain_core.outputs import ChatGenerationChunk
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from moslm import Config, MoSLMContext, ScriptedChatModel
from moslm.config import (
    BudgetSettings,
    CapSettings,
    Defaults,
    DomainSettings,
    LargeModelSettings,
    Price,
    ScriptedModel,
    home,
    load,
)
from moslm.errors import ConfigError

QUESTION = "What is my budget?"
PRICES = {"dear": Price(input=1000, output=1000)}
SCRIPTED = ScriptedModel(kind="scripted")


def capped(*caps: dict[str, Any], at_cap: str = "hand_over", **budgets: Any) -> Config:
    return Config(
        defaults=Defaults(at_cap=at_cap),
        budgets=BudgetSettings(caps=[CapSettings(**each) for each in caps], **budgets),
        prices=PRICES,
    )


def dear(*replies: str, **options: Any) -> ScriptedChatModel:
    return ScriptedChatModel(replies=list(replies) or ["From above."], model="dear", **options)


@pytest.fixture
def at_cap(moslm):
    """Build a graph whose large model may not be called at all."""

    def build(action: str, **options: Any) -> Any:
        options.setdefault("confidence", 0.3)
        return moslm(large=dear(), config=capped({"calls": 0}, at_cap=action), checkpointer=InMemorySaver(), **options)

    return build


THREAD: Any = {"configurable": {"thread_id": "t"}}


def test_the_decision_says_which_cap_how_much_is_left_and_when_it_frees(moslm, ask):
    graph = moslm(confidence=0.3, large=dear(), config=capped({"usd": 500, "per": "tenant", "only": "acme"}))
    _, decision = ask(graph, QUESTION, context=MoSLMContext(tenant="acme"))
    named = {each["cap"]: each for each in decision["budget"]["caps"]}
    cap = named["$500 a day for tenant acme"]
    assert (cap["limit"], cap["taken"], cap["left"], cap["reached"]) == (500, 0, 500, False)
    assert cap["frees_at"].endswith("00:00 UTC")
    assert decision["budget"]["at_cap"] is None
    assert "1000 calls a day of the large model" in named


def test_what_was_spent_is_what_the_next_request_finds_taken(moslm, ask):
    graph = moslm(confidence=0.3, large=dear(), config=capped({"usd": 500}))
    _, first = ask(graph, QUESTION)
    _, second = ask(graph, QUESTION)
    taken = next(each["taken"] for each in second["budget"]["caps"] if each["cap"] == "$500 a day")
    assert taken == pytest.approx(first["cost"]["spent_usd"])
    assert taken > 0


def test_a_request_is_handed_over_by_default_and_is_told_why(at_cap, ask):
    text, decision = ask(at_cap("hand_over"), QUESTION, config=THREAD)
    assert decision["outcome"] == "handed_over"
    assert "one call of dear may take up to 1 calls, more than the cap of 0 calls a day" in text
    assert decision["budget"]["at_cap"] == "hand_over"
    assert [each["cap"] for each in decision["budget"]["caps"] if each["reached"]] == ["0 calls a day"]


def test_it_may_be_refused(at_cap, ask):
    text, decision = ask(at_cap("refuse"), QUESTION, config=THREAD)
    assert decision["outcome"] == "refused"
    assert text.startswith("This cannot be answered now, because one call")
    assert decision["refusal"]


class TestAnsweringLocally:
    def test_shows_the_small_models_words_with_a_notice(self, at_cap, ask):
        text, decision = ask(at_cap("answer_locally"), QUESTION, config=THREAD)
        assert text.startswith("The finance answer.\n\nThis answer has not been checked")
        assert (decision["outcome"], decision["answered_by"]) == ("answered", "scripted")
        assert decision["budget"]["at_cap"] == "answer_locally"

    def test_does_not_count_as_a_draft_the_gate_accepted(self, at_cap, ask):
        _, decision = ask(at_cap("answer_locally"), QUESTION, config=THREAD)
        assert [draft["accepted"] for draft in decision["drafts"]] == [False]
        fired = [[reason["trigger"] for reason in check["reasons"]] for check in decision["checks"]]
        assert fired == [[], ["low_confidence"], ["at_cap"]]

    def test_counts_both_drafts(self, at_cap, ask):
        _, decision = ask(at_cap("answer_locally"), QUESTION, config=THREAD)
        assert sum(each["calls"] for each in decision["usage"]) == 2

    def test_asks_the_small_model_where_the_request_went_up_at_once(self, at_cap, ask, chosen):
        graph = at_cap("answer_locally", classifier=chosen(strangeness=99.0))
        text, decision = ask(graph, "Use advanced reasoning: what is my budget?", config=THREAD)
        assert text.startswith("The finance answer.")
        assert decision["checks"][0]["action"] == "escalate"

    def test_hands_over_what_the_small_model_does_not_know(self, at_cap, ask):
        graph = at_cap("answer_locally", replies={"finance": "I do not know."})
        text, decision = ask(graph, QUESTION, config=THREAD)
        assert decision["outcome"] == "handed_over"
        assert "I do not know." not in text

    def test_hands_over_what_has_no_small_model(self, at_cap, ask, chosen):
        graph = at_cap("answer_locally", classifier=chosen({"prove": "complex_reasoning"}))
        _, decision = ask(graph, "prove it", config=THREAD)
        assert decision["outcome"] == "handed_over"

    def test_is_not_remembered(self, at_cap, ask):
        graph = at_cap("answer_locally")
        ask(graph, QUESTION, config=THREAD)
        assert ask(graph, QUESTION, config={"configurable": {"thread_id": "u"}})[1]["outcome"] == "answered"


class TestAskingAPerson:
    def test_who_may_answer_but_not_go_beyond_the_cap(self, at_cap):
        graph = at_cap("ask")
        waiting = graph.invoke({"messages": [("user", QUESTION)]}, THREAD)["__interrupt__"][0].value
        assert waiting["action_requests"][0]["name"] == "answer_at_cap"
        assert waiting["review_configs"][0]["allowed_decisions"] == ["respond", "reject"]
        answered = Command(resume={"decisions": [{"type": "respond", "message": "You have 40."}]})
        result = graph.invoke(answered, THREAD)
        assert result["messages"][-1].text == "You have 40."
        assert result["decision"]["reviews"][0]["what"] == "answer_at_cap"
        assert result["decision"]["answered_by"] == "person"

    def test_who_may_leave_it(self, at_cap):
        graph = at_cap("ask")
        graph.invoke({"messages": [("user", QUESTION)]}, THREAD)
        result = graph.invoke(Command(resume={"decisions": [{"type": "reject"}]}), THREAD)
        assert result["decision"]["outcome"] == "handed_over"
        assert "a person did not answer it" in result["messages"][-1].text


class TestWaiting:
    def test_lasts_until_there_is_room(self, moslm, ask, monkeypatch):
        config = capped({"calls": 1}, at_cap="wait", max_wait_ms=90_000_000)
        graph, slept = moslm(confidence=0.3, large=dear(), config=config), []
        ask(graph, QUESTION)
        monkeypatch.setattr("moslm.models.calls.time.sleep", lambda seconds: _next_window(slept, seconds))
        text, decision = ask(graph, QUESTION)
        assert text == "From above."
        (pause,) = slept
        assert pause <= 86_400
        assert decision["budget"]["waited_ms"] > 0

    def test_is_given_up_at_once_where_it_would_last_too_long(self, moslm, ask):
        config = capped({"calls": 1, "every": "day"}, at_cap="wait", max_wait_ms=10)
        graph = moslm(confidence=0.3, large=dear(), config=config)
        ask(graph, QUESTION)
        _, decision = ask(graph, QUESTION)
        assert (decision["outcome"], decision["budget"]["at_cap"]) == ("handed_over", "wait")


def _next_window(slept: list[float], seconds: float) -> None:
    """Let the day pass: what was taken in it is moved to the day before."""
    if not seconds:  # how long a scripted model takes
        return
    slept.append(seconds)

    with sqlite3.connect(home() / "ledger.sqlite") as db:
        db.execute("UPDATE counters SET start = start - 86400 WHERE cap = '1 calls a day'")


def test_a_domain_may_do_otherwise(moslm, ask):
    config = capped({"calls": 0}, at_cap="refuse")
    config = config.model_copy(update={"domains": {"finance": DomainSettings(at_cap="answer_locally")}})
    graph = moslm(confidence=0.3, large=dear(), config=config)
    assert ask(graph, QUESTION)[1]["outcome"] == "answered"
    assert ask(graph, "My laptop is slow")[1]["outcome"] == "refused"


def test_the_share_of_requests_that_goes_up_is_capped(moslm, ask):
    config = capped({"share": 0.25, "free": 0})
    low = moslm(confidence=0.3, large=dear(), config=config)
    outcomes = [ask(low, QUESTION)[1]["outcome"] for _ in range(12)]
    assert outcomes.count("escalated") == 3


def test_a_small_model_that_costs_is_paid_through_the_ledger_too(moslm, ask):
    small = ScriptedChatModel(replies=["Forty."], model="dear", confidence=0.95)
    config = capped({"per": "domain", "only": "finance", "calls": 1})
    graph = moslm({"finance": small}, config=config)
    assert ask(graph, QUESTION)[1]["outcome"] == "answered"
    _, decision = ask(graph, QUESTION + " ")
    assert decision["drafts"][0]["error"] == "capped"
    assert len(small.calls) == 1


def test_a_local_answer_costs_its_share_of_the_gpus_time_where_that_has_a_price(moslm, ask):
    own = Price(gpu_hour=3.6, gpus=2, tokens_per_second=100, utilisation=0.5)
    config = Config(defaults=Defaults(), prices={"mine": own})
    small = ScriptedChatModel(replies=["It is forty euros."], model="mine", confidence=0.95)
    _, decision = ask(moslm({"finance": small}, config=config), QUESTION)
    (usage,) = decision["usage"]
    # two GPUs cost 0.004 a second, in half of which 100 tokens are written
    assert usage["output_tokens"] > 0
    assert decision["cost"]["spent_usd"] == pytest.approx(usage["output_tokens"] / 100 * 0.004)


def test_a_local_answer_is_free_to_the_caps_where_nothing_prices_it(moslm, ask):
    small = ScriptedChatModel(replies=["Forty."], model="scripted", confidence=0.95)
    graph = moslm({"finance": small}, config=capped({"usd": 0.0, "every": "day"}))
    _, decision = ask(graph, QUESTION)
    assert (decision["outcome"], decision["cost"]["spent_usd"]) == ("answered", 0)


class TestNothingIsPaidTwice:
    @pytest.fixture
    def paid(self, moslm):
        large = dear("From above.", "Again.")
        graph = moslm(confidence=0.3, large=large, config=capped({"usd": 500}), checkpointer=InMemorySaver())
        return graph, large

    def test_by_a_run_that_is_forked(self, paid):
        graph, large = paid
        graph.invoke({"messages": [("user", QUESTION)]}, THREAD)
        for each in list(graph.get_state_history(THREAD)):
            if each.next:
                result = graph.invoke(None, each.config)
                assert result["messages"][-1].text == "From above."
        assert len(large.calls) == 1

    def test_by_a_run_that_failed_after_it_had_paid_and_is_resumed(self, paid, monkeypatch):
        graph, large = paid
        measured = type(graph.nodes["escalate"].bound)._measured

        def dies(self: Any, update: Any, started: float) -> Any:
            if self.name == "escalate":
                raise OSError("the machine went down")
            return measured(self, update, started)

        with monkeypatch.context() as patched:
            patched.setattr(type(graph.nodes["escalate"].bound), "_measured", dies)
            with pytest.raises(OSError, match="went down"):
                graph.invoke({"messages": [("user", QUESTION)]}, THREAD)
        assert graph.invoke(None, THREAD)["messages"][-1].text == "From above."
        assert len(large.calls) == 1

    def test_but_a_new_turn_that_says_the_same_is_a_new_request(self, paid):
        graph, large = paid
        texts = [graph.invoke({"messages": [("user", QUESTION)]}, THREAD)["messages"][-1].text for _ in range(2)]
        assert texts == ["From above.", "Again."]
        assert len(large.calls) == 2

    def test_but_whoever_goes_back_to_the_message_and_asks_anew_pays_for_another_answer_once(self, paid):
        graph, large = paid
        graph.invoke({"messages": [("user", QUESTION)]}, THREAD)
        before = next(each for each in graph.get_state_history(THREAD) if each.next == ("screen",))
        assert graph.invoke(None, before.config)["messages"][-1].text == "From above."
        anew = graph.invoke(None, before.config, context=MoSLMContext(fresh=True))
        assert anew["messages"][-1].text == "Again."
        step = next(each for each in graph.get_state_history(THREAD) if each.next == ("escalate",))
        assert graph.invoke(None, step.config, context=MoSLMContext(fresh=True))["messages"][-1].text == "Again."
        assert len(large.calls) == 2

    def test_by_a_key_even_where_it_is_asked_anew(self, moslm):
        large = dear("From above.", "Again.")
        graph = moslm(confidence=0.3, large=large, config=capped({"usd": 500}))
        for fresh in (False, True):
            context = MoSLMContext(idempotency_key="order-7", fresh=fresh)
            result = graph.invoke({"messages": [("user", QUESTION)]}, context=context)
            assert result["messages"][-1].text == "From above."
        assert len(large.calls) == 1

    def test_by_whoever_sends_a_request_again_under_its_key(self, moslm):
        large = dear("From above.", "Again.")
        graph = moslm(confidence=0.3, large=large, config=capped({"usd": 500}))
        context = MoSLMContext(idempotency_key="order-7")
        texts = [
            graph.invoke({"messages": [("user", QUESTION)]}, context=context)["messages"][-1].text for _ in range(3)
        ]
        assert texts == ["From above."] * 3
        assert len(large.calls) == 1

    def test_by_a_storm_of_the_same_request(self, moslm):
        large = dear("From above.", "Again.", delay_ms=100)
        graph = moslm(confidence=0.3, large=large, config=capped({"usd": 500}))

        async def storm() -> list[str]:
            context = MoSLMContext(idempotency_key="order-7")
            runs = [graph.ainvoke({"messages": [("user", QUESTION)]}, context=context) for _ in range(10)]
            return [each["messages"][-1].text for each in await asyncio.gather(*runs)]

        assert asyncio.run(storm()) == ["From above."] * 10
        assert len(large.calls) == 1

    def test_but_one_tenants_key_is_never_anothers(self, moslm):
        large = dear("First.", "Second.")
        graph = moslm(confidence=0.3, large=large, config=capped({"usd": 500}))
        texts = [
            graph.invoke(
                {"messages": [("user", QUESTION)]}, context=MoSLMContext(tenant=tenant, idempotency_key="order-7")
            )["messages"][-1].text
            for tenant in ("acme", "other")
        ]
        assert texts == ["First.", "Second."]


class Slow(ScriptedChatModel):
    async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[ChatGenerationChunk]:
        async for piece in super()._astream(*args, **kwargs):
            await asyncio.sleep(0.02)
            yield piece


def test_a_call_that_is_cancelled_is_booked_as_far_as_it_came(moslm):
    large = Slow(replies=["word " * 200], model="dear")
    graph = moslm(confidence=0.3, large=large, config=capped({"usd": 500}))

    async def cancelled() -> None:
        run = asyncio.ensure_future(graph.ainvoke({"messages": [("user", QUESTION)]}))
        await asyncio.sleep(1.0)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run

    asyncio.run(cancelled())
    ((state, known, tokens, reserved),) = _purchases()
    assert (state, known) == ("settled", 0)
    assert tokens < reserved


def _purchases() -> list[Any]:
    with sqlite3.connect(home() / "ledger.sqlite") as db:
        return db.execute("SELECT state, known, tokens, most_tokens FROM purchases").fetchall()


def test_a_ledger_that_cannot_be_kept_allows_nothing(moslm, ask, tmp_path):
    (tmp_path / "ledger.sqlite").write_bytes(b"this is no database" * 100)
    large = dear()
    graph = moslm(confidence=0.3, large=large, config=capped({"usd": 500}, file=tmp_path / "ledger.sqlite"))
    text, decision = ask(graph, QUESTION)
    assert decision["outcome"] == "handed_over"
    assert "the ledger cannot be kept, and nothing is bought without it" in text
    assert large.calls == []


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"caps": [{"usd": -1}]}, "budgets.caps.0.usd = -1"),
        (
            {"caps": [{"usd": 1, "calls": 1}]},
            "this one names usd and calls",
        ),
        ({"caps": [{"usd": 5}, {"usd": 7}]}, "two caps on usd per system and day: 5 and 7; leave one out"),
        (
            {"caps": [{"usd": 50, "every": "day"}, {"usd": 40, "every": "month"}]},
            "contradicting caps per system: 50 usd a day is more than 40 usd a month",
        ),
        ({"caps": [{"usd": 1, "per": "team"}]}, "budgets.caps.0.per = 'team'"),
        ({"caps": [{"share": 0.2, "per": "request"}]}, "a share needs many requests"),
        ({"redis_url": "http://redis"}, "budgets.redis_url = 'http://redis'"),
        ({"file": "a", "redis_url": "redis://r"}, "the ledger is kept in one place"),
    ],
)
def test_a_cap_that_cannot_stand_is_refused_in_one_line(tmp_path, section, said):
    lines = [f"{key} = {json.dumps(value)}" for key, value in section.items() if key != "caps"]
    for cap in section.get("caps", []):
        lines += ["[[budgets.caps]]", *(f"{key} = {json.dumps(value)}" for key, value in cap.items())]
    (tmp_path / "moslm.toml").write_text("\n".join(["[budgets]", *lines]))
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "moslm.toml")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_price_in_an_unknown_currency_is_refused(moslm):
    prices = {"dear": Price(input=1, output=1, currency="EUR")}
    with pytest.raises(ConfigError, match=r'prices."dear".currency = \'EUR\'.*\[currencies\] EUR'):
        moslm(config=Config(prices=prices))
    moslm(config=Config(prices=prices, currencies={"EUR": 1.1}))


def test_a_cap_for_a_domain_that_is_not_served_is_refused(moslm):
    with pytest.raises(ConfigError, match=r"budgets\.caps\.0\.only = 'sales': names no domain that is served"):
        moslm(config=capped({"per": "domain", "only": "sales", "usd": 1}))


def test_the_caps_of_the_large_model_are_shared_by_every_graph_of_the_machine(moslm, ask):
    large = LargeModelSettings(model=SCRIPTED, max_calls_per_day=1)
    config = Config(large_model=large, prices=PRICES)
    outcomes = [ask(moslm(confidence=0.3, large=dear(), config=config), QUESTION)[1]["outcome"] for _ in range(2)]
    assert outcomes == ["escalated", "handed_over"]
