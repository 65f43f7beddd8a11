"""The questions that people were asked: what was shown, until when it may be decided, and who did.

One SQLite file that every process shares that asks or resumes. It holds hashes, names and times: neither what was shown
nor what was said. A question is decided once; who comes second is told what stands.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

from moslm.clock import ANCHORS, Anchor, Clock, SteadyClock, keep_anchor
from moslm.errors import ReviewError
from moslm.wal import open_file

_SCHEMA = """
CREATE TABLE IF NOT EXISTS questions (
    tenant TEXT NOT NULL,
    request TEXT NOT NULL,
    number INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    thread TEXT,
    state TEXT NOT NULL,
    shown_sha256 TEXT NOT NULL,
    asked_at REAL NOT NULL,
    expires_at REAL NOT NULL,
    decision_sha256 TEXT,
    decided_by TEXT,
    role TEXT,
    decided_at REAL,
    PRIMARY KEY (tenant, request, number, attempt)
) WITHOUT ROWID;
"""
KEPT_S = 90 * 86_400.0
"""How long a question is kept after it has expired, seconds: longer than a run is likely to be resumed after it."""
_KEY = "tenant = ? AND request = ? AND number = ? AND attempt = ?"


@dataclass(frozen=True, slots=True)
class Place:
    """Which question of which request.

    Attributes:
        tenant: Whose request it is.
        request: Its id.
        number: Reviews that the request had before.
        attempt: Answers to it that were not carried out.
        thread: The conversation, if any.
    """

    tenant: str
    request: str
    number: int
    attempt: int
    thread: str | None

    @property
    def key(self) -> tuple[str, str, int, int]:
        """What tells it from every other."""
        return self.tenant, self.request, self.number, self.attempt


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it stands.

    Attributes:
        state: ``refused``: its answer did not fit and was not carried out; it was asked again. ``expired``: its answer
            came too late.
        shown_sha256: Hash of what was shown.
        asked_at: When, seconds since the epoch.
        expires_at: Until when it may be decided, likewise.
        decision_sha256: Hash of the decision that stands.
        by: Who made it.
        role: In which role.
        decided_at: When, seconds since the epoch.
    """

    state: Literal["asked", "refused", "decided", "expired"]
    shown_sha256: str
    asked_at: float
    expires_at: float
    decision_sha256: str | None = None
    by: str | None = None
    role: str | None = None
    decided_at: float | None = None


class Questions:
    """Keeps the questions in a file, which is open only while it is used: people are asked seldom.

    Args:
        path: The SQLite file, on a disk of this host.
        busy_seconds: How long another process may hold the file before a call fails.
        clock: Tells the time, given the file's keeper of anchors; by default one that neither jumps nor goes back.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        busy_seconds: float = 5.0,
        clock: Callable[[Callable[[Anchor], Anchor]], Clock] = SteadyClock,
    ) -> None:
        self.path = Path(path)
        self._busy_seconds, self._clock = busy_seconds, clock

    def now(self) -> float:
        """Return the time by which questions in this file stand and expire, seconds since the epoch.

        Raises:
            ReviewError: The file cannot be used.
        """
        with self._opened() as db:
            return self._clock(partial(_anchored, db)).now()

    def find(self, place: Place) -> Asked | None:
        """Return the question at this place; None where nobody was asked.

        Raises:
            ReviewError: The file cannot be read.
        """
        with self._opened() as db:
            row = db.execute(
                "SELECT state, shown_sha256, asked_at, expires_at, decision_sha256, decided_by, role, decided_at"
                f" FROM questions WHERE {_KEY}",
                place.key,
            ).fetchone()
        return None if row is None else Asked(*row)

    def ask(self, place: Place, asked: Asked) -> None:
        """Keep what is shown now; it takes the place of what was shown before.

        Raises:
            ReviewError: The file cannot be written.
        """
        with self._opened() as db:
            db.execute("DELETE FROM questions WHERE expires_at < ?", (asked.asked_at - KEPT_S,))
            db.execute(
                "INSERT OR REPLACE INTO questions (tenant, request, number, attempt, thread, state, shown_sha256,"
                " asked_at, expires_at) VALUES (?, ?, ?, ?, ?, 'asked', ?, ?, ?)",
                (*place.key, place.thread, asked.shown_sha256, asked.asked_at, asked.expires_at),
            )

    def close(self, place: Place, outcome: Asked) -> Asked:
        """Keep how a question ended, once.

        Args:
            place: Which question.
            outcome: The question as it was found, with how it ends and who decided.

        Returns:
            How it stands: ``outcome``, or what somebody else made of it in the meantime.

        Raises:
            ReviewError: The file cannot be written.
        """
        with self._opened() as db:
            won = db.execute(
                "UPDATE questions SET state = ?, decision_sha256 = ?, decided_by = ?, role = ?, decided_at = ?"
                f" WHERE {_KEY} AND state = 'asked' AND shown_sha256 = ?",
                (
                    outcome.state,
                    outcome.decision_sha256,
                    outcome.by,
                    outcome.role,
                    outcome.decided_at,
                    *place.key,
                    outcome.shown_sha256,
                ),
            ).rowcount
        if won:
            return outcome
        return self.find(place) or replace(outcome, state="refused")

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(open_file(self.path, _SCHEMA + ANCHORS, self._busy_seconds)) as db:
                yield db
        except (sqlite3.Error, OSError) as error:
            raise ReviewError(f"the questions to people cannot be kept in {self.path}: {error}") from error


def _anchored(db: sqlite3.Connection, found: Anchor) -> Anchor:
    db.execute("BEGIN IMMEDIATE")
    (seen,) = db.execute("SELECT MAX(MAX(asked_at), MAX(COALESCE(decided_at, 0))) FROM questions").fetchone()
    anchor = keep_anchor(db, found, seen)
    db.execute("COMMIT")
    return anchor
