"""The audit log: every closed Decision, on disk before its answer is acknowledged.

One SQLite file in write-ahead mode with ``synchronous=FULL``: `AuditLog.append` returns after the record has been
synced, and any number of threads and processes may append at once. Threads that append at the same moment share one
transaction, hence one sync. Records are appended and read, never changed.

Where a `Sealing` is given, the record itself is encrypted; what decisions are searched by (id, moment, tenant, domain,
action, outcome, confidence, cost) stays readable in its columns.

It knows the record's shape and how to search it; what it means is `moslm.governance.explanation`'s.
"""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from moslm.clock import ANCHORS, Anchor, Clock, SteadyClock, keep_anchor
from moslm.decision import Decision
from moslm.errors import AlreadyClosed, AuditError, SealError
from moslm.sealing import Sealing
from moslm.wal import open_file

_SCHEMA = """
CREATE TABLE IF NOT EXISTS decisions (
    id TEXT PRIMARY KEY,
    closed_at TEXT NOT NULL,
    tenant TEXT NOT NULL,
    domain TEXT,
    action TEXT NOT NULL,
    outcome TEXT NOT NULL,
    confidence REAL,
    cost_usd REAL NOT NULL,
    record TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS decisions_by_time ON decisions (closed_at);
"""

_DAY_S = 86_400.0

_Row = tuple[str, str, str, str | None, str, str, float | None, float, str | bytes]


@dataclass(frozen=True, kw_only=True)
class Filters:
    """Which decisions to list; what is None does not narrow."""

    tenant: str | None = None
    domain: str | None = None
    outcome: str | None = None
    action: str | None = None
    trigger: str | None = None
    """Name of a trigger that fired."""
    since: datetime | None = None
    """Closed at this moment or later; a moment without a zone is UTC."""
    until: datetime | None = None
    """Closed before this moment."""
    below_confidence: float | None = None
    """Drafts below this confidence; an unknown one counts as low."""
    limit: int | None = 50
    """The newest so many; None lists all."""


