"""The ledger in one SQLite file, for every process of one machine.

A reservation is synced to the disk before the call is made, so that no crash and no power cut can lose it. What comes
after it is written without waiting for the disk: a process that is killed loses nothing of it, and a power cut leaves
the reservation, which is then booked in full.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from moslm.budgets.caps import Line
from moslm.budgets.holders import is_gone, this_process
from moslm.budgets.purchases import NOTHING, Amount, AtCap, Bought, Hold, Purchase, Underway, Verdict
from moslm.budgets.stores import LAPSE_S, Spent, Total
from moslm.clock import ANCHORS, Anchor, Clock, SteadyClock, boot_id, keep_anchor
from moslm.errors import LedgerError
from moslm.wal import open_file

_SCHEMA = """
CREATE TABLE IF NOT EXISTS purchases (
    key TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    state TEXT NOT NULL,
    boot TEXT NOT NULL,
    holder TEXT NOT NULL,
    tenant TEXT NOT NULL,
    user TEXT,
    conversation TEXT,
    request TEXT NOT NULL,
    domain TEXT,
    model TEXT NOT NULL,
    opened REAL NOT NULL,
    lapses REAL NOT NULL,
    nanos INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    most_nanos INTEGER NOT NULL,
    most_tokens INTEGER NOT NULL,
    known INTEGER,
    counters TEXT NOT NULL,
    answer BLOB,
    answer_until REAL,
    PRIMARY KEY (key, attempt)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS purchases_open ON purchases (lapses) WHERE state IN ('reserved', 'sent');
CREATE INDEX IF NOT EXISTS purchases_answers ON purchases (answer_until) WHERE answer IS NOT NULL;
CREATE TABLE IF NOT EXISTS counters (
    cap TEXT NOT NULL,
    subject TEXT NOT NULL,
    start INTEGER NOT NULL,
    taken INTEGER NOT NULL,
    PRIMARY KEY (cap, subject, start)
) WITHOUT ROWID;
"""
_OPEN = "state IN ('reserved', 'sent')"


class SQLiteStore:
    """Keeps the ledger in a file.

    Args:
        path: The SQLite file; nothing is opened before it is used.
        answers_s: How long the answer of a paid step is kept, seconds.
        clock: Tells the time, given the file's keeper of anchors; by default one that neither jumps nor goes back.
        synced: Whether a reservation waits for the disk before the call is made. Without it a power cut, though no
            killed process, may lose the last purchases.
        busy_seconds: How long another process may hold the file before a purchase fails.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        answers_s: float = 3600.0,
        clock: Callable[[Callable[[Anchor], Anchor]], Clock] = SteadyClock,
        synced: bool = True,
        busy_seconds: float = 5.0,
    ) -> None:
        self._synced = synced
        self.path = Path(path)
        self._answers_s, self._make_clock, self._busy_seconds = answers_s, clock, busy_seconds
        self._using = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._clock: Clock | None = None
        self._pid = 0

    def now(self) -> float:
        """Return the time by which this file counts; see `Store.now`."""
        with self._using, self._failing("read"):
            self._opened()
            assert self._clock is not None
            return self._clock.now()

    def reserve(self, purchase: Purchase, lines: Sequence[Line], now: float) -> Verdict:
        """See `Store.reserve`."""
        with self._transaction(synced=True) as db:
            self._lapse(db, now)
            attempt, verdict = _earlier(db, purchase.key, now)
            if verdict is not None:
                return verdict
            taken = [_taken(db, line) for line in lines]
            standings = tuple(line.standing(*each) for line, each in zip(lines, taken, strict=True))
            for line, each, standing in zip(lines, taken, standings, strict=True):
                if not line.allows(*each):
                    return AtCap(standing, standings)
            for line in lines:
                _add(db, line.cap.name, line.subject, line.start, line.amount)
            _insert(db, purchase, attempt, lines, now)
            _forget(db, now)
            return Hold(purchase.key, attempt, purchase.most, standings)

    def sending(self, hold: Hold) -> bool:
        """See `Store.sending`."""
        query = "UPDATE purchases SET state = 'sent' WHERE key = ? AND attempt = ? AND state = 'reserved'"
        with self._transaction() as db:
            return db.execute(query, (hold.key, hold.attempt)).rowcount == 1

    def settle(self, hold: Hold, spent: Spent, answer: bytes | None) -> None:
        """See `Store.settle`."""
        with self._transaction() as db:
            until = None if answer is None else self.now() + self._answers_s
            _book(db, hold.key, hold.attempt, "settled", spent, answer, until)

    def release(self, hold: Hold) -> None:
        """See `Store.release`."""
        with self._transaction() as db:
            _book(db, hold.key, hold.attempt, "released", Spent(NOTHING))

    def count(self, lines: Sequence[Line]) -> None:
        """See `Store.count`."""
        with self._transaction() as db:
            for line in lines:
                _add(db, _requests(line), line.subject, line.start, 1)

    def taken(self, lines: Sequence[Line]) -> list[tuple[int, int]]:
        """See `Store.taken`."""
        with self._using, self._failing("read"):
            db = self._opened()
            return [_taken(db, line) for line in lines]

    def total(self) -> Total:
        """See `Store.total`."""
        query = (
            "SELECT COALESCE(SUM(nanos * closed), 0), COALESCE(SUM(tokens * closed), 0),"
            " COALESCE(SUM(calls * closed), 0), COUNT(*) FILTER (WHERE known = 0),"
            " COALESCE(SUM(nanos * (1 - closed)), 0)"
            f" FROM (SELECT *, NOT ({_OPEN}) AS closed FROM purchases)"
        )
        with self._using, self._failing("read"):
            return Total(*self._opened().execute(query).fetchone())

    def close(self) -> None:
        """See `Store.close`."""
        with self._using:
            connection, self._connection = self._connection, None
            if connection is not None and self._pid == os.getpid():
                connection.close()

    def _lapse(self, db: sqlite3.Connection, now: float) -> None:
        """Close what gone holders left: given back where nothing was sent, else booked in full.

        Of an earlier boot nobody knows what was sent, because that note is not synced.
        """
        query = f"SELECT key, attempt, state, boot, holder, lapses, nanos, tokens, calls FROM purchases WHERE {_OPEN}"
        for key, attempt, state, boot, holder, lapses, *most in db.execute(query).fetchall():
            rebooted = boot != boot_id()
            if lapses >= now and not rebooted and not is_gone(holder):
                continue
            if state == "reserved" and not rebooted:
                _book(db, key, attempt, "released", Spent(NOTHING))
            else:
                _book(db, key, attempt, "lapsed", Spent(Amount(*most), known=False))

    def _opened(self) -> sqlite3.Connection:
        # a connection must not be used across a fork: the child opens its own
        if self._connection is None or self._pid != os.getpid():
            self._connection, self._pid = open_file(self.path, _SCHEMA + ANCHORS, self._busy_seconds), os.getpid()
            self._clock = self._make_clock(self._anchored)
        return self._connection

    def _anchored(self, found: Anchor) -> Anchor:
        """Keep the first anchor of each boot; a new boot begins no earlier than the last one was seen."""
        assert self._connection is not None
        db = self._connection
        db.execute("BEGIN IMMEDIATE")
        try:
            (seen,) = db.execute("SELECT MAX(opened) FROM purchases").fetchone()
            anchor = keep_anchor(db, found, seen)
            db.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                db.execute("ROLLBACK")
            raise
        return anchor

    @contextmanager
    def _transaction(self, *, synced: bool = False) -> Iterator[sqlite3.Connection]:
        with self._using, self._failing("written"):
            db = self._opened()
            db.execute(f"PRAGMA synchronous={'FULL' if synced and self._synced else 'NORMAL'}")
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    db.execute("ROLLBACK")
                raise

    @contextmanager
    def _failing(self, what: str) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise LedgerError(f"the ledger {self.path} cannot be {what}: {error}") from error


