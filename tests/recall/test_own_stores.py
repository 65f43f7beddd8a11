"""What every store of answers promises, and what Redis does when it is full, gone or read by somebody else."""

from __future__ import annotations

import os
import socket
import threading
import time
from dataclasses import replace
from uuid import uuid4

import numpy as np
import pytest
import redis
from recall_samples import ENCODER, a_decision, a_memory, a_request
from redis_server import RedisServer

from moslm.errors import RecallError, SealError
from moslm.privacy.at_rest.seal import Seal
from moslm.privacy.keys import DerivedKeys
from moslm.recall.entries import Entry, packed
from moslm.recall.keys import keys_of
from moslm.recall.redis import RedisRecall
from moslm.recall.sqlite import RecallFile
from moslm.recall.stores import Which

ASKED = "How do I claim mileage?"
WHOSE = ("acme", "user")
VECTOR = packed(np.linspace(-1, 1, 256, dtype=np.float32))


def an_entry(key="k", wording="w", text="In the portal.", tenant="acme", holds_s=60.0, **more):
    now = time.time()
    return Entry(
        key, wording, tenant, "user", "finance", more.pop("decision", "d"), text, "small", True, 0.0, now,
        now + holds_s, VECTOR,
    )  # fmt: skip


@pytest.fixture
def client(redis_server):
    made = redis.Redis.from_url(redis_server.url)
    yield made
    made.close()


@pytest.fixture
def prefix():
    return uuid4().hex


@pytest.fixture
def a_server(tmp_path):
    started = []

    def start(**options):
        started.append(RedisServer(tmp_path, **options))
        started[-1].start()
        return started[-1]

    yield start
    for each in started:
        each.kill()


def test_an_answer_comes_back_as_it_was_kept(own):
    entry = an_entry()
    own.keep(entry)
    assert own.find(WHOSE, "k") == entry
    assert own.alike(WHOSE, "w", 5) == [entry]
    assert own.find(WHOSE, "other") is None
    assert own.alike(WHOSE, "other", 5) == []


def test_the_newest_of_one_wording_come_first(own):
    for i in range(5):
        own.keep(an_entry(f"k{i}", text=str(i)))
        time.sleep(0.002)
    assert [each.text for each in own.alike(WHOSE, "w", 2)] == ["4", "3"]


def test_an_answer_takes_the_place_of_the_one_before(own):
    own.keep(an_entry(text="before"))
    own.keep(an_entry(text="after"))
    assert [each.text for each in own.alike(WHOSE, "w", 5)] == ["after"]
    assert own.held() == {"finance": 1}


def test_more_answers_than_a_page_are_counted_and_purged(own):
    for i in range(1100):
        own.keep(an_entry(f"k{i}", f"w{i}", tenant="acme" if i % 2 else "globex"))
    assert own.held() == {"finance": 1100}
    assert own.held("acme") == {"finance": 550}
    assert own.held("nobody") == {}
    assert own.purge(Which(tenant="acme", domain="finance")) == 550
    assert own.purge(Which(domain="it_support")) == 0
    assert own.held() == {"finance": 550}
    assert own.purge(Which()) == 550


def test_counts_of_many_threads_add_up(own):
    def count():
        for _ in range(25):
            own.hit("finance", "semantic", 0.25)
            own.check("finance", wrong=False)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    tally = own.tally("finance")
    assert (tally.semantic, tally.checked, tally.saved_usd) == (100, 100, 25.0)
    assert [each.domain for each in own.tallies()] == ["finance"]


