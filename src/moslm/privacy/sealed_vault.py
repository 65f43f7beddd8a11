"""`SealedVault`: a vault in one SQLite file, every value encrypted under its tenant's key (extra ``encryption``).

Each value is sealed for its tenant, conversation, kind and number: a row that was altered, or moved to another tenant
or conversation, does not open. Tenants, conversations and values stand in the file as keyed hashes and sealed; in clear
are how many values there are, of which kind, and when they were kept. What lies under a key of the past is sealed anew
when its conversation is used, or all of it by `rotate`. Time is that of the file: a clock that is set ages nothing.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from moslm.clock import ANCHORS, Anchor, Clock, SteadyClock, keep_anchor
from moslm.errors import ConfigError, SealError, VaultError
from moslm.privacy.at_rest.seal import Seal
from moslm.privacy.keys import KeySource
from moslm.privacy.vault import Kept, Value
from moslm.wal import open_file

_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS vault (format INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS keys (id BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS conversations (
    scope TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    names BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS placeholders (
    owner TEXT NOT NULL,
    scope TEXT NOT NULL,
    kind TEXT NOT NULL,
    number INTEGER NOT NULL,
    sameness TEXT NOT NULL,
    sealed BLOB NOT NULL,
    kept_at REAL NOT NULL,
    PRIMARY KEY (scope, kind, number),
    UNIQUE (scope, kind, sameness)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS placeholders_by_owner ON placeholders (owner);
CREATE INDEX IF NOT EXISTS placeholders_by_time ON placeholders (kept_at);
{ANCHORS}
"""
_FORMAT = 2
_DAY_S = 86_400.0