def _earlier(db: sqlite3.Connection, key: str, now: float) -> tuple[int, Verdict | None]:
    """Return the number of the attempt that begins now, or what an earlier one under this key says to it."""
    query = (
        "SELECT attempt, state, lapses, answer, answer_until FROM purchases WHERE key = ? ORDER BY attempt DESC LIMIT 1"
    )
    row = db.execute(query, (key,)).fetchone()
    if row is None:
        return 1, None
    attempt, state, lapses, answer, until = row
    if state in ("reserved", "sent"):
        return attempt, Underway(lapses)
    if answer is not None and until > now:
        return attempt, Bought(answer)
    return attempt + 1, None


def _insert(db: sqlite3.Connection, purchase: Purchase, attempt: int, lines: Sequence[Line], now: float) -> None:
    payer, most = purchase.payer, purchase.most
    counters = [[line.cap.name, line.subject, line.start, line.cap.unit] for line in lines]
    db.execute(
        "INSERT INTO purchases VALUES (?,?,'reserved',?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,NULL,?,NULL,NULL)",
        (
            *(purchase.key, attempt, boot_id(), this_process()),
            *(payer.tenant, payer.user, payer.conversation, payer.request, payer.domain),
            *(purchase.model, now, now + purchase.seconds + LAPSE_S),
            *(most.nanos, most.tokens, most.calls, most.nanos, most.tokens, json.dumps(counters)),
        ),
    )


