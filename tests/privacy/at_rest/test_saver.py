"""Graphs resume over sealed checkpoints, and whoever holds the file can neither read, run nor move a row of it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager

import aiosqlite
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command, interrupt

from moslm.errors import SealError
from moslm.privacy.at_rest.saver import SealedSaver
from moslm.privacy.at_rest.seal import Seal
from moslm.privacy.keys import DerivedKeys

CANARY = "canary-4111-maria-keller"


def where(thread: str = CANARY, tenant: str = "acme"):
    return {"configurable": {"thread_id": thread, "tenant": tenant, "email": CANARY}, "metadata": {"ssn": CANARY}}


def graph(saver):
    """A parent with a subgraph that waits for a person in the middle."""

    def ask(state):
        return {"messages": [("ai", f"{interrupt({'shown': CANARY})} {CANARY}")]}

    inner = StateGraph(MessagesState)
    inner.add_node("ask", ask)
    inner.add_edge(START, "ask")
    outer = StateGraph(MessagesState)
    outer.add_node("inner", inner.compile())
    outer.add_edge(START, "inner")
    outer.add_edge("inner", END)
    return outer.compile(checkpointer=saver)


@contextmanager
def on_disk(path, seal, **options):
    with closing(sqlite3.connect(path, check_same_thread=False)) as connection:
        yield SealedSaver(SqliteSaver(connection), seal, **options)


@pytest.fixture(params=["memory", "sqlite"])
def saver(request, tmp_path, seal):
    if request.param == "memory":
        yield SealedSaver(InMemorySaver(), seal)
    else:
        with on_disk(tmp_path / "checkpoints.sqlite", seal) as made:
            yield made


def run_to_the_question(saver, config):
    graph(saver).invoke({"messages": [HumanMessage(CANARY)]}, config)


def test_a_run_that_waited_is_resumed_and_its_history_is_read(saver):
    run_to_the_question(saver, where())
    state = graph(saver).get_state(where(), subgraphs=True)
    assert state.tasks[0].interrupts[0].value == {"shown": CANARY}
    done = graph(saver).invoke(Command(resume="yes"), where())
    assert [each.text for each in done["messages"]] == [CANARY, f"yes {CANARY}"]
    history = list(graph(saver).get_state_history(where()))
    assert [each.metadata["step"] for each in history] == [1, 0, -1]
    assert history[0].metadata["email"] == CANARY
    older = graph(saver).get_state(history[1].config)
    assert older.values["messages"][0].text == CANARY


async def test_the_same_holds_without_blocking(tmp_path, seal):
    async with aiosqlite.connect(tmp_path / "checkpoints.sqlite") as connection:
        saver = SealedSaver(AsyncSqliteSaver(connection), seal)
        built = graph(saver)
        await built.ainvoke({"messages": [HumanMessage(CANARY)]}, where())
        done = await built.ainvoke(Command(resume="yes"), where())
        assert done["messages"][-1].text == f"yes {CANARY}"
        assert [each.metadata["step"] async for each in built.aget_state_history(where())] == [1, 0, -1]
        await saver.adelete_thread(CANARY)  # that of the tenant "default", which has none
        assert await saver.aget_tuple(where()) is not None
    assert no_canary_in(tmp_path)


def no_canary_in(folder):
    files = [each for each in folder.rglob("*") if each.is_file()]
    assert files
    return all(CANARY.encode() not in each.read_bytes() for each in files)


def test_no_file_holds_a_word_of_state_metadata_or_ids(tmp_path, seal):
    with on_disk(tmp_path / "checkpoints.sqlite", seal) as saver:
        run_to_the_question(saver, where())
        assert no_canary_in(tmp_path)
        graph(saver).invoke(Command(resume="yes"), where())
    assert no_canary_in(tmp_path)


@pytest.mark.parametrize("kind", ["msgpack", "json", "moslm-rows", "moslm-sealed", "bytes", "pickle"])
def test_a_crafted_row_is_refused_and_never_run(tmp_path, seal, crafted, kind):
    row, was_run = crafted()
    file = tmp_path / "checkpoints.sqlite"
    with on_disk(file, seal) as saver:
        run_to_the_question(saver, where())
        with closing(sqlite3.connect(file)) as attacker:
            attacker.execute("UPDATE checkpoints SET type = ?, checkpoint = ?", (kind, row))
            attacker.commit()
        with pytest.raises(SealError):
            graph(saver).invoke(Command(resume="yes"), where())
    assert not was_run()


@pytest.mark.parametrize("kind", ["msgpack", "moslm-rows", "moslm-sealed"])
def test_a_crafted_write_is_refused_and_never_run(tmp_path, seal, crafted, kind):
    row, was_run = crafted()
    file = tmp_path / "checkpoints.sqlite"
    with on_disk(file, seal) as saver:
        run_to_the_question(saver, where())
        with closing(sqlite3.connect(file)) as attacker:
            attacker.execute("UPDATE writes SET type = ?, value = ?", (kind, row))
            attacker.commit()
        with pytest.raises(SealError):
            graph(saver).get_state(where())
    assert not was_run()


@pytest.mark.parametrize("tenants", [("acme", "acme"), ("acme", "rival")])
def test_rows_moved_to_another_thread_or_tenant_are_refused(tmp_path, seal, tenants):
    file = tmp_path / "checkpoints.sqlite"
    mine, theirs = where("one", tenants[0]), where("two", tenants[1])
    with on_disk(file, seal) as saver:
        run_to_the_question(saver, mine)
        with closing(sqlite3.connect(file)) as attacker:
            other = seal.name(tenants[1], "two")
            for table in ("checkpoints", "writes"):
                attacker.execute(f"UPDATE {table} SET thread_id = ?", (other,))
            attacker.commit()
        with pytest.raises(SealError):
            graph(saver).get_state(theirs)


def test_a_checkpoint_moved_in_its_own_thread_is_refused(tmp_path, seal):
    file = tmp_path / "checkpoints.sqlite"
    with on_disk(file, seal) as saver:
        run_to_the_question(saver, where())
        graph(saver).invoke(Command(resume="no"), where())
        with closing(sqlite3.connect(file)) as attacker:
            attacker.execute(
                "DELETE FROM checkpoints WHERE checkpoint_id = (SELECT max(checkpoint_id) FROM checkpoints)"
            )
            attacker.execute("UPDATE checkpoints SET checkpoint_id = checkpoint_id || 'f' WHERE checkpoint_ns = ''")
            attacker.commit()
        with pytest.raises(SealError):
            graph(saver).get_state(where())


def test_one_tenants_thread_is_not_there_for_another(saver):
    run_to_the_question(saver, where("shared", "acme"))
    assert saver.get_tuple(where("shared", "rival")) is None
    assert list(saver.list(where("shared", "rival"))) == []
    run_to_the_question(saver, where("shared", "rival"))
    SealedSaver(saver.inner, saver._seal, tenant="rival").delete_thread("shared")
    assert saver.get_tuple(where("shared", "acme")) is not None
    assert saver.get_tuple(where("shared", "rival")) is None


def test_the_inner_saver_sees_opaque_ids_alone(saver):
    run_to_the_question(saver, where())
    rows = list(saver.inner.list(None))
    assert rows
    for row in rows:
        assert CANARY not in repr((row.config, row.parent_config, row.metadata))
        assert row.metadata.keys() <= {"sealed"}
        assert all(isinstance(each, bytes) for each in row.checkpoint["channel_values"].values())


def test_history_is_narrowed_by_metadata_moment_and_number(saver):
    run_to_the_question(saver, where())
    graph(saver).invoke(Command(resume="yes"), where())
    at = where()
    assert [each.metadata["step"] for each in saver.list(at, filter={"source": "input"})][-1] == -1
    assert len(list(saver.list(at, limit=2))) == 2
    assert list(saver.list(at, limit=0)) == []
    newest, *rest = saver.list({"configurable": {**at["configurable"], "checkpoint_ns": ""}})
    before = list(saver.list({"configurable": {**at["configurable"], "checkpoint_ns": ""}}, before=newest.config))
    assert [each.config for each in before] == [each.config for each in rest]
    with pytest.raises(SealError, match="name a thread_id"):
        list(saver.list(None))


def test_a_thread_goes_on_under_a_new_key_and_is_rotated_to_it(tmp_path):
    old, new = DerivedKeys(os.urandom(32)), DerivedKeys(os.urandom(32))
    file = tmp_path / "checkpoints.sqlite"
    with on_disk(file, Seal(old), tenant="acme") as saver:
        run_to_the_question(saver, where())
    with on_disk(file, Seal(new, [old]), tenant="acme") as saver:
        assert graph(saver).get_state(where()).next == ("inner",)
        assert saver.rotate(CANARY) == 4  # two of the graph, two of its subgraph
        assert saver.rotate(CANARY) == 0
    with on_disk(file, Seal(new), tenant="acme") as saver:
        done = graph(saver).invoke(Command(resume="yes"), where())
        assert done["messages"][-1].text == f"yes {CANARY}"
    with on_disk(file, Seal(old), tenant="acme") as saver:
        assert saver.get_tuple(where()) is None


async def test_without_rotation_a_thread_stays_in_one_place(tmp_path):
    old, new = DerivedKeys(os.urandom(32)), DerivedKeys(os.urandom(32))
    file = tmp_path / "checkpoints.sqlite"
    with on_disk(file, Seal(old)) as saver:
        run_to_the_question(saver, where())
    async with aiosqlite.connect(file) as connection:
        saver = SealedSaver(AsyncSqliteSaver(connection), Seal(new, [old]))
        done = await graph(saver).ainvoke(Command(resume="yes"), where())
        assert done["messages"][-1].text == f"yes {CANARY}"
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT count(DISTINCT thread_id) FROM checkpoints").fetchone() == (1,)


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda each: st.lists(each, max_size=4) | st.dictionaries(st.text(), each, max_size=4),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text(min_size=1, max_size=8), values, max_size=4), st.text(min_size=1, max_size=30))
def test_any_checkpoint_comes_back_as_it_was_put(channel_values, thread):
    saver = SealedSaver(InMemorySaver(), Seal(DerivedKeys(os.urandom(32))))
    versions = {name: saver.get_next_version(None, None) for name in channel_values}
    checkpoint = {**empty_checkpoint(), "channel_values": channel_values, "channel_versions": versions}
    config = {"configurable": {"thread_id": thread, "checkpoint_ns": ""}}
    at = saver.put(config, checkpoint, {"source": "loop", "step": 1, "parents": {}}, versions)
    saver.put_writes(at, list(channel_values.items()), "task")
    found = saver.get_tuple(config)
    assert found.checkpoint == checkpoint
    assert found.config == at
    assert found.metadata == {"source": "loop", "step": 1, "parents": {}}
    assert [(channel, value) for _, channel, value in found.pending_writes] == list(channel_values.items())