class SealedVault:
    """A vault on disk, for several processes of one machine.

    Args:
        path: The SQLite file; it and its folder are made on first use, the file readable by its owner alone.
        keys: Where tenants' keys come from.
        earlier: Those of the past, the newest first: what lies under them still opens.
        keep_s: How long a value is kept, seconds; what is older goes when the file is opened and once a day while it
            is used. None keeps all.
        busy_seconds: How long another process may hold the file before a call fails.
        clock: Tells the time, given the file's keeper of anchors.

    Raises:
        MissingExtraError: The extra ``encryption`` is not installed.
        ConfigError: Something in the file lies under a key that is not given.
        VaultError: The file cannot be opened, or is of another version.
    """

    def __init__(
        self,
        path: str | Path,
        keys: KeySource,
        earlier: Sequence[KeySource] = (),
        *,
        keep_s: float | None = None,
        busy_seconds: float = 5.0,
        clock: Callable[[Callable[[Anchor], Anchor]], Clock] = SteadyClock,
    ) -> None:
        self.path = Path(path)
        self._seal = Seal(keys, earlier)
        self._keep_s, self._busy_seconds, self._make_clock = keep_s, busy_seconds, clock
        self._connection: sqlite3.Connection | None = None
        self._clock: Clock | None = None
        self._pid, self._purged = 0, float("-inf")
        self._lock = threading.Lock()
        with self._using():
            pass

    def keep(self, tenant: str, conversation: str, values: Sequence[Value]) -> list[int]:
        """Return each value's number; return once new ones are in the file."""
        if not values:
            return []
        with self._changing(tenant, conversation) as (db, scope):
            return [self._keep(db, scope, tenant, conversation, value) for value in values]

    def value(self, tenant: str, conversation: str, kind: str, number: int) -> str | None:
        """Return what a placeholder stands for."""
        query = "SELECT sealed FROM placeholders WHERE scope = ? AND kind = ? AND number = ?"
        with self._reading(tenant, conversation) as (db, scope):
            row = db.execute(query, (scope, kind, number)).fetchone()
            return None if row is None else self._opened(row[0], tenant, conversation, kind, number)[0]

    def kept(self, tenant: str, conversation: str) -> list[Kept]:
        """Return everything kept for a conversation."""
        query = "SELECT kind, number, sealed FROM placeholders WHERE scope = ? ORDER BY kind, number"
        with self._reading(tenant, conversation) as (db, scope):
            return [
                Kept(kind, number, self._opened(sealed, tenant, conversation, kind, number)[0])
                for kind, number, sealed in db.execute(query, (scope,)).fetchall()
            ]

    def forget(self, tenant: str, conversation: str | None = None) -> None:
        """Delete a conversation's values, or all of a tenant's; their bytes are overwritten."""
        by = "owner" if conversation is None else "scope"
        names = self._owners(tenant) if conversation is None else self._scopes(tenant, conversation)
        with self._using() as db:
            for table in ("placeholders", "conversations"):
                db.executemany(f"DELETE FROM {table} WHERE {by} = ?", [(name,) for name in names])
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def forget_older(self, seconds: float) -> int:
        """Delete what was kept longer ago than this; return how many values went."""
        with self._using() as db:
            return self._forget_older(db, seconds)

    def rotate(self) -> int:
        """Seal everything under the current key; return how many values were not yet.

        Others may use the file meanwhile. Once it returned, the keys of the past are needed no longer.

        Raises:
            VaultError: A row was altered, or the file cannot be written.
        """
        moved = 0
        with self._using() as db:
            rows = db.execute("SELECT scope, names FROM conversations").fetchall()
            for scope, names in rows:
                tenant, conversation = json.loads(self._seal.open(names, "", "vault", scope))
                if scope != self._scopes(tenant, conversation)[0]:
                    with _transaction(db):
                        moved += self._move(db, scope, tenant, conversation)
            with _transaction(db):
                db.execute("DELETE FROM keys WHERE id <> ?", (self._seal.ids[0],))
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return moved

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None and self._pid == os.getpid():
                connection.close()

    def _keep(self, db: sqlite3.Connection, scope: str, tenant: str, conversation: str, value: Value) -> int:
        same = self._seal.name(tenant, "vault same", value.kind, value.sameness)
        found = db.execute(
            "SELECT number FROM placeholders WHERE scope = ? AND kind = ? AND sameness = ?", (scope, value.kind, same)
        ).fetchone()
        if found:
            return int(found[0])
        last = db.execute(
            "SELECT max(number) FROM placeholders WHERE scope = ? AND kind = ?", (scope, value.kind)
        ).fetchone()[0]
        number = int(last or 0) + 1
        self._note(db, scope, tenant, conversation)
        self._insert(db, scope, tenant, conversation, (value.kind, number, value.text, value.sameness), self._now())
        return number

    def _note(self, db: sqlite3.Connection, scope: str, tenant: str, conversation: str) -> None:
        """Keep, sealed, whose values these are: a hash cannot be turned back, and `rotate` must know."""
        names = self._seal.seal(json.dumps([tenant, conversation]).encode(), "", "vault", scope)
        owner = self._owners(tenant)[0]
        db.execute("INSERT OR IGNORE INTO conversations VALUES (?, ?, ?)", (scope, owner, names))

    def _insert(
        self,
        db: sqlite3.Connection,
        scope: str,
        tenant: str,
        conversation: str,
        what: tuple[str, int, str, str],
        kept_at: float,
    ) -> None:
        kind, number, text, sameness = what
        plain = json.dumps([text, sameness]).encode()
        sealed = self._seal.seal(plain, tenant, "vault", conversation, kind, str(number))
        same = self._seal.name(tenant, "vault same", kind, sameness)
        row = (self._owners(tenant)[0], scope, kind, number, same, sealed, kept_at)
        db.execute("INSERT INTO placeholders VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def _opened(self, sealed: bytes, tenant: str, conversation: str, kind: str, number: int) -> tuple[str, str]:
        text, sameness = json.loads(self._seal.open(sealed, tenant, "vault", conversation, kind, str(number)))
        return text, sameness

    def _move(self, db: sqlite3.Connection, old: str, tenant: str, conversation: str) -> int:
        """Seal a conversation under the current key, inside of a transaction; return how many values it has."""
        new = self._scopes(tenant, conversation)[0]
        rows = db.execute("SELECT kind, number, sealed, kept_at FROM placeholders WHERE scope = ?", (old,)).fetchall()
        db.execute("DELETE FROM placeholders WHERE scope = ?", (old,))
        db.execute("DELETE FROM conversations WHERE scope = ?", (old,))
        if rows:
            self._note(db, new, tenant, conversation)
        for kind, number, sealed, kept_at in rows:
            text, sameness = self._opened(sealed, tenant, conversation, kind, number)
            self._insert(db, new, tenant, conversation, (kind, number, text, sameness), kept_at)
        return len(rows)

    def _owners(self, tenant: str) -> list[str]:
        return self._seal.names(tenant, "vault owner")

    def _scopes(self, tenant: str, conversation: str) -> list[str]:
        return self._seal.names(tenant, "vault scope", conversation)

    @contextmanager
    def _reading(self, tenant: str, conversation: str) -> Iterator[tuple[sqlite3.Connection, str]]:
        with self._using() as db:
            scope, *past = self._scopes(tenant, conversation)
            for old in past:
                if db.execute("SELECT 1 FROM conversations WHERE scope = ?", (old,)).fetchone():
                    with _transaction(db):
                        self._move(db, old, tenant, conversation)
            yield db, scope

    @contextmanager
    def _changing(self, tenant: str, conversation: str) -> Iterator[tuple[sqlite3.Connection, str]]:
        with self._reading(tenant, conversation) as (db, scope), _transaction(db):
            yield db, scope

    def _now(self) -> float:
        assert self._clock is not None
        return self._clock.now()

    def _forget_older(self, db: sqlite3.Connection, seconds: float) -> int:
        gone = db.execute("DELETE FROM placeholders WHERE kept_at < ?", (self._now() - seconds,)).rowcount
        db.execute("DELETE FROM conversations WHERE scope NOT IN (SELECT scope FROM placeholders)")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return int(gone)

    @contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                db = self._connected()
                if self._keep_s is not None and self._now() - self._purged > _DAY_S:
                    self._forget_older(db, self._keep_s)
                    self._purged = self._now()
                yield db
            except SealError as error:
                raise VaultError(f"the vault {self.path}: {error}") from None
            except (sqlite3.Error, OSError) as error:
                raise VaultError(f"the vault {self.path} cannot be used: {error}") from None

    def _connected(self) -> sqlite3.Connection:
        # a connection must not be carried over a fork
        if self._connection is not None and self._pid == os.getpid():
            return self._connection
        db = open_file(self.path, _SCHEMA, self._busy_seconds)
        try:
            db.execute("PRAGMA synchronous = NORMAL")
            db.execute("PRAGMA secure_delete = ON")
            with _transaction(db):
                self._check(db)
            self._clock = self._make_clock(partial(_anchored, db))
        except BaseException:
            db.close()
            raise
        self._connection, self._pid = db, os.getpid()
        return db

    def _check(self, db: sqlite3.Connection) -> None:
        row = db.execute("SELECT format FROM vault").fetchone()
        if row is not None and row[0] != _FORMAT:
            raise VaultError(f"the vault {self.path} is of format {row[0]}, this version reads {_FORMAT}")
        under = {bytes(each) for (each,) in db.execute("SELECT id FROM keys").fetchall()}
        if under - set(self._seal.ids):
            raise ConfigError(
                "was written under another key",
                key="privacy.vault",
                value=str(self.path),
                mend="name that key in key_env or key_file, or under at_rest.earlier_keys, or name another file",
            )
        if row is None:
            db.execute("INSERT INTO vault VALUES (?)", (_FORMAT,))
        db.execute("INSERT OR IGNORE INTO keys VALUES (?)", (self._seal.ids[0],))


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _anchored(db: sqlite3.Connection, found: Anchor) -> Anchor:
    with _transaction(db):
        (seen,) = db.execute("SELECT MAX(kept_at) FROM placeholders").fetchone()
        return keep_anchor(db, found, seen)
