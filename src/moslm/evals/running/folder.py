"""`RunFolder`: where a run is kept: its manifest, its outcomes case by case, and a mark when it is finished.

Every outcome is on disk before the next is counted, so a run that is killed goes on where it was. A last line that was
cut off is dropped and named; anything else that cannot be read is refused, because it would be lost.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from moslm.errors import ConfigError
from moslm.evals.outcomes import Outcome
from moslm.evals.people.ratings import read_ratings, with_ratings
from moslm.evals.running.manifest import Manifest

MANIFEST, OUTCOMES, FINISHED = "manifest.json", "outcomes.jsonl", "finished.json"


@dataclass(frozen=True, slots=True)
class Read:
    """A run as it lies on disk."""

    manifest: Manifest
    outcomes: list[Outcome]
    finished: bool
    notice: str = ""
    """What was amiss and did no harm, such as a last line that was cut off."""


class RunFolder:
    """The folder of one run, open for writing.

    Args:
        path: The folder.
        manifest: What it is made from.
        outcomes: Those that were there.
        notice: What was amiss with them and did no harm.
    """

    def __init__(self, path: Path, manifest: Manifest, outcomes: list[Outcome], notice: str, file: int) -> None:
        self.path, self.manifest, self.outcomes, self.notice = path, manifest, outcomes, notice
        self._file, self._lock = file, threading.Lock()

    @property
    def done(self) -> set[tuple[str, str, str]]:
        """The (system, suite, case) of every outcome."""
        return {(each.system, each.suite, each.case) for each in self.outcomes}

    def append(self, outcome: Outcome) -> None:
        """Keep an outcome; it is on disk when this returns."""
        line = (outcome.model_dump_json(exclude_defaults=True) + "\n").encode()
        with self._lock:
            written = 0
            while written < len(line):
                written += os.write(self._file, line[written:])
            os.fsync(self._file)
            self.outcomes.append(outcome)

    def finish(self) -> None:
        """Mark the run as finished."""
        told = {
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "outcomes": len(self.outcomes),
            "outcomes_sha256": hashlib.sha256((self.path / OUTCOMES).read_bytes()).hexdigest(),
        }
        _write(self.path / FINISHED, json.dumps(told, indent=2) + "\n")


@contextmanager
def opened(path: Path, manifest: Manifest) -> Iterator[RunFolder]:
    """Open the folder of a run: a new one, or one that goes on.

    Args:
        path: The folder; it is made where it is not there.
        manifest: What the run is made from; one that goes on keeps the manifest it began with.

    Raises:
        ConfigError: The folder holds another run or something else, somebody else is writing to it, or it cannot be
            written or read.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        strange = sorted(each.name for each in path.iterdir() if not each.name.endswith(".part"))
        if (path / MANIFEST).exists():
            manifest = _same(path, manifest)
        elif strange:
            problem = f"is no folder of a run: it holds {strange[0]} and no {MANIFEST}"
            raise ConfigError(problem, key="--out", value=str(path), mend="name an empty folder, or a new one")
        else:
            _write(path / MANIFEST, manifest.model_dump_json(indent=2) + "\n")
        file = os.open(path / OUTCOMES, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror}", key="--out", value=str(path)) from None
    try:
        _take(file, path)
        outcomes, kept, notice = _outcomes(path / OUTCOMES)
        os.ftruncate(file, kept)
        (path / FINISHED).unlink(missing_ok=True)
        yield RunFolder(path, manifest, outcomes, notice, file)
    finally:
        os.close(file)


def read_run(path: Path) -> Read:
    """Read a run, finished or not, with what people said of its answers.

    Raises:
        ConfigError: It is no folder of a run, or what it holds cannot be read.
    """
    manifest = _manifest(path)
    outcomes, _, notice = _outcomes(path / OUTCOMES)
    rated = with_ratings(outcomes, read_ratings(path))
    return Read(manifest, rated, (path / FINISHED).exists(), notice)


def _take(file: int, path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        mend = "wait for it, or name another folder"
        raise ConfigError("another process is writing to it", key="--out", value=str(path), mend=mend) from None


def _same(path: Path, manifest: Manifest) -> Manifest:
    before = _manifest(path)
    amiss = before.differs_from(manifest)
    if amiss is None:
        return before
    then, now = getattr(before, amiss), getattr(manifest, amiss)
    raise ConfigError(
        f"was begun with another: {str(then)[:80]}, now {str(now)[:80]}",
        file=str(path / MANIFEST),
        key=amiss,
        mend="run it as it was begun, or name another --out",
    )


def _manifest(path: Path) -> Manifest:
    file = path / MANIFEST
    try:
        return Manifest.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        mend = "name the folder that moslm eval --out wrote"
        raise ConfigError("is no folder of a run", file=str(path), mend=mend) from None
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=str(file)) from None
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"])) or None
        raise ConfigError(f"is no manifest of a run: {first['msg']}", file=str(file), key=key) from None


def _outcomes(file: Path) -> tuple[list[Outcome], int, str]:
    """Return the outcomes of a file, how many of its bytes hold them, and what was dropped."""
    try:
        held = file.read_bytes()
    except FileNotFoundError:
        return [], 0, ""
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=str(file)) from None
    whole = held.rfind(b"\n") + 1
    found: dict[tuple[str, str, str], Outcome] = {}
    lines = held[:whole].split(b"\n")[:-1]
    for number, line in enumerate(lines, 1):
        try:
            outcome = Outcome.model_validate_json(line)
        except ValidationError as error:
            mend = "remove the line, and its case is asked again"
            raise ConfigError(
                f"is no outcome: {error.errors()[0]['msg']}", file=f"{file}:{number}", mend=mend
            ) from None
        place = (outcome.system, outcome.suite, outcome.case)
        if place in found:
            problem = f"the case {outcome.case} of {outcome.suite} has an outcome of {outcome.system} already"
            raise ConfigError(problem, file=f"{file}:{number}", mend="remove one of the lines")
        found[place] = outcome
    cut = f"{file}:{len(lines) + 1} was cut off while it was written; its case is asked again" if held[whole:] else ""
    return list(found.values()), whole, cut


def _write(file: Path, text: str) -> None:
    """Write a small file whole or not at all."""
    part = file.with_name(file.name + ".part")
    with part.open("w", encoding="utf-8") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
    os.replace(part, file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
