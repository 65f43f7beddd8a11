"""T9 and T10: many processes on one cap, holders killed, clocks apart; the ledger is the provider's invoice."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis_server import RedisServer
from shared_ledger import LaterRedis, open_store

from moslm.budgets.caps import caps_of
from moslm.budgets.ledger import Ledger
from moslm.budgets.money import dollars, nanos
from moslm.budgets.purchases import Amount, AtCap, Hold, Payer, Purchase
from moslm.budgets.stores import Total
from moslm.budgets.stores.sqlite import SQLiteStore
from moslm.clock import Anchor, SteadyClock
from moslm.config import CapSettings

SPENDER = Path(__file__).with_name("spender.py")
LONG = os.environ.get("MOSLM_LONG") == "1"
PROCESSES = 8


@dataclass(frozen=True)
class Shared:
    """What the processes of a test share."""

    ledger: str
    """Its file, or the address of the Redis server that keeps it."""
    invoice: Path
    """What the made-up provider charged."""


@pytest.fixture(params=["sqlite", "redis"])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shared]:
    if request.param == "sqlite":
        yield Shared(str(tmp_path / "ledger.sqlite"), tmp_path / "invoice")
        return
    server = RedisServer(tmp_path)
    server.start()
    yield Shared(server.url, tmp_path / "invoice")
    server.kill()


def spend(shared: Shared, cap: float, tries: int, deaths: list[str], first_seed: int = 0) -> list[list[str]]:
    """Let a process for each entry of ``deaths`` spend at once, clocks an hour apart; return what each said."""
    files = [shared.ledger, str(shared.invoice)]
    running = [
        subprocess.Popen(
            [sys.executable, SPENDER, *files, str(cap), str(tries), str((i % 3 - 1) * 3600), str(first_seed + i), die],
            stdout=subprocess.PIPE,
            text=True,
        )
        for i, die in enumerate(deaths)
    ]
    said = [process.communicate(timeout=300)[0].splitlines() for process in running]
    assert all(process.returncode in (0, -9) for process in running)
    return said


def invoice(shared: Shared) -> int:
    return sum(map(int, shared.invoice.read_text().split()))


def total(shared: Shared, cap: float) -> tuple[Total, int]:
    """Return what the ledger says in the end, and what its cap has taken, once gone holders have lapsed."""
    # Redis sees no death of a process of another machine; it sees time pass
    store = LaterRedis(shared.ledger, timeout_s=30) if "://" in shared.ledger else open_store(shared.ledger)
    ledger = Ledger(store, caps_of([CapSettings(usd=cap)]))
    who = Payer("acme", None, None, "last", None)
    last = ledger.reserve(Purchase("last", who, "m", Amount(0, 0), 1))
    if isinstance(last, Hold):
        ledger.release(last)
    (standing,) = ledger.standings(who, "m")
    summed = ledger.total()
    ledger.close()
    return summed, standing.taken


def test_eight_processes_never_go_over_a_cap_nor_are_refused_what_has_room(shared):
    cap = 2.0
    said = spend(shared, cap, 200, ["never"] * PROCESSES)
    summed, taken = total(shared, cap)
    assert summed.nanos == taken == invoice(shared) <= nanos(cap)
    assert summed.held_nanos == summed.unknown == 0
    refused = [line.split() for lines in said for line in lines if line.startswith("refused")]
    assert refused  # the cap was reached, or this shows nothing
    assert all(int(asked) > int(left) for _, asked, left in refused)
    assert dollars(nanos(cap) - taken) < 0.02  # less than one more call would have taken


def test_holders_killed_before_the_call_leave_nothing_behind(shared):
    rounds = 100 // PROCESSES + 1 if LONG else 2
    for i in range(rounds):
        spend(shared, 1000.0, 10, ["reserved"] * PROCESSES, first_seed=i * PROCESSES)
    summed, taken = total(shared, 1000.0)
    assert summed.nanos == taken == invoice(shared)
    assert summed.unknown == summed.held_nanos == 0


def test_holders_killed_after_the_call_are_booked_in_full_and_never_for_less(shared):
    spend(shared, 1000.0, 10, ["sent"] * PROCESSES)
    summed, taken = total(shared, 1000.0)
    assert summed.unknown == PROCESSES
    assert invoice(shared) <= summed.nanos == taken <= invoice(shared) + PROCESSES * 20_000_000


def test_the_ledger_is_the_providers_invoice_to_the_cent(shared):
    tries = 1250 if LONG else 150
    spend(shared, 100_000.0, tries, ["never"] * PROCESSES)
    summed, _ = total(shared, 100_000.0)
    assert summed.calls == tries * PROCESSES
    assert summed.nanos == invoice(shared)


def test_a_clock_that_is_set_to_the_next_day_opens_no_other_budget(tmp_path):
    def next_day(anchor: Callable[[Anchor], Anchor]) -> SteadyClock:
        return SteadyClock(anchor, wall=lambda: time.time() + 86_400)

    who, caps = Payer("acme", None, None, "r", None), caps_of([CapSettings(calls=1)])
    for clock, allowed in ((SteadyClock, True), (next_day, False)):
        ledger = Ledger(SQLiteStore(tmp_path / "ledger.sqlite", clock=clock), caps)
        verdict = ledger.reserve(Purchase(f"{allowed}", who, "m", Amount(1, 1), 60))
        assert isinstance(verdict, Hold) is allowed
    assert isinstance(verdict, AtCap)
