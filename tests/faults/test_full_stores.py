"""A store that is full: nothing is done that it cannot keep, the answer says so, and what was acknowledged stays.

A SQLite file is full at a number of pages, as a disk is; Redis where its memory is at an end.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from uuid import uuid4

import pytest
import redis
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command
from redis_server import RedisServer

from moslm import Config, ScriptedChatModel, wal
from moslm.budgets.stores.redis import RedisStore
from moslm.config import BudgetSettings, LargeModelSettings, Price, RecallSettings, ReviewSettings, ScriptedModel
from moslm.errors import AuditError

ASKED = "What is my budget?"
PRICES = {"dear": Price(input=1000, output=1000)}
LARGE = LargeModelSettings(model=ScriptedModel(kind="scripted"))


def dear():
    return ScriptedChatModel(replies=["From above."], model="dear")


@pytest.fixture
def fill(monkeypatch):
    """Let the files of this name take no more pages: ``fill("ledger.sqlite")``."""
    full, connect = set[str](), sqlite3.connect

    def limited(path, *given, **options):
        connection = connect(path, *given, **options)
        if any(str(path).endswith(name) for name in full):
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {max(pages, 1)}")
        return connection

    monkeypatch.setattr(wal.sqlite3, "connect", limited)
    return full.add


@pytest.fixture
def a_redis(tmp_path):
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.kill()


def without_memory(server):
    with closing(redis.Redis.from_url(server.url)) as client:
        client.config_set("maxmemory", "1kb")


def until(ended, ask, most=2000):
    """Ask one thing after another until an answer ends so; return how many did not."""
    for i in range(most):
        if ended(ask(i)):
            return i
    raise AssertionError("it was never full")


def rows(path, table):
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as reader:
        return reader.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def test_a_ledger_file_that_is_full_buys_nothing_more_and_loses_no_purchase(moslm, ask, home, fill):
    config = Config(large_model=LARGE, prices=PRICES, budgets=BudgetSettings(keep_answers_minutes=0))
    large = dear()
    ask(moslm(confidence=0.3, large=large, config=config), ASKED)
    fill("ledger.sqlite")
    graph = moslm(confidence=0.3, large=large, config=config)
    told = []

    def asked(i):
        text, decision = ask(graph, f"{ASKED} {i}", context={"user": f"u{i}" * 60})
        told.append(text)
        return decision["outcome"]

    bought = until(lambda outcome: outcome == "handed_over", asked)
    assert "the ledger cannot be kept, and nothing is bought without it" in told[-1]
    assert len(large.calls) == bought + 1
    assert rows(home / "ledger.sqlite", "purchases") == bought + 1


def test_a_ledger_in_a_redis_that_is_full_buys_nothing_and_knows_what_was_bought(moslm, ask, a_redis):
    budgets = BudgetSettings(redis_url=a_redis.url, redis_prefix=uuid4().hex)
    config, large = Config(large_model=LARGE, prices=PRICES, budgets=budgets), dear()
    graph = moslm(confidence=0.3, large=large, config=config)
    assert ask(graph, ASKED)[1]["outcome"] == "escalated"
    without_memory(a_redis)
    text, decision = ask(graph, "Another budget question?")
    assert decision["outcome"] == "handed_over"
    assert "the ledger cannot be kept, and nothing is bought without it" in text
    assert len(large.calls) == 1
    assert RedisStore(a_redis.url, prefix=budgets.redis_prefix).total().calls == 1


def test_an_audit_log_that_is_full_lets_no_answer_out_that_it_does_not_hold(moslm, ask, home, fill):
    ask(moslm(), ASKED)
    fill("audit.sqlite")
    graph = moslm()

    def asked(i):
        try:
            return ask(graph, f"{ASKED} {i}")[1]["outcome"]
        except AuditError as error:
            return str(error)

    given = until(lambda said: "disk is full" in said, asked)
    assert rows(home / "audit.sqlite", "decisions") == given + 1


def test_remembered_answers_that_take_no_more_cost_the_memory_and_no_answer(moslm, ask, home, fill, caplog):
    config = Config(recall=RecallSettings(sample=0))
    ask(moslm(config=config), ASKED)
    fill("recall.sqlite")
    graph = moslm({"finance": "Forty euros. " * 100}, config=config)

    def asked(i):
        assert ask(graph, f"What is the budget of department {i}?")[1]["outcome"] in ("answered", "recalled")
        return caplog.text

    kept = until(lambda said: "could not be remembered" in said, asked)
    assert "disk is full" in caplog.text
    assert rows(home / "recall.sqlite", "answers") == kept + 1


def test_a_book_of_questions_that_is_full_asks_nobody_and_does_nothing(moslm, home, fill):
    config = Config(large_model=LARGE.model_copy(update={"review": True}), prices=PRICES)
    large, saver = dear(), InMemorySaver()
    first = {"configurable": {"thread_id": "first"}}
    question = {"messages": [("user", ASKED)]}
    moslm(confidence=0.3, large=large, config=config, checkpointer=saver).invoke(question, first)
    fill("reviews.sqlite")
    graph = moslm(confidence=0.3, large=large, config=config, checkpointer=saver)
    results = []

    def asked(i):
        results.append(graph.invoke(question, {"configurable": {"thread_id": f"{i}" * 50}}))
        return results[-1]

    until(lambda result: "__interrupt__" not in result, asked)
    assert "the question cannot be kept" in results[-1]["messages"][-1].text
    assert results[-1]["decision"]["outcome"] == "handed_over"
    assert large.calls == []


def test_a_book_of_questions_in_a_redis_that_is_full_asks_nobody(moslm, a_redis):
    review = ReviewSettings(redis_url=a_redis.url)
    config = Config(large_model=LARGE.model_copy(update={"review": True}), prices=PRICES, review=review)
    large, saver = dear(), InMemorySaver()
    graph = moslm(confidence=0.3, large=large, config=config, checkpointer=saver)
    asked, question = {"configurable": {"thread_id": "1"}}, {"messages": [("user", ASKED)]}
    assert "__interrupt__" in graph.invoke(question, asked)
    without_memory(a_redis)
    result = graph.invoke(question, {"configurable": {"thread_id": "2"}})
    assert "the question cannot be kept" in result["messages"][-1].text
    # a decision that cannot be kept is not carried out: it might be a second time
    late = graph.invoke(Command(resume={"decisions": [{"type": "approve"}]}), asked)
    assert late["decision"]["outcome"] == "handed_over"
    assert large.calls == []
