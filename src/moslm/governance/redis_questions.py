"""The questions that people were asked, in Redis, for the processes of many machines.

They stand and expire by the server's clock, whatever the machines' own say. A question is closed by one script, which
nothing can come between, so of two who decide it one is told that the other did. A server that would forget what it
acknowledged is refused. Kept are hashes, names of who decided, and times, as in the file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import cache
from importlib.resources import files
from typing import Any
from uuid import uuid4

from moslm.errors import ReviewError
from moslm.governance.questions import KEPT_S, Asked, Place
from moslm.shared_redis import connect, forgets, place_of


class RedisQuestions:
    """Keeps the questions in a Redis server; nothing is opened before it is used.

    Args:
        url: ``redis://``, ``rediss://`` or ``unix://``.
        prefix: Begins the name of every key.
        durable: Whether a server that keeps nothing on its disk is refused.
        timeout_s: How long the server may take to answer before a call fails, seconds.

    Raises:
        MissingExtraError: The client is not installed.
    """

    def __init__(self, url: str, *, prefix: str = "moslm", durable: bool = True, timeout_s: float = 1.0) -> None:
        self._client: Any = connect(url, timeout_s, "questions to people in Redis")
        import redis

        self._redis = redis
        self.place = place_of(url)
        self._root, self._durable, self._looked = f"{{{prefix}}}:question:", durable, False

    def now(self) -> float:
        """Return the time by which the server counts, seconds since the epoch.

        Raises:
            ReviewError: It cannot be read.
        """
        with self._asked():
            seconds, micros = self._client.time()
        return float(seconds) + float(micros) / 1e6

    def find(self, place: Place) -> Asked | None:
        """See `moslm.governance.questions.Questions.find`."""
        with self._asked():
            found = self._client.hgetall(self._key(place))
        return _question({name.decode(): value.decode() for name, value in found.items()}) if found else None

    def ask(self, place: Place, asked: Asked) -> None:
        """See `moslm.governance.questions.Questions.ask`."""
        key = self._key(place)
        with self._asked(), self._client.pipeline() as steps:
            steps.delete(key)
            steps.hset(key, mapping=_fields(replace(asked, state="asked")))
            steps.pexpireat(key, int((asked.expires_at + KEPT_S) * 1000))
            steps.execute()

    def close(self, place: Place, outcome: Asked) -> Asked:
        """See `moslm.governance.questions.Questions.close`."""
        ended = [each for pair in _fields(outcome).items() for each in pair]
        given = (_script(), 1, self._key(place), outcome.shown_sha256, uuid4().hex, *ended)
        with self._asked():
            try:
                won = self._client.eval(*given)
            except self._redis.ConnectionError:
                won = self._client.eval(*given)
        if won:
            return outcome
        return self.find(place) or replace(outcome, state="refused")

    def _key(self, place: Place) -> str:
        # hashed: names of tenants do not belong into names of keys, which servers write into their logs
        return self._root + hashlib.sha256(json.dumps(place.key).encode()).hexdigest()[:40]

    @contextmanager
    def _asked(self) -> Iterator[None]:
        try:
            if not self._looked:
                self._look()
            yield
        except (self._redis.RedisError, OSError) as error:
            self._looked = False  # it may come back as another server
            said = " ".join(str(error).split()) or type(error).__name__
            raise ReviewError(f"the questions to people cannot be kept in {self.place}: {said}") from error

    def _look(self) -> None:
        if problem := forgets(self._client.info(), self._durable, "review.redis_durable"):
            raise ReviewError(f"{self.place} {problem[0]} and would forget who decided what; {problem[1]}")
        self._looked = True


def _fields(asked: Asked) -> dict[str, str]:
    return {name: str(value) for name, value in asdict(asked).items() if value is not None}


def _question(found: dict[str, str]) -> Asked:
    values: dict[str, Any] = {name: value for name, value in found.items() if name != "token"}
    for name in ("asked_at", "expires_at", "decided_at"):
        if name in values:
            values[name] = float(values[name])
    return Asked(**values)


@cache
def _script() -> str:
    return (files("moslm.governance") / "lua" / "close_question.lua").read_text(encoding="utf-8")
