"""A Redis behind TLS: what is kept there goes to the server whose certificate counts, and to no other."""

from __future__ import annotations

import ssl
from uuid import uuid4

import pytest
from certificates import Authority
from tls_front import TlsFront

from moslm.budgets.stores.redis import RedisStore
from moslm.errors import LedgerError, MoSLMError
from moslm.governance.questions import Place
from moslm.governance.redis_questions import RedisQuestions
from moslm.recall.redis import RedisRecall
from moslm.recall.stores import Which
from moslm.shared_redis import forgets, place_of

pytestmark = pytest.mark.loopback
USES = {
    "ledger": (RedisStore, lambda store: store.now()),
    "recall": (RedisRecall, lambda store: store.purge(Which())),
    "reviews": (RedisQuestions, lambda book: book.find(Place("acme", "r", 0, 0, None))),
}


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


@pytest.fixture
def front(redis_server, authority):
    """Put TLS before the Redis of the tests: ``front()``; with ``asks`` it wants to know who calls."""
    opened = []

    def start(asks=False):
        context, pair = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), authority.signed("server")
        context.load_cert_chain(pair.cert, pair.key)
        if asks:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(authority.file)
        opened.append(TlsFront(redis_server.folder / "redis.sock", context))
        return f"rediss://127.0.0.1:{opened[-1].port}/0"

    yield start
    for each in opened:
        each.close()


@pytest.mark.parametrize("use", USES)
def test_a_server_of_ones_own_authority_is_used(front, authority, use):
    made, used = USES[use]
    used(made(f"{front()}?ssl_ca_certs={authority.file}", prefix=uuid4().hex, timeout_s=10))


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("trusting", ["the system", "another authority"])
def test_a_server_whose_certificate_does_not_count_is_never_used(front, tmp_path, use, trusting):
    made, used = USES[use]
    options = "" if trusting == "the system" else f"?ssl_ca_certs={Authority(tmp_path, 'other').file}"
    store = made(f"{front()}{options}", prefix=uuid4().hex, timeout_s=10)
    with pytest.raises(MoSLMError, match=r"(?i)certificate verify failed"):
        used(store)


def test_a_server_that_asks_who_calls_is_shown_the_clients_certificate(front, authority):
    url, client = front(asks=True), authority.signed("client")
    own = f"{url}?ssl_ca_certs={authority.file}"
    with pytest.raises(LedgerError):
        RedisStore(own, timeout_s=10).now()
    shown = f"{own}&ssl_certfile={client.cert}&ssl_keyfile={client.key}"
    assert RedisStore(shown, prefix=uuid4().hex, timeout_s=10).now() > 0


def test_a_server_in_the_clear_is_not_taken_for_one_with_tls(tmp_path):
    from redis_server import RedisServer, free_port

    server = RedisServer(tmp_path, free_port())
    server.start()
    try:
        with pytest.raises(LedgerError):
            RedisStore(server.url.replace("redis://", "rediss://"), timeout_s=5).now()
    finally:
        server.kill()


def test_people_are_told_neither_user_nor_password():
    assert place_of("rediss://me:secret@db.internal:6380/0?ssl_ca_certs=/ca.pem") == "Redis at db.internal:6380"
    assert place_of("unix:///run/redis.sock") == "Redis at /run/redis.sock"


def test_a_server_that_keeps_all_forgets_nothing():
    assert forgets({"aof_enabled": 1, "maxmemory_policy": "noeviction"}) is None
    assert forgets({"aof_enabled": 0}, durable=False) is None
    assert "keeps nothing on its disk" in str(forgets({"aof_enabled": 0}))
    assert "drops keys" in str(forgets({"aof_enabled": 1, "maxmemory_policy": "allkeys-lru"}))
