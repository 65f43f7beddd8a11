"""Remembered answers and their counts in Redis, for the processes of many machines.

An answer expires by the server's clock. A server that does not answer costs the memory alone: it is left in peace for
some seconds, so that no request waits for it again and again. The server knows an answer by hashes, its domain and its
Decision's id; the rest is one value, encrypted where there is a seal.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

from moslm.errors import RecallError
from moslm.recall.entries import Entry, How
from moslm.recall.stores import Which
from moslm.recall.tallies import Tally
from moslm.sealing import Sealing
from moslm.shared_redis import connect, place_of

T = TypeVar("T")
REST_S = 5.0
"""How long a server that did not answer is not asked again."""
_PAGE = 500


class RedisRecall:
    """Keeps answers and counts in a Redis server; nothing is opened before it is used.

    Args:
        url: ``redis://``, ``rediss://`` or ``unix://``.
        prefix: Begins the name of every key.
        most: Answers that are kept; of more those that expire first go.
        timeout_s: How long the server may take to answer before a lookup is a miss, seconds.
        sealing: Encrypts what is kept; None keeps it as it is.

    Raises:
        MissingExtraError: The client is not installed.
    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "moslm",
        most: int = 50_000,
        timeout_s: float = 0.25,
        sealing: Sealing | None = None,
    ) -> None:
        self._client: Any = connect(url, timeout_s, "remembered answers in Redis")
        import redis

        self._redis = redis
        self.place = place_of(url)
        self._root, self._most, self._sealing = f"{{{prefix}}}:recall:", most, sealing
        self._rests_until = 0.0

    def find(self, entry_of: Sequence[str], key: str) -> Entry | None:
        """See `Store.find`."""
        value = self._asked(lambda: self._client.hget(f"{self._root}answer:{key}", "value"))
        return None if value is None else self._opened(value, entry_of, key)

    def alike(self, entry_of: Sequence[str], wording: str, most: int) -> Sequence[Entry]:
        """See `Store.alike`."""
        found = self._asked(lambda: self._run("alike", wording, most))
        return [self._opened(value, entry_of, key.decode()) for key, value in zip(found[::2], found[1::2], strict=True)]

    def keep(self, entry: Entry) -> None:
        """See `Store.keep`."""
        holds_ms = int((entry.expires - entry.made) * 1000)
        said = (entry.wording or "", _label(entry.tenant), entry.domain or "", entry.decision)
        self._asked(lambda: self._run("keep", entry.key, self._value(entry), holds_ms, *said, self._most))

    def purge(self, which: Which) -> int:
        """See `Store.purge`; a server that writes once a second may still lose that second, should it be killed."""
        tenant = None if which.tenant is None else _label(which.tenant)
        narrowing = ["" if each is None else f"={each}" for each in (tenant, which.domain, which.decision)]
        return self._asked(
            lambda: sum(int(self._run("purge", *narrowing, *page)) for page in self._pages()), though_resting=True
        )

    def hit(self, domain: str, how: How, saved_usd: float) -> None:
        """Count an answer that was given again."""

        def count() -> None:
            with self._client.pipeline() as steps:
                steps.sadd(f"{self._root}domains", domain)
                steps.hincrby(self._tally(domain), how, 1)
                steps.hincrbyfloat(self._tally(domain), "saved_usd", saved_usd)
                steps.execute()

        self._asked(count, again=False)

    def check(self, domain: str, wrong: bool) -> None:
        """Count a hit that was answered again, and whether it was wrong."""

        def count() -> None:
            with self._client.pipeline() as steps:
                steps.sadd(f"{self._root}domains", domain)
                steps.hincrby(self._tally(domain), "checked", 1)
                steps.hincrby(self._tally(domain), "wrong", int(wrong))
                steps.execute()

        self._asked(count, again=False)

    def forget_checks(self, domain: str | None = None) -> int:
        """Begin to count anew whether hits are wrong, in one domain or in all."""
        chosen = [each.domain for each in self.tallies() if each.checked and domain in (None, each.domain)]

        def begin() -> None:
            for name in chosen:
                self._client.hset(self._tally(name), mapping={"checked": 0, "wrong": 0})

        self._asked(begin)
        return len(chosen)

    def tally(self, domain: str) -> Tally:
        """Return one domain's counts."""
        found = self._asked(lambda: self._client.hgetall(self._tally(domain)))
        count = {name.decode(): value for name, value in found.items()}
        exact, semantic, checked, wrong = (
            int(count.get(each, 0)) for each in ("exact", "semantic", "checked", "wrong")
        )
        return Tally(domain, exact, semantic, float(count.get("saved_usd", 0)), checked, wrong)

    def tallies(self) -> Sequence[Tally]:
        """Return the counts of every domain."""
        names = self._asked(lambda: self._client.smembers(f"{self._root}domains"))
        return [self.tally(name) for name in sorted(each.decode() for each in names)]

    def held(self, tenant: str | None = None) -> dict[str, int]:
        """Return how many answers hold now, by domain; of one tenant or of all."""
        found = self._asked(lambda: [each for page in self._pages() for each in self._domains(page, tenant)])
        return {name: found.count(name) for name in sorted(set(found))}

    def close(self) -> None:
        """Close the connections; the next use opens new ones."""
        self._client.close()

    def _domains(self, keys: Sequence[str], tenant: str | None) -> list[str]:
        wanted = None if tenant is None else _label(tenant).encode()
        with self._client.pipeline(transaction=False) as steps:
            for key in keys:
                steps.hmget(f"{self._root}answer:{key}", "domain", "tenant")
            found = steps.execute()
        return [name.decode() for name, whose in found if name is not None and wanted in (None, whose)]

    def _pages(self) -> Iterator[list[str]]:
        """Yield the keys of all answers that are there from beginning to end."""
        at = 0
        while True:
            at, found = self._client.zscan(f"{self._root}answers", at, count=_PAGE)
            yield [key.decode() for key, _ in found]
            if at == 0:
                return

    def _tally(self, domain: str) -> str:
        return f"{self._root}tally:{domain}"

    def _value(self, entry: Entry) -> bytes:
        plain = json.dumps(entry.plain(), ensure_ascii=True).encode()
        return plain if self._sealing is None else self._sealing.seal(plain, entry.tenant, "recall", entry.key)

    def _opened(self, value: bytes, entry_of: Sequence[str], key: str) -> Entry:
        plain = value if self._sealing is None else self._sealing.open(value, entry_of[0], "recall", key)
        return Entry.from_plain(json.loads(plain))

    def _run(self, step: str, *given: Any) -> Any:
        source, name = _script(step)
        try:
            return self._client.evalsha(name, 1, self._root, *given)
        except self._redis.exceptions.NoScriptError:  # a server that was started since does not know it
            return self._client.eval(source, 1, self._root, *given)

    def _asked(self, ask: Callable[[], T], *, again: bool = True, though_resting: bool = False) -> T:
        """Ask the server, once more where the connection broke.

        Raises:
            RecallError: It did not answer, or has not for a moment.
        """
        if not though_resting and time.monotonic() < self._rests_until:
            raise RecallError(f"{self.place} did not answer and is asked again in a moment")
        try:
            try:
                return ask()
            except self._redis.ConnectionError:
                if not again:
                    raise
                return ask()
        except (self._redis.RedisError, OSError) as error:
            if isinstance(error, self._redis.ConnectionError | self._redis.TimeoutError | OSError):
                self._rests_until = time.monotonic() + REST_S
            said = " ".join(str(error).split()) or type(error).__name__
            raise RecallError(f"{self.place} cannot be used: {said}") from error


def _label(tenant: str) -> str:
    # names of tenants do not belong where everybody may read who reads the server
    return hashlib.sha256(tenant.encode("utf-8", "surrogatepass")).hexdigest()[:32]


@cache
def _script(step: str) -> tuple[str, str]:
    """Return a step's script with what it stands on, and the name by which a server knows it."""
    folder = files("moslm.recall") / "lua"
    source = "\n".join((folder / f"{name}.lua").read_text(encoding="utf-8") for name in ("answers", step))
    return source, hashlib.sha1(source.encode()).hexdigest()
