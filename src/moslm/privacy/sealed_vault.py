"""`SealedVault`: a vault in one SQLite file, every value encrypted under its tenant's key (extra ``encryption``).

AES-256-GCM with tenant, conversation, kind and number as associated data: a row that was altered, or moved to another
tenant or conversation, does not decrypt. Tenants, conversations and values stand in the file as keyed hashes alone; in
clear are how many values there are, of which kind, and when they were kept.
"""

from __future__ import annotations

import hmac
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from moslm.errors import ConfigError, MissingExtraError, VaultError
from moslm.privacy.keys import KeySource
from moslm.privacy.vault import Kept, Value

_SCHEMA = """
CREATE TABLE IF NOT EXISTS vault (format INTEGER NOT NULL, key_check BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS placeholders (
    owner BLOB NOT NULL,
    scope BLOB NOT NULL,
    kind TEXT NOT NULL,
    number INTEGER NOT NULL,
    sameness BLOB NOT NULL,
    sealed BLOB NOT NULL,
    kept_at REAL NOT NULL,
    PRIMARY KEY (scope, kind, number),
    UNIQUE (scope, kind, sameness)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS placeholders_by_owner ON placeholders (owner);
CREATE INDEX IF NOT EXISTS placeholders_by_time ON placeholders (kept_at);
"""
_FORMAT = 1
_NONCE = 12


