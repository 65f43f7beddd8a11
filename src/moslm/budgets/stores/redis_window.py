"""How much has passed to a provider, counted in Redis for the processes of many machines."""

from __future__ import annotations

import hashlib

from moslm.budgets.pace import LONGEST_REST_S, Pace
from moslm.budgets.stores.redis import RedisStore


class RedisWindow:
    """Keeps the count beside a ledger in Redis.

    Args:
        store: The ledger's store.
        provider: Whom the calls go to; windows of one name are one window.
        pace: How fast the provider may be asked.
    """

    far = True

    def __init__(self, store: RedisStore, provider: str, pace: Pace) -> None:
        self._store, self._name = store, hashlib.sha256(provider.encode()).hexdigest()[:32]
        requests, tokens = pace.requests, pace.tokens
        self._buckets = (
            requests.interval,
            requests.burst,
            tokens.interval if tokens else 0,
            tokens.burst if tokens else 0,
        )

    def take(self, tokens: int) -> float:
        """See `moslm.budgets.pace.Window.take`."""
        # asked again after a lost reply, a call would take two places: slower, and never too fast
        return float(self._store.run("pass", self._name, tokens, *self._buckets))

    def rest(self, seconds: float) -> None:
        """See `moslm.budgets.pace.Window.rest`."""
        self._store.run("rest", self._name, min(seconds, LONGEST_REST_S))
