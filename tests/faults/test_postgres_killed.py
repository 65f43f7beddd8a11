"""T8: Postgres, which keeps the conversations, is killed and started again under load; none loses an answer it gave."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest
from langgraph.checkpoint.postgres import PostgresSaver
from postgres_server import PostgresServer
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

KILLS = 20 if os.environ.get("MOSLM_LONG") == "1" else 4
CONVERSATIONS = 3


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    made = PostgresServer()
    made.start()
    yield made
    made.remove()


@pytest.fixture
def saver(server: PostgresServer) -> Iterator[PostgresSaver]:
    options: dict[str, Any] = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
    # each connection is tried before it is used: after a restart of the server the old ones are dead
    check = ConnectionPool.check_connection
    with ConnectionPool(server.url, kwargs=options, min_size=1, max_size=6, timeout=1, check=check) as pool:
        made = PostgresSaver(pool)
        made.setup()
        yield made


@dataclass
class Conversation(threading.Thread):
    """Asks one question after another in one thread; one that fails is carried on where its last checkpoint stands."""

    graph: Any
    name_: str
    stop: threading.Event
    answered: threading.Event
    """Set by each answer that came back."""
    failed: threading.Event
    """Set by each question that failed."""
    given: list[tuple[str, str]] = field(default_factory=list)
    """Questions and answers that came back."""
    carried_on: int = 0
    broke: BaseException | None = None

    def __post_init__(self) -> None:
        super().__init__(daemon=True)
        self.config: Any = {"configurable": {"thread_id": self.name_}}

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        try:
            while not self.stop.is_set():
                question = f"What is budget {len(self.given)}?"
                result = self._asked(question)
                self.given.append((question, result["messages"][-1].text))
                self.answered.set()
        except BaseException as error:
            self.broke = error

    def _asked(self, question: str) -> Any:
        given: Any = {"messages": [("user", question)]}
        while True:
            try:
                return self.graph.invoke(given, self.config)
            except (psycopg.Error, PoolTimeout):
                self.failed.set()
            given = self._rest(question)
            if given is not None and len(given["messages"]) > 1:
                return given  # its last checkpoint was written, though nobody was told

    def _rest(self, question: str) -> Any:
        """Return what the failed run is to be given: nothing where its thread holds it, else the question anew."""
        while True:
            try:
                state = self.graph.get_state(self.config)
                break
            except (psycopg.Error, PoolTimeout):
                time.sleep(0.05)
        messages = state.values.get("messages", [])
        if state.tasks:  # `next` leaves out a step that is done and whose result waits for the next checkpoint
            self.carried_on += 1
            return None
        if len(messages) > 1 and messages[-2].text == question:
            return {"messages": messages}
        return {"messages": [("user", question)]}


@pytest.mark.slow
def test_conversations_outlive_deaths_of_their_postgres_and_lose_no_answer(moslm, saver, server):
    stop, answered, failed, chance = threading.Event(), threading.Event(), threading.Event(), random.Random(8)
    graph = moslm({"finance": [f"Answer {i}." for i in range(50)]}, checkpointer=saver)
    talks = [Conversation(graph, f"t{i}", stop, answered, failed) for i in range(CONVERSATIONS)]
    for each in talks:
        each.start()
    for _ in range(KILLS):
        assert answered.wait(10), "no conversation went on within ten seconds"
        time.sleep(chance.uniform(0.2, 1.0))
        failed.clear()
        server.kill()
        assert failed.wait(30), "its death was not felt"
        server.start()
        answered.clear()
    assert answered.wait(10)
    stop.set()
    for each in talks:
        each.join(60)
    assert [each.broke for each in talks if each.broke] == []
    assert sum(each.carried_on for each in talks), "no run was broken off in the middle, so this shows little"
    for each in talks:
        messages = graph.get_state(each.config).values["messages"]
        kept = [(ask.text, reply.text) for ask, reply in zip(messages[::2], messages[1::2], strict=True)]
        assert kept == each.given
