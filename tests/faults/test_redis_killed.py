"""T8: Redis is killed and started again under load; what it acknowledged is there, and no cap is exceeded."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from redis_server import RedisServer, free_port
from shared_ledger import LaterRedis

from moslm.budgets.caps import caps_of
from moslm.budgets.ledger import Ledger
from moslm.budgets.money import nanos
from moslm.budgets.purchases import Amount, AtCap, Bought, Hold, Payer, Purchase
from moslm.budgets.stores import Spent, Store
from moslm.budgets.stores.redis import RedisStore
from moslm.config import CapSettings
from moslm.errors import LedgerError

KILLS = 20 if os.environ.get("MOSLM_LONG") == "1" else 4
CAP = nanos(2.0)
MOST = 20_000_000  # two cents
BUYERS = 4


def purchase(key: str, most: int) -> Purchase:
    return Purchase(key, Payer("acme", None, None, key, None), "m", Amount(most, 10), 20)


@dataclass
class Buyer(threading.Thread):
    """Buys until it is told to stop, and remembers what the ledger acknowledged."""

    store: Store
    seed: int
    stop: threading.Event
    bought: threading.Event
    """Set by each purchase that was acknowledged."""
    spree: threading.Event
    """Set when each call shall cost the most it can, so that the cap is reached."""
    settled: dict[str, int] = field(default_factory=dict)
    """What each purchase cost whose settling was acknowledged."""
    unheard: dict[str, int] = field(default_factory=dict)
    """The most that purchases took on whose end the ledger gave no word."""
    invoice: int = 0
    failures: int = 0
    refusals: list[AtCap] = field(default_factory=list)
    broke: BaseException | None = None

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        try:
            self._buy()
        except BaseException as error:
            self.broke = error

    def _buy(self) -> None:
        chance = random.Random(self.seed)
        ledger = Ledger(self.store, caps_of([CapSettings(usd=CAP / 1e9)]))
        number = 0
        while not self.stop.is_set():
            number += 1
            key, most = f"{self.seed}-{number}", chance.randrange(1, MOST)
            self.unheard[key] = most
            try:
                verdict = ledger.reserve(purchase(key, most))
                if isinstance(verdict, AtCap):
                    self.refusals.append(verdict)
                    del self.unheard[key]
                    time.sleep(0.02)
                    continue
                assert isinstance(verdict, Hold)
                if not ledger.sending(verdict):
                    continue
                cost = most if self.spree.is_set() else chance.randrange(most // 100 + 1)
                self.invoice += cost
                ledger.settle(verdict, Spent(Amount(cost, 10)), key.encode())
            except LedgerError:
                self.failures += 1
                time.sleep(0.02)
                continue
            self.settled[key] = cost
            del self.unheard[key]
            self.bought.set()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    made = RedisServer(tmp_path, free_port(), appendfsync="always")
    made.start()
    yield made
    made.kill()


@pytest.mark.slow
@pytest.mark.loopback
def test_what_redis_acknowledged_survives_its_deaths_and_caps_hold(server):
    stop, bought, spree, chance = threading.Event(), threading.Event(), threading.Event(), random.Random(8)
    store = RedisStore(server.url)
    buyers = [Buyer(store, seed, stop, bought, spree) for seed in range(BUYERS)]
    for each in buyers:
        each.start()
    for _ in range(KILLS):
        assert bought.wait(10), "nobody could buy within ten seconds of its start"
        time.sleep(chance.uniform(0.1, 0.6))
        server.kill()
        time.sleep(chance.uniform(0.0, 0.3))
        server.start()
        bought.clear()
    assert bought.wait(10)
    spree.set()
    deadline = time.monotonic() + 60
    while not all(each.refusals for each in buyers) and time.monotonic() < deadline:
        time.sleep(0.1)
    stop.set()
    for each in buyers:
        each.join(30)
    store.close()
    assert [each.broke for each in buyers if each.broke] == []
    assert sum(each.failures for each in buyers) >= KILLS, "its deaths were felt"
    assert all(each.refusals for each in buyers), "the cap was reached, or this shows nothing"
    for refused in (refusal for each in buyers for refusal in each.refusals):
        assert refused.cap.amount > refused.cap.left
        assert refused.cap.taken <= CAP
    _check_books(server, buyers)


def _check_books(server: RedisServer, buyers: list[Buyer]) -> None:
    """Hold what the server knows, once all that is open has lapsed, against what the buyers were told."""
    later = LaterRedis(server.url)
    ledger = Ledger(later, caps_of([CapSettings(usd=CAP / 1e9)]))
    for each in buyers:
        for key in each.settled:
            assert ledger.reserve(purchase(key, 1)) == Bought(key.encode()), "an acknowledged purchase was lost"
    total = ledger.total()
    (standing,) = ledger.standings(Payer("acme", None, None, "r", None), "m")
    later.close()
    acknowledged = sum(cost for each in buyers for cost in each.settled.values())
    unheard = sum(most for each in buyers for most in each.unheard.values())
    invoice = sum(each.invoice for each in buyers)
    assert total.held_nanos == 0
    assert total.nanos == standing.taken <= CAP
    assert acknowledged <= invoice <= total.nanos <= acknowledged + unheard