@pytest.fixture(params=["sqlite", "redis"])
def sealed(request, tmp_path, prefix):
    """Make stores of one place under a seal: ``sealed(seal)``; and read all its bytes: ``sealed.bytes()``."""

    def make(seal):
        if request.param == "sqlite":
            return RecallFile(tmp_path / "recall.sqlite", sealing=seal)
        return RedisRecall(request.getfixturevalue("redis_server").url, prefix=prefix, timeout_s=10, sealing=seal)

    def everything():
        if request.param == "sqlite":
            return b"".join(each.read_bytes() for each in tmp_path.glob("recall.sqlite*"))
        found = request.getfixturevalue("client")
        keys = found.keys(f"{{{prefix}}}:*")
        return b"".join(key + (found.dump(key) if found.type(key) != b"hash" else _hash(found, key)) for key in keys)

    make.bytes = everything
    return make


def _hash(client, key):
    return b"".join(b"".join(each) for each in client.hgetall(key).items())


def a_seal():
    return Seal(DerivedKeys(os.urandom(32)))


def test_under_a_seal_neither_words_nor_vectors_can_be_read(sealed):
    vector, words = packed(ENCODER.encode(["the xylophone allowance"])[0]), "Nothing is known of xylophones."
    store = sealed(a_seal())
    store.keep(replace(an_entry(text=words), vector=vector))
    assert store.alike(WHOSE, "w", 1)[0].vector == vector
    everything = sealed.bytes()
    assert b"xylophone" not in everything
    # no stretch of the vector that is longer than chance allows
    assert not any(vector[at : at + 8] in everything for at in range(0, len(vector) - 8, 2))
    store.close()


def test_without_a_seal_the_same_search_finds_both(tmp_path):
    vector, words = packed(ENCODER.encode(["the xylophone allowance"])[0]), "Nothing is known of xylophones."
    store = RecallFile(tmp_path / "recall.sqlite")
    store.keep(replace(an_entry(text=words), vector=vector))
    store.close()
    everything = (tmp_path / "recall.sqlite").read_bytes()
    assert words.encode() in everything
    assert vector[:8] in everything


def test_what_was_kept_in_clear_or_under_another_key_costs_the_memory_and_is_not_given(sealed, caplog):
    request = a_request(ASKED)
    for earlier in (None, a_seal()):
        a_memory(sealed(earlier)).closed(request, None, a_decision(), "In the portal.")
        memory = a_memory(sealed(a_seal()))
        assert memory.find(request, None) is None
        assert "remembered answers cannot be read" in caplog.text
        caplog.clear()


