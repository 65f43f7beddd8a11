"""What a ledger in Redis promises besides what every ledger does."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import redis
from redis_server import RedisServer

from moslm.budgets.caps import caps_of
from moslm.budgets.ledger import Ledger
from moslm.budgets.money import dollars, nanos
from moslm.budgets.purchases import Amount, AtCap, Hold, Underway
from moslm.budgets.stores import Spent
from moslm.budgets.stores.redis import RedisStore
from moslm.config import CapSettings
from moslm.errors import LedgerError, MissingExtraError


class LossyRedis(RedisStore):
    """Its connection breaks after the server has done what it was asked, before it is heard."""

    lost = 0

    def _evaluated(self, step: str, given: tuple[Any, ...]) -> Any:
        said = super()._evaluated(step, given)
        if self.lost and step != "now":
            self.lost -= 1
            raise redis.ConnectionError("lost")
        return said


@pytest.fixture
def prefix() -> str:
    return uuid4().hex


@pytest.fixture
def lossy(redis_server: RedisServer, prefix: str) -> Iterator[LossyRedis]:
    store = LossyRedis(redis_server.url, prefix=prefix, timeout_s=10)
    yield store
    store.close()


@pytest.fixture
def keys(redis_server: RedisServer, prefix: str) -> Iterator[Callable[[], dict[str, int]]]:
    """Return every key of the ledger with the seconds it is kept, -1 for ever."""
    client = redis.Redis.from_url(redis_server.url, decode_responses=True)
    yield lambda: {key: client.ttl(key) for key in client.scan_iter(f"{{{prefix}}}*")}
    client.close()


@pytest.fixture
def other_server(tmp_path: Path) -> Iterator[Callable[..., RedisServer]]:
    """Start a server with options of the test's own."""
    started = list[RedisServer]()

    def start(**options: str) -> RedisServer:
        server = RedisServer(tmp_path, **options)
        started.append(server)
        server.start()
        return server

    yield start
    for each in started:
        each.kill()


def book(store: RedisStore, *caps: dict[str, Any]) -> Ledger:
    return Ledger(store, caps_of([CapSettings(**each) for each in caps]))


def spent(usd: float, known: bool = True) -> Spent:
    return Spent(Amount(nanos(usd), 0), known)


class TestALostReply:
    def test_to_a_reservation_counts_once(self, lossy, purchase):
        ledger = book(lossy, {"usd": 1.0})
        lossy.lost = 1
        hold = ledger.reserve(purchase(0.6))
        assert isinstance(hold, Hold)
        assert hold.standings[0].taken == 0
        assert ledger.total().held_nanos == nanos(0.6)
        assert isinstance(ledger.reserve(purchase(0.5)), AtCap)

    def test_to_the_note_of_a_sending_lets_it_be_sent(self, lossy, purchase):
        ledger = book(lossy)
        hold = ledger.reserve(purchase(0.5))
        lossy.lost = 1
        assert ledger.sending(hold)
        assert not ledger.sending(hold), "a second note is no repeated first"

    def test_to_a_settling_books_once(self, lossy, purchase):
        ledger = book(lossy, {"usd": 1.0})
        hold = ledger.reserve(purchase(0.5))
        lossy.lost = 1
        ledger.settle(hold, spent(0.25))
        assert (dollars(ledger.total().nanos), ledger.total().held_nanos) == (0.25, 0)

    def test_to_a_count_is_not_asked_again_because_that_could_count_twice(self, lossy, purchase, payer):
        ledger = book(lossy, {"share": 0.5, "free": 0})
        lossy.lost = 1
        with pytest.raises(LedgerError, match="cannot be written: lost"):
            ledger.count(payer(), "large")

    def test_twice_is_a_purchase_that_is_not_made(self, lossy, purchase):
        ledger = book(lossy, {"usd": 1.0})
        lossy.lost = 2
        with pytest.raises(LedgerError, match=r"the ledger in Redis at .* cannot be written: lost"):
            ledger.reserve(purchase(0.5, key="step"))
        assert isinstance(ledger.reserve(purchase(0.5, key="step")), Underway)


def test_a_holder_of_a_reservation_cannot_touch_another_ones_of_the_same_step(lossy, purchase):
    ledger = book(lossy)
    hold = ledger.reserve(purchase(0.5))
    stranger = Hold(hold.key, hold.attempt, hold.most, token="another")
    assert not ledger.sending(stranger)
    ledger.settle(stranger, spent(0.0))
    ledger.release(stranger)
    assert ledger.total().held_nanos == nanos(0.5)
    assert ledger.sending(hold)


def test_sums_stay_when_purchases_are_forgotten(lossy, purchase, redis_server, prefix):
    ledger = book(lossy, {"usd": 1.0, "every": "ever"})
    for usd in (0.25, 0.5):
        ledger.settle(ledger.reserve(purchase(usd)), spent(usd, known=False))
    with redis.Redis.from_url(redis_server.url) as client:
        gone = [key for part in ("purchase", "attempt") for key in client.keys(f"{{{prefix}}}:{part}:*")]
        assert client.delete(*gone) == 4
    total = ledger.total()
    assert (dollars(total.nanos), total.calls, total.unknown, total.held_nanos) == (0.75, 2, 2, 0)
    assert isinstance(ledger.reserve(purchase(0.5)), AtCap)