def _book(
    db: sqlite3.Connection,
    key: str,
    attempt: int,
    state: str,
    spent: Spent,
    answer: bytes | None = None,
    until: float | None = None,
) -> None:
    """Close a purchase: on every counter and in its own row, what was spent takes the place of what stood there.

    What lapsed was booked without its holder's word, so a late word still counts; any other end is the last one.
    """
    row = db.execute(
        "SELECT state, nanos, tokens, calls, counters FROM purchases WHERE key = ? AND attempt = ?", (key, attempt)
    ).fetchone()
    if row is None or row[0] not in ("reserved", "sent", "lapsed") or (row[0] == "lapsed" and state != "settled"):
        return
    stood, now = Amount(*row[1:4]), spent.amount
    for cap, subject, start, unit in json.loads(row[4]):
        _add(db, cap, subject, start, now.of(unit) - stood.of(unit))
    db.execute(
        "UPDATE purchases SET state = ?, nanos = ?, tokens = ?, calls = ?, known = ?, answer = ?, answer_until = ?"
        " WHERE key = ? AND attempt = ?",
        (state, now.nanos, now.tokens, now.calls, int(spent.known), answer, until, key, attempt),
    )


def _add(db: sqlite3.Connection, cap: str, subject: str, start: int, amount: int) -> None:
    db.execute(
        "INSERT INTO counters VALUES (?1, ?2, ?3, ?4)"
        " ON CONFLICT (cap, subject, start) DO UPDATE SET taken = taken + excluded.taken",
        (cap, subject, start, amount),
    )


def _taken(db: sqlite3.Connection, line: Line) -> tuple[int, int]:
    if not line.slices:
        return _sum(db, line.cap.name, line.subject, line.start), 0
    return (
        _sum(db, line.cap.name, line.subject, line.slices[0]),
        _sum(db, _requests(line), line.subject, line.slices[0]),
    )


def _sum(db: sqlite3.Connection, cap: str, subject: str, since: int) -> int:
    query = "SELECT COALESCE(SUM(taken), 0) FROM counters WHERE cap = ? AND subject = ? AND start >= ?"
    (found,) = db.execute(query, (cap, subject, since)).fetchone()
    return int(found)


def _requests(line: Line) -> str:
    return f"{line.cap.name}#requests"


def _forget(db: sqlite3.Connection, now: float) -> None:
    """Drop the words of answers that are no longer kept; what was paid for them stays."""
    db.execute(
        "UPDATE purchases SET answer = NULL, answer_until = NULL WHERE answer IS NOT NULL AND answer_until < ?", (now,)
    )
