"""What was seen of the drafts served so far, in one SQLite file that every process of this home shares.

A row holds the text that stands for one calibration and domain. A restart forgets nothing, and several workers watch
one stream together. Knows nothing of what the text means.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS drift (
    version TEXT NOT NULL, domain TEXT NOT NULL, state TEXT NOT NULL, PRIMARY KEY (version, domain)
)
"""
_BUSY_SECONDS = 2.0


class DriftFile:
    """The file; it is opened for every use, so that it may be shared between threads, forks and processes.

    Every method raises ``sqlite3.Error`` or ``OSError`` where the file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self, version: str, domain: str) -> str | None:
        """Return what stands there, or None; reading makes no file."""
        if not self.path.exists():
            return None
        with self._opened() as connection:
            return _found(connection, version, domain)

    def exchange(self, version: str, domain: str, advance: Callable[[str | None], str]) -> None:
        """Replace what stands there, while no other process can."""
        with self._opened() as connection:
            connection.execute("BEGIN IMMEDIATE")
            state = advance(_found(connection, version, domain))
            connection.execute("INSERT OR REPLACE INTO drift VALUES (?, ?, ?)", (version, domain, state))
            connection.execute("COMMIT")

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        with closing(sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None)) as connection:
            # a power failure may cost the last drafts seen; waiting for the disk would cost every request
            connection.execute("PRAGMA synchronous=OFF")
            connection.execute(_SCHEMA)
            yield connection


def _found(connection: sqlite3.Connection, version: str, domain: str) -> str | None:
    row = connection.execute("SELECT state FROM drift WHERE version = ? AND domain = ?", (version, domain)).fetchone()
    return str(row[0]) if row else None
