"""The seal over a real Postgres: runs resume, no table holds a word of them, and no row can be forged or moved."""

from __future__ import annotations

import os
from contextlib import suppress

import psycopg
import pytest
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.store.postgres import PostgresStore
from langgraph.store.postgres.aio import AsyncPostgresStore
from langgraph.types import Command, interrupt

from moslm.errors import SealError
from moslm.privacy.at_rest.saver import SealedSaver
from moslm.privacy.at_rest.seal import Seal
from moslm.privacy.at_rest.store import SealedStore
from moslm.privacy.keys import DerivedKeys

CANARY = "canary-4111-maria-keller"
ASKED = {"messages": [HumanMessage(CANARY)]}
ANSWERS = ("moslm", "answers", "acme", "user")


def where(thread=CANARY, tenant="acme"):
    return {"configurable": {"thread_id": thread, "tenant": tenant, "email": CANARY}, "metadata": {"ssn": CANARY}}


class Told(MessagesState):
    note: str
    """A text: Postgres keeps such values in the row of the checkpoint itself."""


def graph(saver):
    """A parent with a subgraph that waits for a person in the middle."""

    def ask(state):
        return {"messages": [("ai", f"{interrupt({'shown': CANARY})} {CANARY}")], "note": f"noted {CANARY}"}

    inner = StateGraph(Told)
    inner.add_node("ask", ask)
    inner.add_edge(START, "ask")
    outer = StateGraph(Told)
    outer.add_node("inner", inner.compile())
    outer.add_edge(START, "inner")
    outer.add_edge("inner", END)
    return outer.compile(checkpointer=saver)


@pytest.fixture
def inner(database):
    with PostgresSaver.from_conn_string(database) as made:
        made.setup()
        yield made


@pytest.fixture
def saver(inner, seal):
    return SealedSaver(inner, seal)


def altered(database, statement, *values):
    with psycopg.connect(database, autocommit=True) as attacker:
        assert attacker.execute(statement, values).rowcount > 0


def test_a_run_that_waited_is_resumed_and_no_table_holds_a_word_of_it(saver, dumped):
    graph(saver).invoke({**ASKED, "note": CANARY}, where())
    assert graph(saver).get_state(where(), subgraphs=True).tasks[0].interrupts[0].value == {"shown": CANARY}
    assert CANARY.encode() not in dumped()
    done = graph(saver).invoke(Command(resume="yes"), where())
    assert [each.text for each in done["messages"]] == [CANARY, f"yes {CANARY}"]
    assert done["note"] == f"noted {CANARY}"
    history = list(graph(saver).get_state_history(where()))
    assert [each.metadata["step"] for each in history] == [1, 0, -1]
    assert history[0].metadata["email"] == CANARY
    assert CANARY.encode() not in dumped()


async def test_the_same_holds_without_blocking(database, seal, dumped):
    async with AsyncPostgresSaver.from_conn_string(database) as inner:
        await inner.setup()
        saver = SealedSaver(inner, seal)
        built = graph(saver)
        await built.ainvoke({**ASKED, "note": CANARY}, where())
        done = await built.ainvoke(Command(resume="yes"), where())
        assert done["messages"][-1].text == f"yes {CANARY}"
        assert [each.metadata["step"] async for each in built.aget_state_history(where())] == [1, 0, -1]
        assert CANARY.encode() not in dumped()
        await SealedSaver(inner, seal, tenant="acme").adelete_thread(CANARY)
        assert await saver.aget_tuple(where()) is None


def test_without_the_seal_the_same_look_finds_it(inner, dumped):
    graph(inner).invoke({**ASKED, "note": CANARY}, where())
    assert CANARY.encode() in dumped()


def test_rows_that_were_never_sealed_are_refused(inner, seal, database):
    graph(inner).invoke(ASKED, where())
    altered(database, "UPDATE checkpoints SET thread_id = %s", seal.name("acme", CANARY))
    for table in ("checkpoint_blobs", "checkpoint_writes"):
        altered(database, f"UPDATE {table} SET thread_id = %s", seal.name("acme", CANARY))
    with pytest.raises(SealError):
        graph(SealedSaver(inner, seal)).get_state(where())


@pytest.mark.parametrize("table", ["checkpoint_blobs", "checkpoint_writes"])
@pytest.mark.parametrize("kind", ["msgpack", "json", "moslm-rows", "moslm-sealed", "pickle"])
def test_a_crafted_row_is_refused_and_never_run(saver, database, crafted, table, kind):
    row, was_run = crafted()
    graph(saver).invoke(ASKED, where())
    altered(database, f"UPDATE {table} SET type = %s, blob = %s", kind, row)
    with pytest.raises(SealError):
        graph(saver).get_state(where())
    assert not was_run()


