"""T9 and T10: many processes on one cap, holders killed, clocks apart; the ledger is the provider's invoice."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from moslm.budgets.caps import caps_of
from moslm.budgets.clock import Anchor, SteadyClock
from moslm.budgets.ledger import Ledger
from moslm.budgets.money import dollars, nanos
from moslm.budgets.purchases import Amount, AtCap, Hold, Payer, Purchase
from moslm.budgets.stores import Total
from moslm.budgets.stores.sqlite import SQLiteStore
from moslm.config import CapSettings

SPENDER = Path(__file__).with_name("spender.py")
LONG = os.environ.get("MOSLM_LONG") == "1"
PROCESSES = 8


def spend(folder: Path, cap: float, tries: int, deaths: list[str], first_seed: int = 0) -> list[list[str]]:
    """Let a process for each entry of ``deaths`` spend at once, clocks an hour apart; return what each said."""
    files = [str(folder / "ledger.sqlite"), str(folder / "invoice")]
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


def invoice(folder: Path) -> int:
    return sum(map(int, (folder / "invoice").read_text().split()))


def total(folder: Path, cap: float) -> tuple[Total, int]:
    """Return what the ledger says in the end, and what its cap has taken, once gone holders have lapsed."""
    ledger = Ledger(SQLiteStore(folder / "ledger.sqlite"), caps_of([CapSettings(usd=cap)]))
    who = Payer("acme", None, None, "last", None)
    last = ledger.reserve(Purchase("last", who, "m", Amount(0, 0), 1))
    if isinstance(last, Hold):
        ledger.release(last)
    (standing,) = ledger.standings(who, "m")
    return ledger.total(), standing.taken


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def test_eight_processes_never_go_over_a_cap_nor_are_refused_what_has_room(folder):
    cap = 2.0
    said = spend(folder, cap, 200, ["never"] * PROCESSES)
    summed, taken = total(folder, cap)
    assert summed.nanos == taken == invoice(folder) <= nanos(cap)
    assert summed.held_nanos == summed.unknown == 0
    refused = [line.split() for lines in said for line in lines if line.startswith("refused")]
    assert refused  # the cap was reached, or this shows nothing
    assert all(int(asked) > int(left) for _, asked, left in refused)
    assert dollars(nanos(cap) - taken) < 0.02  # less than one more call would have taken


def test_holders_killed_before_the_call_leave_nothing_behind(folder):
    rounds = 100 // PROCESSES + 1 if LONG else 2
    for i in range(rounds):
        spend(folder, 1000.0, 10, ["reserved"] * PROCESSES, first_seed=i * PROCESSES)
    summed, taken = total(folder, 1000.0)
    assert summed.nanos == taken == invoice(folder)
    assert summed.unknown == summed.held_nanos == 0


def test_holders_killed_after_the_call_are_booked_in_full_and_never_for_less(folder):
    spend(folder, 1000.0, 10, ["sent"] * PROCESSES)
    summed, taken = total(folder, 1000.0)
    assert summed.unknown == PROCESSES
    assert invoice(folder) <= summed.nanos == taken <= invoice(folder) + PROCESSES * 20_000_000


def test_the_ledger_is_the_providers_invoice_to_the_cent(folder):
    tries = 1250 if LONG else 150
    spend(folder, 100_000.0, tries, ["never"] * PROCESSES)
    summed, _ = total(folder, 100_000.0)
    assert summed.calls == tries * PROCESSES
    assert summed.nanos == invoice(folder)


def test_a_clock_that_is_set_to_the_next_day_opens_no_other_budget(folder):
    def next_day(anchor: Callable[[Anchor], Anchor]) -> SteadyClock:
        return SteadyClock(anchor, wall=lambda: time.time() + 86_400)

    who, caps = Payer("acme", None, None, "r", None), caps_of([CapSettings(calls=1)])
    for clock, allowed in ((SteadyClock, True), (next_day, False)):
        ledger = Ledger(SQLiteStore(folder / "ledger.sqlite", clock=clock), caps)
        verdict = ledger.reserve(Purchase(f"{allowed}", who, "m", Amount(1, 1), 60))
        assert isinstance(verdict, Hold) is allowed
    assert isinstance(verdict, AtCap)
