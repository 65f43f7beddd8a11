"""`Child`: one server's process, its log, and its end, which is certain. Knows no protocol and no health.

`Process` is what others need to know of it; a server that runs together with others in one process has another one.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from moslm.serving import keeper
from moslm.serving.machine import descendants, gpu_memory_of, memory_of

GRACE_S = 15.0
"""How long a server may take to end by itself."""
_KILL_S = 5.0
_LOG_KEPT = 256 * 1024
"""Bytes of a log that are looked at, from its end back."""


class Process(Protocol):
    """What runs one server."""

    @property
    def status(self) -> int | None:
        """Exit status; 128 + N where signal N ended it; None while it runs."""

    @property
    def tail(self) -> str:
        """The end of its log."""

    @property
    def problem(self) -> str:
        """Why the server will never answer, though the process runs; empty where nothing is known against it."""

    @property
    def replicas(self) -> str:
        """How many replicas it has, in words; empty where it is one itself."""

    def memory(self) -> tuple[int, int]:
        """Return the main memory and the GPU memory that the server takes, bytes."""

    def ask_to_stop(self) -> None:
        """Ask it to end, without waiting."""

    def stop(self) -> None:
        """End it; returns when it is gone."""


class Child:
    """A running command. It ends with this process, however this process ends.

    Args:
        command: What to run.
        env: What is set beside this process's environment.
        log: File that takes what it writes; what an earlier one wrote is kept beside it, ending in ``.1``.
        grace_s: How long it may take to end after it was asked to.
    """

    def __init__(self, command: Sequence[str], env: Mapping[str, str], log: Path, grace_s: float = GRACE_S) -> None:
        self.log, self._grace_s = log, grace_s
        log.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            # a server that is started again must not take away why it died
            log.replace(log.with_name(f"{log.name}.1"))
        reading, self._pipe = os.pipe()
        kept = [sys.executable, "-I", keeper.__file__, str(reading), str(grace_s), *command]
        try:
            with log.open("wb") as out:
                self._process = subprocess.Popen(
                    kept,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    env={**os.environ, "PYTHONUNBUFFERED": "1", **env},
                    pass_fds=[reading],
                    # Ctrl-C at the terminal is for us alone, and we end the server in order
                    start_new_session=True,
                )
        finally:
            os.close(reading)

    @property
    def pid(self) -> int:
        """Process number of the keeper; the command runs below it."""
        return self._process.pid

    @property
    def status(self) -> int | None:
        """Exit status; 128 + N where signal N ended it; None while it runs."""
        code = self._process.poll()
        return 128 - code if code is not None and code < 0 else code

    @property
    def problem(self) -> str:
        """Nothing: what is wrong shows in its status."""
        return ""

    @property
    def replicas(self) -> str:
        """Nothing: it is one itself."""
        return ""

    @property
    def tail(self) -> str:
        """The end of its log."""
        with self.log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _LOG_KEPT))
            return file.read().decode("utf-8", "replace")

    def memory(self) -> tuple[int, int]:
        """Return the main memory and the GPU memory that it and everything below it take, bytes."""
        pids = descendants(self.pid) - {self.pid}
        return memory_of(pids), gpu_memory_of(pids)

    def ask_to_stop(self) -> None:
        """Ask it to end, without waiting."""
        if self._pipe >= 0:
            os.close(self._pipe)
            self._pipe = -1

    def stop(self) -> None:
        """End it and everything below it; returns when it is gone."""
        self.ask_to_stop()
        try:
            self._process.wait(self._grace_s + _KILL_S)
        except subprocess.TimeoutExpired:
            for pid in descendants(self.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._process.wait()
