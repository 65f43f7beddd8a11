"""What ``moslm doctor`` finds out about servers that keep things: Redis and Postgres. Writes nothing to them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from moslm.cli.model_findings import Finding
from moslm.config import Config, RedisPlace
from moslm.errors import MoSLMError
from moslm.shared_redis import connect, forgets, place_of

_PATIENCE_S = 2.0


def store_findings(config: Config, file: str | None) -> Iterator[Finding]:
    """Yield a finding for each server that the settings name."""
    yield from _redis(config, config.budgets, "budgets", "ledger", config.budgets.redis_durable, file)
    yield from _redis(config, config.recall, "recall", "remembered answers", False, file)
    yield from _redis(config, config.review, "review", "questions to people", config.review.redis_durable, file)
    yield from _postgres(config, file)


def _redis(
    config: Config, place: RedisPlace, section: str, what: str, durable: bool, file: str | None
) -> Iterator[Finding]:
    from moslm.graph.redis_address import redis_address

    try:
        url = redis_address(place, section, config.allow_hosts, file)
        if url is None:
            return
        found = _asked(url, what)
    except MoSLMError as error:
        yield Finding("missing", what, str(error))
        return
    if isinstance(found, str):
        yield Finding("missing", what, f"{place_of(url)}: {found}", f"start it, or correct {section}.redis_url")
        return
    where = f"{place_of(url)}, version {found.get('redis_version', 'unknown')}"
    if section == "recall":
        yield _of_a_cache(where, what, found)
        return
    problem = forgets(found, durable, f"{section}.redis_durable")
    if problem:
        yield Finding("missing", what, f"{where}, {problem[0]}", problem[1])
    else:
        kept = "keeps all on its disk" if int(found.get("aof_enabled", 0)) else "keeps nothing on its disk, as allowed"
        yield Finding("ok", what, f"{where}, answers, {kept}, and drops nothing")


def _of_a_cache(where: str, what: str, found: dict[str, Any]) -> Finding:
    """Say how a server of remembered answers is: it may forget answers, though better not how often they were wrong."""
    policy = str(found.get("maxmemory_policy", "noeviction"))
    if policy.startswith("allkeys"):
        detail = f"{where}, answers; when its memory is full it also drops which domains were closed ({policy})"
        return Finding("note", what, detail, "set maxmemory-policy volatile-lru, or noeviction")
    return Finding("ok", what, f"{where}, answers")


def _asked(url: str, what: str) -> dict[str, Any] | str:
    """Return what a server says of itself, or why it says nothing."""
    client = connect(url, _PATIENCE_S, f"{what} in Redis")
    import redis

    try:
        found: dict[str, Any] = client.info()
        return found
    except (redis.RedisError, OSError) as error:
        return " ".join(str(error).split()) or type(error).__name__
    finally:
        client.close()


def _postgres(config: Config, file: str | None) -> Iterator[Finding]:
    from moslm.graph.postgres_address import postgres_address

    what = "checkpoints"
    try:
        url = postgres_address(config, file)
    except MoSLMError as error:
        yield Finding("missing", what, str(error))
        return
    if url is None:
        return
    import psycopg

    try:
        with psycopg.connect(url, connect_timeout=int(_PATIENCE_S)) as connection:
            version, tls = connection.info.server_version, connection.pgconn.ssl_in_use
    except (psycopg.Error, OSError) as error:
        said = " ".join(str(error).split())
        yield Finding("missing", what, f"Postgres: {said}", "start it, or correct checkpoints.postgres_url")
        return
    way = "by TLS" if tls else "in the clear, inside"
    sealed = "sealed" if config.at_rest.seal else "kept in clear, as at_rest.seal is not set"
    yield Finding("ok", what, f"Postgres {version // 10_000}.{version % 10_000} answers {way}; threads are {sealed}")
