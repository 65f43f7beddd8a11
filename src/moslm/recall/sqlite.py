"""Remembered answers and their counts in one SQLite file, for every process of one machine.

What is kept is written without waiting for the disk, for a power cut may take answers that can be given anew; what is
purged waits for it, for it must not come back.
"""

from __future__ import annotations

import base64
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, fields, replace
from pathlib import Path
from typing import Any, Literal

from moslm.errors import RecallError
from moslm.recall.entries import Entry, How
from moslm.recall.stores import Which
from moslm.recall.tallies import Tally
from moslm.sealing import Sealing
from moslm.wal import open_file

_COLUMNS = ", ".join(each.name for each in fields(Entry))
_PLACES = ", ".join("?" for _ in fields(Entry))
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS answers ({_COLUMNS}, PRIMARY KEY (key));
CREATE INDEX IF NOT EXISTS answers_by_wording ON answers (wording, made) WHERE wording IS NOT NULL;
CREATE INDEX IF NOT EXISTS answers_by_decision ON answers (decision);
CREATE INDEX IF NOT EXISTS answers_by_time ON answers (made);
CREATE TABLE IF NOT EXISTS tallies (
    domain TEXT PRIMARY KEY,
    exact INTEGER NOT NULL DEFAULT 0,
    semantic INTEGER NOT NULL DEFAULT 0,
    saved_usd REAL NOT NULL DEFAULT 0,
    checked INTEGER NOT NULL DEFAULT 0,
    wrong INTEGER NOT NULL DEFAULT 0
);
"""
_TALLY = "domain, exact, semantic, saved_usd, checked, wrong"
_SWEEP = 256
"""Answers kept between two looks for what has expired or is too much."""


class RecallFile:
    """Keeps answers and counts in a file; nothing is opened before it is used.

    Args:
        path: The SQLite file.
        most: Answers that are kept; of more the oldest go.
        busy_seconds: How long another process may hold the file before a statement fails.
        sealing: Encrypts answers and vectors; what else is kept is hashes, names and counts. None keeps all as it is.
    """

    def __init__(
        self, path: str | Path, most: int = 50_000, busy_seconds: float = 1.0, sealing: Sealing | None = None
    ) -> None:
        self._sealing = sealing
        self.path = Path(path)
        self._most, self._busy_seconds = most, busy_seconds
        self._using = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._pid = self._since = 0

    @property
    def place(self) -> str:
        """The file, for people."""
        return str(self.path)

    def find(self, entry_of: Sequence[str], key: str) -> Entry | None:
        """See `Store.find`."""
        with self._open() as db:
            row = db.execute(f"SELECT {_COLUMNS} FROM answers WHERE key = ?", (key,)).fetchone()
        return self._opened(_entry(row)) if row else None

    def alike(self, entry_of: Sequence[str], wording: str, most: int) -> Sequence[Entry]:
        """See `Store.alike`."""
        with self._open() as db:
            query = f"SELECT {_COLUMNS} FROM answers WHERE wording = ? ORDER BY made DESC LIMIT ?"
            rows = db.execute(query, (wording, most)).fetchall()
        return [self._opened(_entry(row)) for row in rows]

    def keep(self, entry: Entry) -> None:
        """See `Store.keep`."""
        with self._open() as db:
            db.execute(f"INSERT OR REPLACE INTO answers ({_COLUMNS}) VALUES ({_PLACES})", astuple(self._sealed(entry)))
            self._since += 1
            if self._since % _SWEEP == 1:
                self._sweep(db)

    def purge(self, which: Which) -> int:
        """See `Store.purge`; returns once it is on disk."""
        chosen = {
            name: value for name in ("tenant", "domain", "decision") if (value := getattr(which, name)) is not None
        }
        where = " AND ".join(f"{name} = ?" for name in chosen) or "1"
        with self._open() as db:
            db.execute("PRAGMA synchronous=FULL")
            try:
                return db.execute(f"DELETE FROM answers WHERE {where}", tuple(chosen.values())).rowcount
            finally:
                db.execute("PRAGMA synchronous=NORMAL")

    def hit(self, domain: str, how: How, saved_usd: float) -> None:
        """Count an answer that was given again."""
        self._count(domain, how, saved_usd)

    def check(self, domain: str, wrong: bool) -> None:
        """Count a hit that was answered again, and whether it was wrong."""
        with self._open() as db:
            db.execute(
                "INSERT INTO tallies (domain, checked, wrong) VALUES (?1, 1, ?2)"
                " ON CONFLICT DO UPDATE SET checked = checked + 1, wrong = wrong + ?2",
                (domain, int(wrong)),
            )

    def forget_checks(self, domain: str | None = None) -> int:
        """Begin to count anew whether hits are wrong, in one domain or in all."""
        with self._open() as db:
            return db.execute(
                "UPDATE tallies SET checked = 0, wrong = 0 WHERE checked > 0 AND (?1 IS NULL OR domain = ?1)", (domain,)
            ).rowcount

    def tally(self, domain: str) -> Tally:
        """Return one domain's counts."""
        with self._open() as db:
            row = db.execute(f"SELECT {_TALLY} FROM tallies WHERE domain = ?", (domain,)).fetchone()
        return Tally(*row) if row else Tally(domain)

    def tallies(self) -> Sequence[Tally]:
        """Return the counts of every domain."""
        with self._open() as db:
            return [Tally(*row) for row in db.execute(f"SELECT {_TALLY} FROM tallies ORDER BY domain").fetchall()]

    def held(self, tenant: str | None = None) -> dict[str, int]:
        """Return how many answers hold now, by domain; of one tenant or of all."""
        with self._open() as db:
            query = (
                "SELECT coalesce(domain, ''), count(*) FROM answers"
                " WHERE expires > ?1 AND (?2 IS NULL OR tenant = ?2) GROUP BY 1 ORDER BY 1"
            )
            return dict(db.execute(query, (time.time(), tenant)).fetchall())

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._using:
            if self._connection is not None and self._pid == os.getpid():
                self._connection.close()
            self._connection = None

    def _sealed(self, entry: Entry) -> Entry:
        if self._sealing is None:
            return entry
        text = self._sealing.seal(entry.text.encode("utf-8", "surrogatepass"), entry.tenant, "recall", entry.key)
        # of a vector the words can be guessed, so it is sealed as they are
        vector = entry.vector and self._sealing.seal(entry.vector, entry.tenant, "recall vector", entry.key)
        return replace(entry, text=base64.b64encode(text).decode(), vector=vector)

    def _opened(self, entry: Entry) -> Entry:
        if self._sealing is None:
            return entry
        plain = self._sealing.open(base64.b64decode(entry.text), entry.tenant, "recall", entry.key)
        vector = entry.vector and self._sealing.open(entry.vector, entry.tenant, "recall vector", entry.key)
        return replace(entry, text=plain.decode("utf-8", "surrogatepass"), vector=vector)

    def _count(self, domain: str, what: Literal["exact", "semantic"], saved_usd: float) -> None:
        with self._open() as db:
            db.execute(
                f"INSERT INTO tallies (domain, {what}, saved_usd) VALUES (?1, 1, ?2)"
                f" ON CONFLICT DO UPDATE SET {what} = {what} + 1, saved_usd = saved_usd + ?2",
                (domain, saved_usd),
            )

    def _sweep(self, db: sqlite3.Connection) -> None:
        db.execute("DELETE FROM answers WHERE expires <= ?", (time.time(),))
        db.execute(
            "DELETE FROM answers WHERE key IN (SELECT key FROM answers ORDER BY made DESC LIMIT -1 OFFSET ?)",
            (self._most,),
        )

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._using:
                if self._connection is None or self._pid != os.getpid():
                    # a connection must not be used after a fork
                    self._connection = open_file(self.path, _SCHEMA, self._busy_seconds)
                    self._connection.execute("PRAGMA synchronous=NORMAL")
                    self._pid = os.getpid()
                yield self._connection
        except (sqlite3.Error, OSError) as error:
            raise RecallError(f"{self.path} cannot be used: {error}; move it away and a new one is made") from error


def _entry(row: Sequence[Any]) -> Entry:
    values = dict(zip((each.name for each in fields(Entry)), row, strict=True))
    return Entry(**{**values, "alone": bool(values["alone"])})
