"""What reserving, noting the sending and settling add to a paid call, beside one bare synced insert in the same run.

``python bench/ledger.py``: milliseconds, and the ratio to the floor: one row inserted and synced. ``--redis URL``
measures a ledger in that server instead, reserving alone too, beside a ``PING``. The figures of docs/guides/budgets.md.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from moslm.budgets.caps import caps_of
from moslm.budgets.ledger import Ledger
from moslm.budgets.purchases import Amount, Hold, Payer, Purchase
from moslm.budgets.stores import Spent
from moslm.budgets.stores.redis import RedisStore
from moslm.budgets.stores.sqlite import SQLiteStore
from moslm.config import CapSettings
from moslm.wal import open_file

CAPS = [
    CapSettings(usd=1e6),
    CapSettings(usd=1e6, every="month"),
    CapSettings(per="tenant", usd=1e6),
    CapSettings(per="user", tokens=10**12),
    CapSettings(per="domain", calls=10**9),
    CapSettings(share=1.0, free=10**9),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=2000, help="calls that are paid (2000)")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--redis", metavar="URL", help="measure the ledger in this Redis")
    options = parser.parse_args()
    figures = _in_redis(options.redis, options.calls) if options.redis else _in_files(options.calls)
    if options.json:
        print(json.dumps(figures, indent=2))
        return
    for name, each in figures.items():
        unit = "x" if name == "ratio" else " ms"
        print(f"{name:<8}" + "".join(f"  {key} {value:.2f}{unit}" for key, value in each.items()))


def _in_files(calls: int) -> dict[str, dict[str, float]]:
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(SQLiteStore(Path(folder) / "ledger.sqlite"), caps_of(CAPS))
        unsynced = Ledger(SQLiteStore(Path(folder) / "unsynced.sqlite", synced=False), caps_of(CAPS))
        floor = open_file(Path(folder) / "floor.sqlite", "CREATE TABLE IF NOT EXISTS rows (n INTEGER PRIMARY KEY);")
        paid, quick, bare = list[float](), list[float](), list[float]()
        for i in range(calls):  # in turn, so that a busy disk hits both
            paid.append(_timed(lambda i=i: _pay(ledger, i)))
            quick.append(_timed(lambda i=i: _pay(unsynced, i)))
            bare.append(_timed(lambda i=i: floor.execute("INSERT INTO rows VALUES (?)", (i,))))
    figures = {"paid": _figures(paid), "unsynced": _figures(quick), "floor": _figures(bare)}
    figures["ratio"] = {key: figures["paid"][key] / figures["floor"][key] for key in figures["paid"]}
    return figures


def _in_redis(url: str, calls: int) -> dict[str, dict[str, float]]:
    import redis

    store = RedisStore(url, prefix=f"bench-{uuid4().hex}", timeout_s=30)
    ledger, server = Ledger(store, caps_of(CAPS)), redis.Redis.from_url(url)
    paid, reserved, bare = list[float](), list[float](), list[float]()
    for i in range(calls):
        paid.append(_timed(lambda i=i: _pay(ledger, i)))
        reserved.append(_timed(lambda i=i: ledger.reserve(_purchase(f"r{i}", i))))
        bare.append(_timed(server.ping))
    return {"paid": _figures(paid), "reserve": _figures(reserved), "ping": _figures(bare)}


def _purchase(key: str, i: int) -> Purchase:
    who = Payer("acme", f"u{i % 50}", f"t{i % 200}", f"r{i}", "finance")
    return Purchase(key, who, "m", Amount(1000, 500), 30)


def _pay(ledger: Ledger, i: int) -> None:
    hold = ledger.reserve(_purchase(f"k{i}", i))
    assert isinstance(hold, Hold)
    ledger.sending(hold)
    ledger.settle(hold, Spent(Amount(700, 300)), b"x" * 600)


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def _figures(times: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(times, n=100)
    return {"p50": cuts[49], "p95": cuts[94]}


if __name__ == "__main__":
    main()
