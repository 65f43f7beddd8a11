"""The ledger in Redis, for the processes of many machines.

Each step is one Lua script, which nothing can come between, and counts by the server's own clock. Nothing is bought
that Redis has not acknowledged: an error, a time-out or a server that keeps nothing on its disk is a `LedgerError`. A
step is asked again once where the connection broke, and is told by its token that it is the same one, so that a lost
reply counts nothing twice. That a holder has died is seen by the lapse of its reservation alone.
"""

from __future__ import annotations

import hashlib
import json
import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from moslm.budgets.caps import ABOUT_TO_CLOSE, Line
from moslm.budgets.purchases import AtCap, Bought, Hold, Purchase, Underway, Verdict
from moslm.budgets.stores import LAPSE_S, Spent, Total
from moslm.errors import LedgerError
from moslm.shared_redis import connect, forgets, place_of

if TYPE_CHECKING:
    from redis import Redis

_DAY_S = 86_400
_AFTER_WINDOW_S = 7 * _DAY_S
"""How long a counter is kept after its window: longer than any call that may still be settled in it."""
_AFTER_PURCHASE_S = _DAY_S
"""How long it is known of a purchase that it was made."""
_IDLE_S = {"request": 30 * _DAY_S, "conversation": 365 * _DAY_S}
"""How long after its last purchase the counter of what ends some day is kept, where it counts for ever."""


class RedisStore:
    """Keeps the ledger in a Redis server; safe to share between threads.

    Args:
        url: ``redis://``, ``rediss://`` or ``unix://``; nothing is opened before it is used.
        prefix: Begins the name of every key. Ledgers of different prefixes know nothing of each other.
        answers_s: How long the answer of a paid step is kept, seconds.
        durable: Whether a server that keeps nothing on its disk is refused.
        timeout_s: How long the server may take to answer before a purchase fails, seconds.

    Raises:
        MissingExtraError: The client is not installed.
    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "moslm",
        answers_s: float = 3600.0,
        durable: bool = True,
        timeout_s: float = 1.0,
    ) -> None:
        self._client: Redis = connect(url, timeout_s, "a ledger in Redis")
        import redis

        self._redis = redis
        self._root, self._answers_s, self._durable = f"{{{prefix}}}:", answers_s, durable
        self.place = place_of(url)
        self._looked, self._looking = False, threading.Lock()

    def now(self) -> float:
        """Return the time by which the server counts; see `Store.now`."""
        return float(self.run("now", what="read"))

    def reserve(self, purchase: Purchase, lines: Sequence[Line], now: float) -> Verdict:
        """See `Store.reserve`."""
        token, most = uuid4().hex, purchase.most
        kind, *said = self.run(
            "reserve",
            *(purchase.key, token, purchase.seconds + LAPSE_S, math.ceil(max(_AFTER_PURCHASE_S, self._answers_s))),
            *(most.nanos, most.tokens, most.calls, _told(lines, now)),
        )
        if kind == b"underway":
            return Underway(float(said[0]))
        if kind == b"bought":
            return Bought(said[0])
        which, amounts, requests = said
        standings = tuple(line.standing(*each) for line, *each in zip(lines, amounts, requests, strict=True))
        if kind == b"cap":
            return AtCap(standings[which - 1], standings)
        return Hold(purchase.key, which, most, standings, token)

    def sending(self, hold: Hold) -> bool:
        """See `Store.sending`."""
        return bool(self.run("sending", _id(hold), hold.token, uuid4().hex))

    def settle(self, hold: Hold, spent: Spent, answer: bytes | None) -> None:
        """See `Store.settle`."""
        amount, kept = spent.amount, answer is not None
        self.run(
            "settle",
            *(_id(hold), hold.token, amount.nanos, amount.tokens, amount.calls, int(spent.known)),
            *(self._answers_s if kept else 0, answer or b""),
        )

    def release(self, hold: Hold) -> None:
        """See `Store.release`."""
        self.run("release", _id(hold), hold.token)

    def count(self, lines: Sequence[Line]) -> None:
        """See `Store.count`."""
        # a request that is counted twice would allow more than the share
        self.run("count", _told(lines, None), again=False)

    def taken(self, lines: Sequence[Line]) -> list[tuple[int, int]]:
        """See `Store.taken`."""
        return [(amount, counted) for amount, counted in self.run("taken", _told(lines, None), what="read")]

    def total(self) -> Total:
        """See `Store.total`."""
        return Total(*(int(each or 0) for each in self.run("total", what="read")))

    def close(self) -> None:
        """See `Store.close`."""
        self._client.close()

    def run(self, step: str, *given: Any, what: str = "written", again: bool = True) -> Any:
        """Run the script of a step.

        Args:
            step: Its name.
            given: Its arguments.
            what: What cannot be done to the ledger where it fails.
            again: Whether it may be asked for a second time where nobody knows whether it was done.

        Raises:
            LedgerError: The server did not acknowledge it.
        """
        with self._failing(what):
            try:
                return self._evaluated(step, given)
            except self._redis.ConnectionError:
                self._looked = False  # it may have come back as another server
                if not again:
                    raise
                return self._evaluated(step, given)

    def _evaluated(self, step: str, given: tuple[Any, ...]) -> Any:
        self._look()
        source, name = _script(self._clock(), step)
        try:
            return self._client.evalsha(name, 1, self._root, *given)
        except self._redis.exceptions.NoScriptError:  # a server that was started since does not know it
            return self._client.eval(source, 1, self._root, *given)

    def _clock(self) -> str:
        """Return the Lua of ``now()``, by which all steps count."""
        return _lua("clock")

    def _look(self) -> None:
        """Refuse a server that would forget what it acknowledged."""
        with self._looking:
            if self._looked:
                return
            found: dict[str, Any] = self._client.info()
            if problem := forgets(found, self._durable, "budgets.redis_durable"):
                raise LedgerError(f"{self.place} {problem[0]} and would forget what was spent; {problem[1]}")
            self._looked = True

    @contextmanager
    def _failing(self, what: str) -> Iterator[None]:
        try:
            yield
        except (self._redis.RedisError, OSError) as error:
            said = " ".join(str(error).split()) or type(error).__name__
            raise LedgerError(f"the ledger in {self.place} cannot be {what}: {said}") from error


@cache
def _lua(name: str) -> str:
    return (files("moslm.budgets.stores") / "lua" / f"{name}.lua").read_text(encoding="utf-8")


@cache
def _script(clock: str, step: str) -> tuple[str, str]:
    """Return a step's script with what it stands on, and the name by which a server knows it."""
    source = "\n".join((clock, _lua("books"), _lua(step)))
    return source, hashlib.sha1(source.encode()).hexdigest()