class AuditLog:
    """The durable record of every decision, in one SQLite file.

    Nothing is opened before it is used; the folder and the file are made then, readable by their owner alone.

    Args:
        path: The SQLite file; its folder must be on a disk of this host, because write-ahead mode does not work over a
            network.
        busy_seconds: How long another process may hold the file before an append fails.
        sealing: Encrypts each record; a record that was not encrypted is not read then.
        keep_s: How long a record is kept, seconds; older ones go with the first append, and with one a day. None keeps
            all.
        clock: Tells the time by which they are old, given the file's keeper of anchors.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        busy_seconds: float = 5.0,
        sealing: Sealing | None = None,
        keep_s: float | None = None,
        clock: Callable[[Callable[[Anchor], Anchor]], Clock] = SteadyClock,
    ) -> None:
        self.path = Path(path)
        self._keep_s, self._make_clock, self._forgotten = keep_s, clock, float("-inf")
        self._sealing = sealing
        self._refused: AuditError | None = None
        self._busy_seconds = busy_seconds
        self._connection: sqlite3.Connection | None = None
        self._pid = 0
        self._using = threading.Lock()
        self._queueing = threading.Lock()
        self._queue: list[_Append] = []

    def append(self, decision: Decision) -> None:
        """Keep a closed decision; return once it is on disk.

        The same record twice is kept once.

        Raises:
            AlreadyClosed: Another record stands under this id.
            AuditError: The file cannot be written.
        """
        plain = decision.model_dump_json()
        record: str | bytes = plain
        if self._sealing is not None:
            record = self._sealing.seal(plain.encode(), decision.tenant, "audit", decision.id)
        mine = _Append(_row(decision, record), plain)
        with self._queueing:
            self._queue.append(mine)
        with self._using:
            if not mine.done:
                self._write_queue()
        if mine.error is not None:
            raise mine.error

    async def aappend(self, decision: Decision) -> None:
        """Do as `append` does without holding up the event loop."""
        await asyncio.to_thread(self.append, decision)

    def get(self, id: str, tenant: str | None = None) -> Decision:
        """Return one decision by its id or the beginning of it.

        Args:
            id: What its id begins with.
            tenant: Whose it must be; another's is no more found than one that does not exist.

        Raises:
            AuditError: No record begins so, or several do.
        """
        query = (
            "SELECT id, tenant, record FROM decisions WHERE id >= ?1 AND id < ?1 || char(0x10FFFF)"
            " AND (?2 IS NULL OR tenant = ?2) ORDER BY id LIMIT 2"
        )
        with self._using, self._reading() as connection:
            rows = connection.execute(query, (id, tenant)).fetchall() if connection and id else []
        if not rows:
            raise AuditError(f"no decision begins with {id!r}; run: moslm log")
        if len(rows) > 1 and rows[0][0] != id:
            raise AuditError(
                f"several decisions begin with {id!r}, such as {rows[0][0]} and {rows[1][0]}; write more of it"
            )
        return self._decision(*rows[0])

    def list(self, filters: Filters = Filters()) -> Sequence[Decision]:
        """Return the decisions that pass every filter, the newest first.

        Raises:
            AuditError: The file cannot be read, or a record is not one of this version.
        """
        where, values = _where(filters)
        query = f"SELECT id, tenant, record FROM decisions WHERE {where} ORDER BY closed_at DESC, id DESC LIMIT ?"
        with self._using, self._reading() as connection:
            limit = -1 if filters.limit is None else filters.limit
            rows = connection.execute(query, (*values, limit)).fetchall() if connection else []
        return [self._decision(*row) for row in rows]

    def spent_usd(self) -> float:
        """Return what all decisions ever made cost, US dollars.

        Raises:
            AuditError: The file cannot be read.
        """
        with self._using, self._reading() as connection:
            row = connection.execute("SELECT SUM(cost_usd) FROM decisions").fetchone() if connection else (None,)
        return float(row[0] or 0.0)

    def check(self) -> None:
        """Prove that a record could be written now, without writing one.

        Raises:
            AuditError: It could not.
        """
        with self._using, self._failing("written"):
            connection = self._opened()
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")

    def check_newest(self) -> None:
        """Prove that the newest record can be read; a file that is not there yet is none the worse.

        Raises:
            AuditError: It was written under another key, in clear or, where nothing is encrypted here, encrypted.
        """
        query = "SELECT id, tenant, record FROM decisions ORDER BY closed_at DESC LIMIT 1"
        with self._using, self._reading() as connection:
            row = connection.execute(query).fetchone() if connection else None
        if row is not None:
            self._plain(*row)

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._using:
            connection, self._connection = self._connection, None
            if connection is not None and self._pid == os.getpid():
                connection.close()

    def _write_queue(self) -> None:
        """Write what every waiting thread wants kept, in one transaction; whoever holds ``_using`` does it for all."""
        with self._queueing:
            batch, self._queue = self._queue, []
        try:
            with self._failing("written"):
                self._write(batch)
        except AuditError as error:
            for each in batch:
                each.error = AuditError(str(error))
        except BaseException:
            # an interrupt in this thread: the others must not take their records for kept
            for each in batch:
                each.error = AuditError(f"audit log {self.path}: the write was interrupted")
            raise
        finally:
            for each in batch:
                each.done = True

    def _write(self, batch: Sequence[_Append]) -> None:
        connection = self._opened()
        connection.execute("BEGIN IMMEDIATE")
        try:
            for each in batch:
                each.error = self._insert(connection, each)
            if self._keep_s is not None:
                self._forget(connection, self._keep_s)
            connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise

    def _opened(self) -> sqlite3.Connection:
        # a connection must not be used across a fork: the child opens its own
        if self._connection is None or self._pid != os.getpid():
            self._connection, self._pid = open_file(self.path, _SCHEMA + ANCHORS, self._busy_seconds), os.getpid()
            self._connection.execute("PRAGMA secure_delete=ON")
            # what narrows by the record's content asks for it opened; weakly, because a log that its own connection
            # holds is never let go, nor the file
            held = weakref.ref(self)
            self._connection.create_function("opened", 3, lambda *each: _alive(held)._for_query(*each))
        return self._connection

    def _forget(self, connection: sqlite3.Connection, keep_s: float) -> None:
        """Delete what is too old, once a day, inside of a transaction; its bytes are overwritten."""
        now = self._make_clock(lambda found: keep_anchor(connection, found, None)).now()
        if now - self._forgotten > _DAY_S:
            before = datetime.fromtimestamp(now - keep_s, UTC).isoformat(timespec="milliseconds")
            connection.execute("DELETE FROM decisions WHERE closed_at < ?", (before,))
            self._forgotten = now

    def _insert(self, connection: sqlite3.Connection, mine: _Append) -> AuditError | None:
        """Insert one row; return what is wrong with it alone, so that the rest of the batch is still kept."""
        id, row = mine.row[0], mine.row
        cursor = connection.execute("INSERT INTO decisions VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT (id) DO NOTHING", row)
        if cursor.rowcount == 1:
            return None
        tenant, record = connection.execute("SELECT tenant, record FROM decisions WHERE id = ?", (id,)).fetchone()
        try:
            kept = self._plain(id, tenant, record)
        except AuditError as error:
            return error
        if json.loads(kept) == json.loads(mine.plain):
            return None
        return AlreadyClosed(
            f"decision {id} is already in the audit log with another content; a record is never replaced", kept
        )

    def _decision(self, id: str, tenant: str, record: str | bytes) -> Decision:
        try:
            return Decision.model_validate_json(self._plain(id, tenant, record))
        except ValidationError as error:
            where = ".".join(map(str, error.errors()[0]["loc"]))
            raise AuditError(f"the record {id} in the audit log is not one this version reads (at {where})") from None

    def _plain(self, id: str, tenant: str, record: str | bytes) -> str:
        """Return a record as it was written, or refuse it."""
        if self._sealing is None:
            if isinstance(record, str):
                return record
            raise AuditError(f"the record {id} in the audit log is encrypted; set at_rest.seal and name its key")
        if isinstance(record, str):
            raise AuditError(
                f"the record {id} in the audit log was never encrypted, and is not read; name a new audit_file"
            )
        try:
            return self._sealing.open(record, tenant, "audit", id).decode()
        except SealError as error:
            raise AuditError(f"the record {id} in the audit log is refused: {error}") from None

    def _for_query(self, record: str | bytes, tenant: str, id: str) -> str:
        try:
            return self._plain(id, tenant, record)
        except AuditError as error:
            self._refused = error  # SQLite says only that a function failed
            raise

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection | None]:
        """Give the connection, or None where nothing has ever been written: reading makes no file."""
        with self._failing("read"):
            yield self._opened() if self.path.exists() else None

    @contextmanager
    def _failing(self, what: str) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            refused, self._refused = self._refused, None
            if refused is not None:
                raise refused from None
            raise AuditError(
                f"the audit log {self.path} cannot be {what}: {error}; mend it or set audit_file to another place"
            ) from error


def _alive(held: weakref.ref[AuditLog]) -> AuditLog:
    log = held()
    assert log is not None  # whoever asks its connection holds it
    return log


class _Append:
    """One record that waits to be written."""

    __slots__ = ("done", "error", "plain", "row")

    def __init__(self, row: _Row, plain: str) -> None:
        self.row, self.plain = row, plain
        self.done = False
        self.error: AuditError | None = None


def _row(decision: Decision, record: str | bytes) -> _Row:
    return (
        decision.id,
        _moment(decision.closed_at),
        decision.tenant,
        decision.domain,
        decision.action,
        decision.outcome,
        decision.confidence,
        decision.cost.spent_usd,
        record,
    )


def _moment(value: str | datetime) -> str:
    """Write a moment so that texts sort as moments do."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        raise AuditError(f"a decision closed at {value!r} cannot be kept: that is no ISO 8601 moment") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


def _where(filters: Filters) -> tuple[str, list[object]]:
    since = None if filters.since is None else _moment(filters.since)
    until = None if filters.until is None else _moment(filters.until)
    opened = "opened(decisions.record, decisions.tenant, decisions.id)"  # json_each has an id of its own
    fired = f"SELECT 1 FROM json_each({opened}, '$.reasons') WHERE json_extract(value, '$.trigger') = ?"
    unknown = f"confidence IS NULL AND json_array_length({opened}, '$.drafts') > 0"
    clauses = {
        "tenant = ?": filters.tenant,
        "domain = ?": filters.domain,
        "outcome = ?": filters.outcome,
        "action = ?": filters.action,
        f"EXISTS ({fired})": filters.trigger,
        "closed_at >= ?": since,
        "closed_at < ?": until,
        f"(confidence < ? OR ({unknown}))": filters.below_confidence,
    }
    chosen = {clause: value for clause, value in clauses.items() if value is not None}
    return " AND ".join(chosen) or "TRUE", list(chosen.values())
