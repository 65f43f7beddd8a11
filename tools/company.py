"""The company database the tools work on: the user's own, or a small sample that is made on first use.

Knows how to reach it and that every table is there; what the tables mean is the tools' business.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from moslm.config import Config, home
from moslm.errors import BackendDown, ConfigError, MissingExtraError

if TYPE_CHECKING:
    from sqlalchemy import URL, Engine

_CONNECT_SECONDS = 10
_MEND_ADDRESS = "write an SQLAlchemy address such as postgresql+psycopg://host/name"


@dataclass(frozen=True, slots=True)
class Company:
    """A database with the company's tables."""

    engine: Engine
    today: Callable[[], date]
    """The day it is there: the sample company lives on one fixed day."""


def open_company(config: Config, *, file: str | None = None) -> Company:
    """Connect to the database and see that every table is there.

    Args:
        config: ``database_url`` or ``database_url_env`` name the user's own; without them the sample is used, which is
            created in ``home()`` by the first connection if need be.
        file: The file the configuration was read from, for messages.

    Raises:
        MissingExtraError: The packages of the extra ``tools`` are not installed.
        ConfigError: The address cannot stand, or a table or column is missing. The first connection raises it where
            the sample cannot be written.
        BackendDown: The database does not answer.
    """
    try:
        import sqlalchemy  # noqa: F401
    except ImportError:
        raise MissingExtraError("the company database", "tools") from None
    key, address = _address(config, file)
    if address is None:
        return _open_sample()
    url = _parsed(address, key, file)
    company = Company(_engine(url, key, file), date.today)
    _check_tables(company.engine, key, url.render_as_string(hide_password=True), file)
    return company


def _address(config: Config, file: str | None) -> tuple[str, str | None]:
    name = config.database_url_env
    if name is None:
        return "database_url", config.database_url
    address = os.environ.get(name)
    if not address:
        mend = f"set {name} to the address of the database"
        raise ConfigError("no such environment variable", file=file, key="database_url_env", value=name, mend=mend)
    return "database_url_env", address


def _parsed(address: str, key: str, file: str | None) -> URL:
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(address)
    except (ArgumentError, ValueError):  # the address itself may hold a password, so it is not shown
        raise ConfigError("is not an address of a database", file=file, key=key, mend=_MEND_ADDRESS) from None
    database = url.database
    on_disk = url.get_backend_name() == "sqlite" and database and database != ":memory:" and "uri" not in url.query
    if on_disk and not Path(database or "").is_file():
        # SQLite would quietly make an empty one
        raise ConfigError("no such file", file=file, key=key, value=str(url), mend="name an existing database")
    return url


def _engine(url: URL, key: str, file: str | None) -> Engine:
    from sqlalchemy import create_engine, event
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError

    try:
        engine = create_engine(url, pool_pre_ping=True, hide_parameters=True)
    except (NoSuchModuleError, ArgumentError):
        shown = url.render_as_string(hide_password=True)
        raise ConfigError(
            "SQLAlchemy knows no such database", file=file, key=key, value=shown, mend=_MEND_ADDRESS
        ) from None
    except ImportError as error:
        problem = f"its driver is not installed ({error.name})"
        shown = url.render_as_string(hide_password=True)
        raise ConfigError(problem, file=file, key=key, value=shown, mend=f"run: pip install {error.name}") from None
    if engine.dialect.is_async:
        raise ConfigError("names an asynchronous driver", file=file, key=key, value=url.drivername, mend=_MEND_ADDRESS)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _leave_transactions_to_us)
        event.listen(engine, "begin", _begin_for_writing)
    return engine


def _leave_transactions_to_us(connection: object, _record: object) -> None:
    # sqlite3 would begin a transaction only at the first write: two writers could then read the same balance.
    connection.isolation_level = None  # type: ignore[attr-defined]
    connection.execute("PRAGMA busy_timeout = 10000")  # type: ignore[attr-defined]
    connection.execute("PRAGMA foreign_keys = ON")  # type: ignore[attr-defined]


def _begin_for_writing(connection: object) -> None:
    options = connection.get_execution_options()  # type: ignore[attr-defined]
    connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("writes") else "BEGIN")  # type: ignore[attr-defined]


def _check_tables(engine: Engine, key: str, shown: str, file: str | None) -> None:
    from sqlalchemy import inspect
    from sqlalchemy.exc import SQLAlchemyError

    from moslm.tools.schema import metadata

    try:
        inspector = inspect(engine)
        there = set(inspector.get_table_names()) | set(inspector.get_view_names())
        columns = {
            name: {each["name"] for each in inspector.get_columns(name)} for name in metadata.tables if name in there
        }
    except SQLAlchemyError as error:
        raise BackendDown("company database", "The company database does not answer.") from error
    for name, table in metadata.tables.items():
        missing = [column.name for column in table.columns if column.name not in columns.get(name, ())]
        if missing:
            problem = f"has no column {name}.{missing[0]}" if name in there else f"has no table {name}"
            mend = "add it as moslm/tools/schema.py describes it, or remove the address to use the sample company"
            raise ConfigError(problem, file=file, key=key, value=shown, mend=mend)


def _open_sample() -> Company:
    """Reach the sample; where there is none yet the first connection makes it, so that a mere look leaves no file."""
    from sqlalchemy import URL, event

    from moslm.tools.sample import SAMPLE_DAY

    path = home() / "company.sqlite"
    url = URL.create("sqlite", database=str(path))
    engine = _engine(url, "database_url", None)
    if path.exists():
        _check_sample(engine, path)
    else:
        event.listen(engine, "do_connect", lambda *_: _create_sample(path))
    return Company(engine, lambda: SAMPLE_DAY)


def _check_sample(engine: Engine, path: Path) -> None:
    try:
        _check_tables(engine, "database_url", str(path), None)
    except ConfigError as error:
        mend = "delete the file; it is made afresh on the next start"
        raise ConfigError(f"the sample company {error.problem}", file=str(path), mend=mend) from None


def _create_sample(path: Path) -> None:
    """Write the sample, if it is not there.

    It is written beside its place, then linked there: of two processes one wins, and nobody sees half a file.

    Raises:
        ConfigError: There is no room, or no permission, to write it.
    """
    from sqlalchemy.exc import DBAPIError

    if path.exists():
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix="company-", suffix=".part", dir=path.parent)
        os.close(handle)
        try:
            _fill_sample(name)
            with suppress(FileExistsError):  # another process was first; its file is as good
                os.link(name, path)
        finally:
            os.unlink(name)
    except (OSError, DBAPIError) as error:
        why = error.strerror if isinstance(error, OSError) else error.orig
        mend = "make room, or set MOSLM_HOME to a folder that can be written"
        raise ConfigError(f"the sample company cannot be written: {why}", file=str(path), mend=mend) from None


def _fill_sample(file: str) -> None:
    from sqlalchemy import URL, create_engine

    from moslm.tools.sample import SAMPLE_ROWS
    from moslm.tools.schema import metadata

    engine = create_engine(URL.create("sqlite", database=file))
    try:
        with engine.begin() as connection:
            metadata.create_all(connection)
            for table, rows in SAMPLE_ROWS.items():
                connection.execute(table.insert(), rows)
    finally:
        engine.dispose()
