"""What the tests of money stand on: stores to hold to the same promises, and purchases of a made-up model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import redis
from redis_server import RedisServer

from moslm.budgets.caps import caps_of
from moslm.budgets.ledger import Ledger
from moslm.budgets.money import nanos
from moslm.budgets.purchases import Amount, Payer, Purchase
from moslm.budgets.stores import Store
from moslm.budgets.stores.redis import RedisStore
from moslm.budgets.stores.sqlite import SQLiteStore
from moslm.config import CapSettings

MODEL = "large"
NOON = 1_795_694_400.0  # 2026-11-26 12:00:00 UTC
JAN_31 = 1_801_396_740.0  # 2027-01-31 23:59:00 UTC


class Clock:
    """Time that a test sets."""

    def __init__(self, now: float = NOON) -> None:
        self.at = now

    def now(self) -> float:
        return self.at


class ClockedRedis(RedisStore):
    """Counts by a test's clock, which is told to the server before each step."""

    def __init__(self, url: str, clock: Clock, prefix: str, **options: Any) -> None:
        super().__init__(url, prefix=prefix, timeout_s=10, **options)
        self.clock, self._key, self._teller = clock, f"{{{prefix}}}:clock", redis.Redis.from_url(url)

    def _clock(self) -> str:
        return f"local function now() return tonumber(redis.call('GET', '{self._key}')) end"

    def run(self, step: str, *given: Any, **options: Any) -> Any:
        self._teller.set(self._key, repr(self.clock.at))
        return super().run(step, *given, **options)

    def close(self) -> None:
        super().close()
        self._teller.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def clocked_redis(redis_server: RedisServer, clock: Clock) -> Iterator[RedisStore]:
    """A store of the test's own in Redis, which counts by the test's clock."""
    made = ClockedRedis(redis_server.url, clock, uuid4().hex)
    yield made
    made.close()


@pytest.fixture(params=["sqlite", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Store]:
    made: Store
    if request.param == "sqlite":
        made = SQLiteStore(tmp_path / "ledger.sqlite", clock=lambda anchor: clock)
    else:
        made = request.getfixturevalue("clocked_redis")
    yield made
    made.close()


@pytest.fixture
def ledger(store: Store) -> Callable[..., Ledger]:
    """Open a ledger under caps: ``ledger({"usd": 1.0})``."""

    def build(*caps: dict[str, Any], alerts: Any = (), tell: Any = None) -> Ledger:
        return Ledger(store, caps_of([CapSettings(**each) for each in caps]), alerts, tell)

    return build


def payer(**changes: Any) -> Payer:
    given = {"tenant": "acme", "user": "ada", "conversation": "t1", "request": "r1", "domain": "finance"}
    return Payer(**{**given, **changes})


_NUMBERS = iter(range(10**9))


def purchase(
    usd: float = 0.0, tokens: int = 0, key: str | None = None, seconds: float = 10, **changes: Any
) -> Purchase:
    model = changes.pop("model", MODEL)
    key = key or f"k{next(_NUMBERS)}"
    return Purchase(key, payer(**changes), model, Amount(nanos(usd), tokens), seconds)


@pytest.fixture(name="purchase")
def purchase_fixture() -> Callable[..., Purchase]:
    return purchase


@pytest.fixture(name="payer")
def payer_fixture() -> Callable[..., Payer]:
    return payer
