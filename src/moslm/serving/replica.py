"""`Replica`: one server from its start to its end: adopted or started, loading, healthy, unwell, dead, started again.

It is told what was seen of it and what time it is; it owns its process. Knows no terminal and no other replica.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from moslm.serving.child import Child, Process
from moslm.serving.launching import Launch
from moslm.serving.looking import Load, Seen
from moslm.serving.reasons import last_lines, why

State = Literal["new", "loading", "healthy", "unwell", "restarting", "failed", "stopped"]

_MISSES = 3
"""Looks in a row that must fail before a healthy server counts as unwell."""
_PAUSE_S = 1.0
"""Before the first restart; each further one waits twice as long."""


@dataclass(slots=True)
class Figures:
    """What is measured of a replica."""

    tokens_per_s: float | None = None
    running: int = 0
    waiting: int = 0
    memory: int = 0
    """Main memory, bytes; 0 where it is not ours."""
    gpu_memory: int = 0
    replicas: str = ""
    """How many replicas it has, in words, where others look after them; then nothing is known of their work."""


Start = Callable[[Launch, Path], Process]
"""Starts what a launch describes; its log goes to the file."""


def start_child(launch: Launch, log: Path) -> Child:
    """Start a replica as a process of its own."""
    return Child(launch.command, dict(launch.env) | ({"VLLM_API_KEY": launch.key} if launch.key else {}), log)


class Replica:
    """One replica of a server.

    Args:
        launch: How it is started.
        log: File that takes its log.
        clock: Seconds that only go forward.
        start: How its process is started.
    """

    def __init__(self, launch: Launch, log: Path, clock: Callable[[], float], start: Start = start_child) -> None:
        self.launch, self.log, self._starts = launch, log, start
        self.state: State = "new"
        self.adopted = False
        """Whether it ran before us; then it is never ended."""
        self.reason = ""
        """Why it failed, is unwell or is started again; one line."""
        self.restarted = 0
        self.figures = Figures()
        self._clock = clock
        self._child: Process | None = None
        self._since = clock()
        self._misses = 0
        self._load: tuple[float, float] | None = None

    @property
    def seconds(self) -> float:
        """How long it has been in this state."""
        return self._clock() - self._since

    @property
    def child(self) -> Process | None:
        """Its process; None where it is not ours or not there."""
        return self._child

    def tail(self, count: int) -> list[str]:
        """Return the last lines of its log."""
        return last_lines(self._child.tail, count) if self._child else []

    def begin(self, seen: Seen) -> None:
        """Adopt the server that runs there already, or start one where nobody is."""
        if seen.problem is None:
            lacks = [name for name in self.launch.models if name not in seen.models]
            if lacks:
                serves = ", ".join(seen.models) or "nothing"
                self._fail(f"port {self.launch.port} is taken by a server of other models ({serves})")
                return
            self.adopted = True
            self._become("healthy")
        elif not self.launch.shares_port and _is_taken(self.launch.base_url):
            self._fail(f"port {self.launch.port} is taken: what answers there {_as_predicate(seen.problem)}")
        else:
            self._start()

    def step(self, seen: Seen | None) -> None:
        """Take note of what was seen of it, and of whether its process is still there."""
        if self.state in ("failed", "stopped", "new"):
            return
        if self.state == "restarting":
            if self.seconds >= _PAUSE_S * 2 ** (self.restarted - 1):
                self._start()
            return
        if self._child is not None and self._child.status is not None:
            self._died(self._child)
        elif self._child is not None and self._child.problem:
            self._fail(self._child.problem)
        elif seen is not None and seen.problem is None and set(self.launch.models) <= set(seen.models):
            self._misses = 0
            if self.state != "healthy":
                self.reason = ""
                self._become("healthy")
        elif self.state == "loading":
            self._has_time()
        elif seen is not None:
            gone = [name for name in self.launch.models if name not in seen.models]
            self._missed(seen.problem or f"no longer serves {', '.join(gone)}")

    def measured(self, load: Load | None) -> None:
        """Take note of how busy it says it is, and of the memory it takes."""
        now, figures = self._clock(), self.figures
        if load is not None:
            figures.running, figures.waiting = load.running, load.waiting
            if self._load is not None and now > self._load[0] and load.written >= self._load[1]:
                figures.tokens_per_s = (load.written - self._load[1]) / (now - self._load[0])
            self._load = (now, load.written)
        if self._child is not None:
            figures.memory, figures.gpu_memory = self._child.memory()
            figures.replicas = self._child.replicas

    def ask_to_stop(self) -> None:
        """Ask its process to end, if it is ours."""
        if self._child is not None:
            self._child.ask_to_stop()

    def stop(self) -> None:
        """End its process if it is ours, and wait until it is gone."""
        if self._child is not None:
            self._child.stop()
        if self.state != "failed":
            self._become("stopped")

    def _start(self) -> None:
        self._load, self._misses = None, 0
        self._child = self._starts(self.launch, self.log)
        self._become("loading")

    def _died(self, child: Process) -> None:
        reason = why(child.status, child.tail)
        if self.state == "loading" and self.restarted == 0:
            self._fail(f"port {self.launch.port} is taken" if reason == "its port is taken" else reason)
        elif self.restarted >= self.launch.restarts:
            self._fail(f"{reason} (started again {self.restarted} times)" if self.restarted else reason)
        else:
            self.restarted += 1
            self.reason = reason
            self._become("restarting")

    def _has_time(self) -> None:
        if self.seconds > self.launch.ready_s:
            last = "; its last words: " + self.tail(1)[0] if self.tail(1) else ""
            if self._child is not None:
                self._child.stop()
            self._fail(f"was not healthy after {self.launch.ready_s:g} s{last}")

    def _missed(self, problem: str) -> None:
        self._misses += 1
        if self._misses >= _MISSES:
            self.reason = problem
            if self.state != "unwell":
                self._become("unwell")

    def _fail(self, reason: str) -> None:
        self.reason = reason
        self._become("failed")

    def _become(self, state: State) -> None:
        self.state, self._since = state, self._clock()


def _is_taken(base_url: str) -> bool:
    address = urlsplit(base_url)
    try:
        socket.create_connection((address.hostname or "", address.port or 80), timeout=1).close()
    except OSError:
        return False
    return True


def _as_predicate(problem: str) -> str:
    return "is no model server" if problem.startswith("nothing answers") else problem
