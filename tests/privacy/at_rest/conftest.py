"""A seal whose key the test knows, and the rows an attacker with the file in hand would write."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from uuid import uuid4

import ormsgpack
import psycopg
import pytest
from postgres_server import PostgresServer

from moslm.privacy.at_rest.seal import Seal
from moslm.privacy.keys import DerivedKeys


@pytest.fixture(scope="session")
def keys() -> DerivedKeys:
    return DerivedKeys(os.urandom(32))


@pytest.fixture
def seal(keys) -> Seal:
    return Seal(keys)


@pytest.fixture
def crafted(tmp_path) -> Callable[[], tuple[bytes, Callable[[], bool]]]:
    """Return a row that makes a file when it is executed, and whether it was."""

    def make():
        mark = tmp_path / "executed"
        call = ormsgpack.packb(("os", "system", f"touch {mark}"))
        return ormsgpack.packb({"channel_values": ormsgpack.Ext(0, call)}), mark.exists

    return make


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A Postgres server for all tests, each of which takes a database of its own."""
    server = PostgresServer()
    server.start()
    yield server
    server.remove()


@pytest.fixture
def database(postgres: PostgresServer) -> Iterator[str]:
    """The address of a database of the test's own."""
    name = f"d{uuid4().hex}"
    with psycopg.connect(postgres.url, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
    yield postgres.url.replace("/postgres?", f"/{name}?")
    with psycopg.connect(postgres.url, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def dumped(database: str) -> Callable[[], bytes]:
    """Return every byte of every table: binary, because as text bytes are written in hexadecimal."""

    def dump() -> bytes:
        found = b""
        with psycopg.connect(database) as connection:
            tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
            for (table,) in tables:
                with connection.cursor().copy(f"COPY {table} TO STDOUT (FORMAT binary)") as copied:
                    found += b"".join(bytes(each) for each in copied)
        return found

    return dump