@pytest.mark.parametrize(
    "change",
    [
        "checkpoint = jsonb_set(checkpoint, '{channel_values,note}', '\"forged\"')",
        "metadata = '{}'",
        "metadata = jsonb_set(metadata, '{sealed}', '\"forged\"')",
        "checkpoint = checkpoint - 'channel_values'",
    ],
)
def test_what_postgres_keeps_beside_the_blobs_is_not_believed(saver, database, change):
    graph(saver).invoke({**ASKED, "note": "mine"}, where())
    before = graph(saver).get_state(where()).values
    altered(database, f"UPDATE checkpoints SET {change}")
    with suppress(SealError):
        assert graph(saver).get_state(where()).values == before


@pytest.mark.parametrize("tenants", [("acme", "acme"), ("acme", "rival")])
def test_rows_moved_to_another_thread_or_tenant_are_refused(saver, seal, database, tenants):
    graph(saver).invoke(ASKED, where("one", tenants[0]))
    for table in ("checkpoints", "checkpoint_blobs", "checkpoint_writes"):
        altered(database, f"UPDATE {table} SET thread_id = %s", seal.name(tenants[1], "two"))
    with pytest.raises(SealError):
        graph(saver).get_state(where("two", tenants[1]))


def test_a_value_moved_to_another_checkpoint_of_its_thread_is_refused(saver, database):
    graph(saver).invoke(ASKED, where())
    graph(saver).invoke(Command(resume="yes"), where())
    channel = "SELECT blob FROM checkpoint_blobs WHERE channel = 'messages' AND checkpoint_ns = '' ORDER BY version"
    altered(database, f"UPDATE checkpoint_blobs SET blob = ({channel} LIMIT 1) WHERE channel = 'messages'")
    with pytest.raises(SealError, match="moved"):
        graph(saver).get_state(where())


def test_one_tenants_thread_is_not_there_for_another(saver):
    graph(saver).invoke(ASKED, where("shared", "acme"))
    assert saver.get_tuple(where("shared", "rival")) is None
    assert list(saver.list(where("shared", "rival"))) == []


def test_a_thread_goes_on_under_a_new_key_and_is_rotated_to_it(inner):
    old, new = DerivedKeys(os.urandom(32)), DerivedKeys(os.urandom(32))
    graph(SealedSaver(inner, Seal(old), tenant="acme")).invoke(ASKED, where())
    both = SealedSaver(inner, Seal(new, [old]), tenant="acme")
    assert both.rotate(CANARY) == 4  # two of the graph, two of its subgraph
    done = graph(SealedSaver(inner, Seal(new), tenant="acme")).invoke(Command(resume="yes"), where())
    assert done["messages"][-1].text == f"yes {CANARY}"


class TestTheStore:
    @pytest.fixture
    def below(self, database):
        with PostgresStore.from_conn_string(database) as made:
            made.setup()
            yield made

    def test_keeps_items_of_which_no_table_holds_a_word(self, below, seal, dumped):
        store = SealedStore(below, seal)
        store.put((*ANSWERS, CANARY), CANARY, {"text": CANARY})
        assert store.get((*ANSWERS, CANARY), CANARY).value == {"text": CANARY}
        assert [each.value for each in store.search(ANSWERS)] == [{"text": CANARY}]
        assert CANARY.encode() not in dumped()
        below.put(ANSWERS, "k", {"text": CANARY})
        assert CANARY.encode() in dumped()

    async def test_keeps_them_without_blocking(self, database, seal, dumped):
        async with AsyncPostgresStore.from_conn_string(database) as below:
            await below.setup()
            store = SealedStore(below, seal)
            await store.aput(ANSWERS, "k", {"text": CANARY})
            assert (await store.aget(ANSWERS, "k")).value == {"text": CANARY}
            assert [each.value for each in await store.asearch(ANSWERS)] == [{"text": CANARY}]
            assert CANARY.encode() not in dumped()
            await store.adelete(ANSWERS, "k")
            assert await store.aget(ANSWERS, "k") is None

    @pytest.mark.parametrize(
        "change",
        [
            'value = \'{"text": "forged"}\'',
            'value = \'{"sealed": "forged"}\'',
            "value = (SELECT value FROM store s WHERE s.key <> store.key LIMIT 1)",
        ],
    )
    def test_refuses_what_was_altered_moved_or_never_sealed(self, below, seal, database, change):
        store = SealedStore(below, seal)
        store.put(ANSWERS, "k", {"text": "mine"})
        store.put(ANSWERS, "other", {"text": "theirs"})
        altered(database, f"UPDATE store SET {change}")
        with pytest.raises(SealError):
            store.get(ANSWERS, "k")
        with pytest.raises(SealError):
            store.search(ANSWERS)
