"""A sealed store does what a store does, and the store below learns nothing from it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langgraph.store.memory import InMemoryStore
from langgraph.store.sqlite import SqliteStore

from moslm.errors import SealError
from moslm.privacy.at_rest.seal import Seal
from moslm.privacy.at_rest.store import SealedStore
from moslm.privacy.keys import DerivedKeys

CANARY = "canary-maria-keller"
ANSWERS = ("moslm", "answers", "acme", "user")


@pytest.fixture
def store(seal):
    return SealedStore(InMemoryStore(), seal)


labels = st.text(alphabet=st.characters(exclude_characters=".\0", exclude_categories=["Cs"]), min_size=1, max_size=8)
namespaces = st.lists(labels, min_size=1, max_size=4).map(tuple).filter(lambda each: each[0] != "langgraph")


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.tuples(namespaces, labels), st.dictionaries(st.text(), st.text() | st.integers()), max_size=5)
)
def test_items_come_back_as_they_were_put(items):
    store = SealedStore(InMemoryStore(), Seal(DerivedKeys(os.urandom(32))), tenant="acme")
    for (namespace, key), value in items.items():
        store.put(namespace, key, value)
    for (namespace, key), value in items.items():
        found = store.get(namespace, key)
        assert (found.namespace, found.key, found.value) == (namespace, key, value)
        below = [each.key for each in store.search(namespace[:1], limit=100)]
        assert sorted(below) == sorted(key for (other, key) in items if other[:1] == namespace[:1])


async def test_it_works_without_blocking_and_deletes(store):
    await store.aput(ANSWERS, "k", {"text": CANARY})
    assert (await store.aget(ANSWERS, "k")).value == {"text": CANARY}
    assert [each.value for each in await store.asearch(ANSWERS)] == [{"text": CANARY}]
    await store.adelete(ANSWERS, "k")
    assert await store.aget(ANSWERS, "k") is None


def test_a_search_narrows_and_pages_what_it_opened(store):
    for i in range(250):
        store.put(ANSWERS, str(i), {"n": i, "even": i % 2 == 0})
    assert len(store.search(ANSWERS, filter={"even": True}, limit=500)) == 125
    assert [each.value["n"] for each in store.search(ANSWERS, filter={"n": 249})] == [249]
    assert len(store.search(ANSWERS, limit=20, offset=240)) == 10


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda store: store.search(ANSWERS, query="balance"), "by meaning"),
        (lambda store: store.search(ANSWERS, filter={"n": {"$gt": 1}}), "equality alone"),
        (lambda store: store.list_namespaces(), "names of its namespaces"),
    ],
)
def test_what_would_have_to_read_is_refused(store, ask, told):
    with pytest.raises(SealError, match=told):
        ask(store)


def test_no_file_holds_a_word_of_names_or_values(tmp_path, seal):
    with closing(sqlite3.connect(tmp_path / "store.sqlite", check_same_thread=False, isolation_level=None)) as file:
        inner = SqliteStore(file)
        inner.setup()
        SealedStore(inner, seal).put((*ANSWERS, CANARY), CANARY, {CANARY: CANARY}, index=[CANARY])
        assert SealedStore(inner, seal).get((*ANSWERS, CANARY), CANARY).value == {CANARY: CANARY}
    assert CANARY.encode() not in (tmp_path / "store.sqlite").read_bytes()


def test_an_item_that_was_altered_moved_or_never_sealed_is_refused(seal):
    inner = InMemoryStore()
    store = SealedStore(inner, seal)
    rivals = ("moslm", "answers", "rival", "user")
    store.put(ANSWERS, "k", {"text": "acme's"})
    store.put(ANSWERS, "other", {"text": "another of acme's"})
    store.put(rivals, "k", {"text": "rival's"})
    kept = [(each.namespace, each.key, each.value["sealed"]) for each in inner.search((), limit=10)]
    for _, _, moved in kept:
        for below, name, _ in kept:
            inner.put(below, name, {"sealed": moved})
        refused = 0
        for namespace, key in ((ANSWERS, "k"), (ANSWERS, "other"), (rivals, "k")):
            try:
                store.get(namespace, key)
            except SealError:
                refused += 1
        assert refused == 2
    for forged in ({"text": "forged"}, {"sealed": "AAAA"}, {"sealed": 7}):
        for below, name, _ in kept:
            inner.put(below, name, forged)
        with pytest.raises(SealError):
            store.get(ANSWERS, "k")
        with pytest.raises(SealError):
            store.search(ANSWERS)


def test_a_key_of_the_past_still_opens_until_everything_is_rotated():
    old, new = DerivedKeys(os.urandom(32)), DerivedKeys(os.urandom(32))
    inner = InMemoryStore()
    SealedStore(inner, Seal(old)).put(ANSWERS, "k", {"text": "old"})
    SealedStore(inner, Seal(old)).put(ANSWERS, "gone", {"text": "old"})
    both = SealedStore(inner, Seal(new, [old]))
    assert both.get(ANSWERS, "k").value == {"text": "old"}
    both.delete(ANSWERS, "gone")
    assert both.get(ANSWERS, "gone") is None
    assert (both.rotate(ANSWERS), both.rotate(ANSWERS)) == (1, 0)
    assert SealedStore(inner, Seal(new)).get(ANSWERS, "k").value == {"text": "old"}
    assert SealedStore(inner, Seal(old)).get(ANSWERS, "k") is None


def test_one_tenants_items_are_never_anothers(seal):
    inner = InMemoryStore()
    acme, rival = SealedStore(inner, seal, tenant="acme"), SealedStore(inner, seal, tenant="rival")
    acme.put(("notes",), "k", {"text": "acme's"})
    assert rival.get(("notes",), "k") is None
    assert rival.search(("notes",)) == []
    rival.put(("notes",), "k", {"text": "rival's"})
    assert acme.get(("notes",), "k").value == {"text": "acme's"}