class TestRedis:
    def test_an_answer_moved_to_another_key_or_tenant_is_refused(self, redis_server, client, prefix):
        store = RedisRecall(redis_server.url, prefix=prefix, timeout_s=10, sealing=a_seal())
        store.keep(an_entry("k"))
        client.copy(f"{{{prefix}}}:recall:answer:k", f"{{{prefix}}}:recall:answer:moved")
        with pytest.raises(SealError, match="moved"):
            store.find(WHOSE, "moved")
        with pytest.raises(SealError, match="moved"):
            store.find(("globex", "user"), "k")

    def test_expires_by_the_servers_clock_and_leaves_nothing(self, redis_server, client, prefix):
        store = RedisRecall(redis_server.url, prefix=prefix, timeout_s=10)
        store.keep(an_entry(holds_s=0.05))
        deadline = time.monotonic() + 10
        while client.exists(f"{{{prefix}}}:recall:answer:k") and time.monotonic() < deadline:
            time.sleep(0.02)
        assert store.find(WHOSE, "k") is None
        assert store.alike(WHOSE, "w", 5) == []
        assert store.held() == {}
        store.keep(an_entry("other", "another"))
        assert client.zcard(f"{{{prefix}}}:recall:answers") == 1

    def test_a_time_that_is_over_already_keeps_nothing(self, redis_server, prefix):
        store = RedisRecall(redis_server.url, prefix=prefix, timeout_s=10)
        store.keep(an_entry(holds_s=-5))
        assert store.find(WHOSE, "k") is None

    def test_of_too_many_the_oldest_go(self, redis_server, prefix):
        store = RedisRecall(redis_server.url, prefix=prefix, timeout_s=10, most=10)
        for i in range(30):
            store.keep(an_entry(f"k{i}", holds_s=60 + i))
        assert store.held() == {"finance": 10}
        assert store.find(WHOSE, "k29")
        assert len(store.alike(WHOSE, "w", 100)) == 10

    def test_names_of_tenants_stand_nowhere(self, redis_server, client, prefix):
        RedisRecall(redis_server.url, prefix=prefix, sealing=a_seal(), timeout_s=10).keep(an_entry(tenant="Globex AG"))
        for key in client.keys(f"{{{prefix}}}:*"):
            assert b"Globex" not in key + (client.dump(key) or b"")

    def test_prefixes_know_nothing_of_each_other(self, redis_server, prefix):
        one, other = (RedisRecall(redis_server.url, prefix=each, timeout_s=10) for each in (prefix, f"{prefix}2"))
        one.keep(an_entry())
        assert other.find(WHOSE, "k") is None
        assert other.purge(Which()) == 0
        assert one.find(WHOSE, "k")

    @pytest.mark.loopback
    def test_gone_it_is_a_miss_that_says_so_and_nobody_waits_for_it_twice(self, caplog, monkeypatch):
        asked = []
        with socket.socket() as silent:  # takes connections and never answers
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            store = RedisRecall(f"redis://127.0.0.1:{silent.getsockname()[1]}", timeout_s=0.05)
            memory, hget = a_memory(store), store._client.hget
            monkeypatch.setattr(store._client, "hget", lambda *given: asked.append(given) or hget(*given))
            for _ in range(5):
                assert memory.find(a_request(ASKED), None) is None
                memory.closed(a_request(ASKED), None, a_decision(), "In the portal.")
        assert len(asked) == 1
        assert "remembered answers cannot be read, so none is given: Redis at 127.0.0.1" in caplog.text
        assert "could not be remembered" in caplog.text

    def test_killed_and_started_again_it_remembers_on(self, a_server, monkeypatch):
        server = a_server(appendfsync="always")
        memory = a_memory(RedisRecall(server.url, timeout_s=5))
        memory.closed(a_request(ASKED), None, a_decision(), "In the portal.")
        assert memory.find(a_request(ASKED), None)
        server.kill()
        assert memory.find(a_request(ASKED), None) is None
        with pytest.raises(RecallError, match="cannot be used"):
            memory.purge(Which())
        server.start()
        monkeypatch.setattr("moslm.recall.redis.REST_S", 0)
        memory.own._rests_until = 0.0
        assert memory.find(a_request(ASKED), None)["text"] == "In the portal."

    def test_full_it_costs_the_memory_and_what_is_there_stays(self, a_server, caplog):
        server = a_server(**{"maxmemory-policy": "noeviction"})
        memory = a_memory(RedisRecall(server.url, timeout_s=5))
        memory.closed(a_request(ASKED), None, a_decision(), "In the portal.")
        with redis.Redis.from_url(server.url) as client:
            client.config_set("maxmemory", "1kb")
        memory.closed(a_request("Where is the printer?"), None, a_decision(), "Upstairs.")
        assert "could not be remembered: Redis at" in caplog.text
        assert "used memory > 'maxmemory'" in caplog.text
        assert memory.find(a_request("Where is the printer?"), None) is None
        assert memory.own.find(WHOSE, keys_of(a_request(ASKED), "1").exact).text == "In the portal."
        assert memory.purge(Which()) == 1

    def test_what_somebody_else_wrote_there_is_not_given(self, redis_server, client, prefix, caplog):
        store = RedisRecall(redis_server.url, prefix=prefix, timeout_s=10)
        key = keys_of(a_request(ASKED), "1").exact
        for value in (b"not json", b"[]", b'{"text": "forged"}', b"\xff\xfe"):
            client.hset(f"{{{prefix}}}:recall:answer:{key}", "value", value)
            assert a_memory(store).find(a_request(ASKED), None) is None
        assert caplog.text.count("cannot be read") == 4