class SealedVault:
    """A vault on disk, for several processes of one machine.

    Args:
        path: The SQLite file; it and its folder are made on first use, the file readable by its owner alone.
        keys: Where tenants' keys come from.
        busy_seconds: How long another process may hold the file before a call fails.

    Raises:
        MissingExtraError: The extra ``encryption`` is not installed.
        ConfigError: The file was written under another key.
        VaultError: The file cannot be opened, or is of a later version.
    """

    def __init__(self, path: str | Path, keys: KeySource, *, busy_seconds: float = 5.0) -> None:
        self.path = Path(path)
        self._keys = keys
        self._busy_seconds = busy_seconds
        self._tenants: dict[str, _TenantKeys] = {}
        self._connection: sqlite3.Connection | None = None
        self._pid = 0
        self._lock = threading.Lock()
        with self._using() as connection:
            self._check_key(connection)

    def keep(self, tenant: str, conversation: str, values: Sequence[Value]) -> list[int]:
        """Return each value's number; return once new ones are in the file."""
        if not values:
            return []
        own = self._of(tenant)
        with self._using() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                numbers = [self._keep(connection, own, conversation, value) for value in values]
                connection.execute("COMMIT")
            except BaseException:
                connection.execute("ROLLBACK")
                raise
        return numbers

    def value(self, tenant: str, conversation: str, kind: str, number: int) -> str | None:
        """Return what a placeholder stands for."""
        own = self._of(tenant)
        query = "SELECT sealed FROM placeholders WHERE scope = ? AND kind = ? AND number = ?"
        with self._using() as connection:
            row = connection.execute(query, (own.hashed("scope", conversation), kind, number)).fetchone()
        return None if row is None else own.opened(row[0], conversation, kind, number)

    def kept(self, tenant: str, conversation: str) -> list[Kept]:
        """Return everything kept for a conversation."""
        own = self._of(tenant)
        query = "SELECT kind, number, sealed FROM placeholders WHERE scope = ? ORDER BY kind, number"
        with self._using() as connection:
            rows = connection.execute(query, (own.hashed("scope", conversation),)).fetchall()
        return [Kept(kind, number, own.opened(sealed, conversation, kind, number)) for kind, number, sealed in rows]

    def forget(self, tenant: str, conversation: str | None = None) -> None:
        """Delete a conversation's values, or all of a tenant's; their bytes are overwritten."""
        own = self._of(tenant)
        by, what = ("owner", "") if conversation is None else ("scope", conversation)
        with self._using() as connection:
            connection.execute(f"DELETE FROM placeholders WHERE {by} = ?", (own.hashed(by, what),))
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def forget_older(self, seconds: float) -> int:
        """Delete what was kept longer ago than this; return how many values went."""
        with self._using() as connection:
            gone = connection.execute("DELETE FROM placeholders WHERE kept_at < ?", (time.time() - seconds,)).rowcount
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return int(gone)

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None and self._pid == os.getpid():
                connection.close()

    def _keep(self, connection: sqlite3.Connection, own: _TenantKeys, conversation: str, value: Value) -> int:
        scope, same = own.hashed("scope", conversation), own.hashed(f"same {value.kind}", value.sameness)
        found = connection.execute(
            "SELECT number FROM placeholders WHERE scope = ? AND kind = ? AND sameness = ?", (scope, value.kind, same)
        ).fetchone()
        if found:
            return int(found[0])
        last = connection.execute(
            "SELECT max(number) FROM placeholders WHERE scope = ? AND kind = ?", (scope, value.kind)
        ).fetchone()[0]
        number = int(last or 0) + 1
        row = (own.hashed("owner", ""), scope, value.kind, number, same)
        sealed = own.sealed(value.text, conversation, value.kind, number)
        connection.execute("INSERT INTO placeholders VALUES (?, ?, ?, ?, ?, ?, ?)", (*row, sealed, time.time()))
        return number

    def _of(self, tenant: str) -> _TenantKeys:
        if tenant not in self._tenants:
            self._tenants[tenant] = _TenantKeys(tenant, self._keys.data_key(tenant))
        return self._tenants[tenant]

    def _check_key(self, connection: sqlite3.Connection) -> None:
        mine = hmac.digest(self._keys.data_key(""), b"moslm vault", "sha256")
        connection.execute("BEGIN IMMEDIATE")
        row = connection.execute("SELECT format, key_check FROM vault").fetchone()
        if row is None:
            connection.execute("INSERT INTO vault VALUES (?, ?)", (_FORMAT, mine))
        connection.execute("COMMIT")
        if row is not None and row[0] != _FORMAT:
            raise VaultError(f"the vault {self.path} is of format {row[0]}, this version reads {_FORMAT}")
        if row is not None and not hmac.compare_digest(row[1], mine):
            raise ConfigError(
                "was written under another key",
                key="privacy.vault",
                value=str(self.path),
                mend="name that key in key_env or key_file, or another file",
            )

    @contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._opened()
            except (sqlite3.Error, OSError) as error:
                raise VaultError(f"the vault {self.path} cannot be used: {error}") from None

    def _opened(self) -> sqlite3.Connection:
        # a connection must not be carried over a fork
        if self._connection is not None and self._pid == os.getpid():
            return self._connection
        self.path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(
            self.path, timeout=self._busy_seconds, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA secure_delete = ON")
        connection.executescript(_SCHEMA)
        self._connection, self._pid = connection, os.getpid()
        return connection


class _TenantKeys:
    """One tenant's half of the key that encrypts, and its half that hashes."""

    def __init__(self, tenant: str, key: bytes) -> None:
        try:
            from cryptography.exceptions import InvalidTag
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        except ImportError:
            raise MissingExtraError("a vault on disk", "encryption") from None
        if len(key) != 64:
            raise ConfigError(f"the key source gave a key of {len(key)} bytes", key="privacy", mend="64 are needed")
        self._tenant = tenant
        self._cipher: Any = AESGCM(key[:32])
        self._hashing = key[32:]
        self._invalid = InvalidTag

    def hashed(self, purpose: str, text: str) -> bytes:
        return hmac.digest(self._hashing, _joined(purpose, text), "sha256")

    def sealed(self, text: str, conversation: str, kind: str, number: int) -> bytes:
        nonce = os.urandom(_NONCE)
        bound = _joined(self._tenant, conversation, kind, str(number))
        return nonce + bytes(self._cipher.encrypt(nonce, text.encode("utf-8", "surrogatepass"), bound))

    def opened(self, sealed: bytes, conversation: str, kind: str, number: int) -> str:
        bound = _joined(self._tenant, conversation, kind, str(number))
        try:
            plain = bytes(self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], bound))
        except (self._invalid, ValueError, TypeError):
            raise VaultError("a row of the vault was altered, or moved from where it was kept") from None
        return plain.decode("utf-8", "surrogatepass")


def _joined(*parts: str) -> bytes:
    """Join texts so that no two lists of them give the same bytes."""
    raw = [each.encode("utf-8", "surrogatepass") for each in parts]
    return b"".join(len(each).to_bytes(4, "big") + each for each in raw)