def test_only_what_is_open_and_what_counts_for_ever_is_kept_for_ever(lossy, purchase, payer, keys):
    ledger = book(lossy, {"usd": 9.0}, {"usd": 99.0, "every": "ever"}, {"share": 0.9}, {"per": "request", "calls": 9})
    hold = ledger.reserve(purchase(0.5))
    ledger.count(payer(), "large")
    kinds = {key.split(":")[1] for key, seconds in keys().items() if seconds == -1}
    assert kinds == {"open", "totals", "purchase", "attempt", "counter"}
    ledger.settle(hold, spent(0.5), b"the answer")
    for_ever = sorted(key.split(":")[1] for key, seconds in keys().items() if seconds == -1)
    assert for_ever == ["counter", "totals"]
    counters = sorted(seconds for key, seconds in keys().items() if ":counter:" in key)
    day = 86_400
    assert counters[1] > 7 * day
    assert counters[-1] <= 30 * day
    assert all(day - 60 <= seconds <= day for key, seconds in keys().items() if ":purchase:" in key)
    assert all(3540 <= seconds <= 3600 for key, seconds in keys().items() if ":answer:" in key)


def test_names_of_keys_name_nobody(lossy, purchase, keys):
    ledger = book(lossy, {"per": "user", "usd": 1.0, "name": "cap of ada"}, {"per": "tenant", "usd": 1.0})
    ledger.reserve(purchase(0.5, key="k"))
    assert not any("ada" in key or "acme" in key for key in keys())


def test_ledgers_of_two_prefixes_know_nothing_of_each_other(lossy, purchase, redis_server):
    other = RedisStore(redis_server.url, prefix=uuid4().hex, timeout_s=10)
    assert isinstance(book(lossy, {"calls": 1}).reserve(purchase()), Hold)
    assert isinstance(book(other, {"calls": 1}).reserve(purchase()), Hold)
    other.close()


def test_the_largest_sums_are_exact(lossy, purchase):
    ledger = book(lossy, {"usd": 5_000_000})
    ledger.settle(ledger.reserve(purchase(4_999_999.999_999_998)), spent(4_999_999.999_999_998))
    assert isinstance(ledger.reserve(purchase(0.000_000_003)), AtCap)
    hold = ledger.reserve(purchase(0.000_000_002))
    assert isinstance(hold, Hold)
    assert hold.standings[0].left == 2


def test_a_server_that_was_started_anew_is_told_its_scripts_again(other_server, purchase):
    server = other_server()
    store = RedisStore(server.url, timeout_s=10)
    ledger = book(store, {"calls": 2})
    first = ledger.reserve(purchase())
    server.kill()
    server.start()
    ledger.settle(first, spent(0.5))
    assert isinstance(ledger.reserve(purchase()), Hold)
    assert isinstance(ledger.reserve(purchase()), AtCap)
    store.close()


def test_without_its_server_nothing_is_bought(other_server, purchase):
    server = other_server()
    store = RedisStore(server.url, timeout_s=10)
    ledger = book(store, {"calls": 2})
    ledger.reserve(purchase())
    server.kill()
    with pytest.raises(LedgerError, match=r"the ledger in Redis at .*redis\.sock cannot be (read|written): "):
        ledger.reserve(purchase())
    store.close()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"appendonly": "no"}, "keeps nothing on its disk .* start it with appendonly yes, or set budgets.redis_dur"),
        ({"maxmemory-policy": "allkeys-lru"}, "drops keys when its memory is full .* set maxmemory-policy noeviction"),
    ],
)
def test_a_server_that_would_forget_is_refused(other_server, purchase, options, complaint):
    store = RedisStore(other_server(**options).url, timeout_s=10)
    with pytest.raises(LedgerError, match=complaint) as refused:
        book(store).reserve(purchase())
    assert "\n" not in str(refused.value)
    store.close()


def test_a_server_without_a_disk_can_be_allowed(other_server, purchase):
    store = RedisStore(other_server(appendonly="no").url, durable=False, timeout_s=10)
    assert isinstance(book(store).reserve(purchase()), Hold)
    store.close()


def test_a_server_whose_memory_is_full_buys_nothing_and_keeps_what_it_acknowledged(other_server, purchase):
    server = other_server()
    store = RedisStore(server.url, timeout_s=10)
    ledger = book(store, {"usd": 1.0})
    ledger.settle(ledger.reserve(purchase(0.25)), spent(0.25))
    with redis.Redis.from_url(server.url) as client:
        client.config_set("maxmemory", 1)
        with pytest.raises(LedgerError, match=r"cannot be written: .*OOM"):
            ledger.reserve(purchase(0.5))
        client.config_set("maxmemory", 0)
    total = ledger.total()
    assert (dollars(total.nanos), total.held_nanos) == (0.25, 0)
    store.close()


def test_without_the_client_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(MissingExtraError, match=r"a ledger in Redis needs .* pip install 'moslm\[redis\]'"):
        RedisStore("redis://127.0.0.1")
