"""Opens what keeps threads and items in Postgres, behind the seal where the settings say so."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver

from moslm.config import Config
from moslm.errors import ConfigError, MissingExtraError
from moslm.graph.keeping import build_seal
from moslm.graph.postgres_address import postgres_address
from moslm.privacy.at_rest.saver import SealedSaver, TenantOf, configured_tenant

_MOST = 10
"""Connections that one process holds."""


@contextmanager
def open_saver(
    config: Config, file: str | None = None, tenant: str | TenantOf = configured_tenant
) -> Iterator[BaseCheckpointSaver[Any]]:
    """Open the saver of ``[checkpoints]``, making its tables where they are not there.

    Args:
        config: The settings.
        file: File they stand in, for messages.
        tenant: Whose threads these are; see `SealedSaver`.

    Raises:
        ConfigError: No Postgres is named, or one that may not carry threads; or a key is missing.
        MissingExtraError: Postgres' client is not installed.
    """
    url = _address(config, file)
    try:
        from langgraph.checkpoint.postgres import PostgresSaver
        from psycopg import Connection
        from psycopg.rows import dict_row
        from psycopg_pool import ConnectionPool
    except ImportError as error:
        raise MissingExtraError("checkpoints in Postgres", "postgres") from error
    seal = build_seal(config, file)
    options: dict[str, Any] = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
    # each connection is tried before it is used: after a restart of the server the old ones are dead
    check = ConnectionPool.check_connection
    with ConnectionPool[Connection[dict[str, Any]]](
        url, kwargs=options, min_size=1, max_size=_MOST, check=check
    ) as pool:
        inner = PostgresSaver(pool)
        inner.setup()
        yield inner if seal is None else SealedSaver(inner, seal, tenant)


@asynccontextmanager
async def aopen_saver(
    config: Config, file: str | None = None, tenant: str | TenantOf = configured_tenant
) -> AsyncIterator[BaseCheckpointSaver[Any]]:
    """Do as `open_saver` does, without blocking."""
    url = _address(config, file)
    try:
        from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
        from psycopg import AsyncConnection
        from psycopg.rows import dict_row
        from psycopg_pool import AsyncConnectionPool
    except ImportError as error:
        raise MissingExtraError("checkpoints in Postgres", "postgres") from error
    seal = build_seal(config, file)
    options: dict[str, Any] = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
    check = AsyncConnectionPool.check_connection
    async with AsyncConnectionPool[AsyncConnection[dict[str, Any]]](
        url, kwargs=options, min_size=1, max_size=_MOST, check=check
    ) as pool:
        inner = AsyncPostgresSaver(pool)
        await inner.setup()
        yield inner if seal is None else SealedSaver(inner, seal, tenant)


def _address(config: Config, file: str | None) -> str:
    url = postgres_address(config, file)
    if url is None:
        raise ConfigError("names no Postgres", file=file, key="checkpoints", mend="name one in postgres_url_env")
    return url
