"""A SQLite file that threads and processes share: write-ahead mode, readable by its owner alone.

Knows files and locks; nothing of what is kept in them.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path


def open_file(path: Path, schema: str, busy_seconds: float = 5.0) -> sqlite3.Connection:
    """Open a file, making it and its folder where they are not there.

    Args:
        path: The file; its folder must be on a disk of this host, because write-ahead mode does not work over a
            network.
        schema: Statements that make what is missing.
        busy_seconds: How long another process may hold the file before a statement fails.

    Returns:
        A connection in autocommit mode that several threads may use in turn; every commit is synced.

    Raises:
        sqlite3.Error: It is no such file, or cannot be locked.
        OSError: The folder or the file cannot be made.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # made here so that nobody else may read it; SQLite gives its companions the same rights
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    connection = sqlite3.connect(path, timeout=busy_seconds, isolation_level=None, check_same_thread=False)
    try:
        _write_ahead(connection, busy_seconds)
        connection.execute("PRAGMA synchronous=FULL")
        connection.executescript(f"BEGIN IMMEDIATE; {schema} COMMIT;")
    except BaseException:
        connection.close()
        raise
    return connection


def _write_ahead(connection: sqlite3.Connection, busy_seconds: float) -> None:
    deadline = time.monotonic() + busy_seconds
    while True:
        try:
            with closing(connection.execute("PRAGMA journal_mode=WAL")) as cursor:
                (mode,) = cursor.fetchone()
            break
        except sqlite3.OperationalError as error:
            # SQLite does not wait for this lock by itself: two processes may open a new file at once
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
    if mode != "wal":
        raise sqlite3.OperationalError("its folder does not allow write-ahead logging")
