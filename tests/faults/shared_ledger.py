"""The store of a ledger that several processes share, by its address: a file, or a Redis server."""

from __future__ import annotations

import time

from moslm.budgets.stores import Store
from moslm.budgets.stores.redis import RedisStore
from moslm.budgets.stores.sqlite import SQLiteStore
from moslm.clock import SteadyClock


def open_store(address: str) -> Store:
    """Return the store at an address."""
    if "://" in address:
        # under a machine's full load a server may take more than a second
        return RedisStore(address, timeout_s=30)
    # asked by name, so that a process may have set its clock
    return SQLiteStore(address, clock=lambda anchor: SteadyClock(anchor, wall=lambda: time.time()), busy_seconds=60)


class LaterRedis(RedisStore):
    """Counts by a clock that is two minutes ahead, when every reservation of the tests has lapsed."""

    def _clock(self) -> str:
        return "local function now() return tonumber(redis.call('TIME')[1]) + 120 end"