def _id(hold: Hold) -> str:
    return f"{hold.key}:{hold.attempt}"


def _told(lines: Sequence[Line], now: float | None) -> str:
    return json.dumps([_line(line, now) for line in lines], separators=(",", ":"))


def _line(line: Line, now: float | None) -> dict[str, Any]:
    """Return a line as the scripts read it."""
    cap = line.cap
    named = [cap.name, line.subject, *([] if line.slices else [line.start])]
    told = {
        # hashed: names of people and tenants do not belong into names of keys, which servers write into their logs
        "name": hashlib.sha256(json.dumps(named).encode()).hexdigest()[:32],
        "unit": cap.unit,
        "amount": line.amount,
        "limit": cap.limit,
        "keep": _keep(line, now),
    }
    if line.slices:
        told |= {"slice": str(line.start), "since": line.slices[0], "share": cap.share, "free": cap.free}
        told["closing"] = ABOUT_TO_CLOSE
    return {key: value for key, value in told.items() if value is not None}


def _keep(line: Line, now: float | None) -> int | None:
    """Return for how many seconds from now a counter is kept; None for ever."""
    if line.slices:
        return line.start - line.slices[0] + _AFTER_WINDOW_S
    if line.ends is None:
        return _IDLE_S.get(line.cap.per)
    return None if now is None else math.ceil(line.ends - now) + _AFTER_WINDOW_S
