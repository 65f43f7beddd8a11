"""How ``moslm serve`` shows its servers: a block that redraws itself on a terminal, lines in a log."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TextIO

from moslm.cli.style import WIDTH, Style, safe, style_for
from moslm.serving.replica import Replica

_TAIL = 3
"""Lines of its log that a loading server is shown with."""
_LINE_EVERY_S = 15.0


class Board(AbstractContextManager["Board", None]):
    """Tells each change of state in a line that stays; what changes all the time depends on where it is shown.

    Args:
        stream: Where to.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._style = stream, style_for(stream)
        self._live = stream.isatty()
        self._drawn = 0
        self._told: dict[Replica, str] = {}
        self._due: dict[Replica, float] = {}

    def __exit__(self, *_: object) -> None:
        self._erase()

    def show(self, replicas: Sequence[Replica]) -> None:
        """Tell what has changed, and draw the rest anew."""
        self._erase()
        for replica in replicas:
            self._tell(replica)
        if self._live:
            # a line that wraps would be two, and erased as one
            width = min(WIDTH, shutil.get_terminal_size().columns - 1)
            lines = [line for replica in replicas for line in _block(replica, self._style, width)]
            self._stream.writelines(f"{line}\n" for line in lines)
            self._drawn = len(lines)
        self._stream.flush()

    def say(self, text: str) -> None:
        """Write a line that stays."""
        self._erase()
        print(text, file=self._stream, flush=True)

    def _tell(self, replica: Replica) -> None:
        if self._told.get(replica) != _change(replica):
            self._told[replica] = _change(replica)
            self._due[replica] = _LINE_EVERY_S
            for line in _TELLING[replica.state](replica):
                self.say(f"{replica.launch.name}  {safe(line)}")
        elif not self._live and replica.state in ("loading", "healthy") and replica.seconds >= self._due[replica]:
            self._due[replica] = replica.seconds + _LINE_EVERY_S
            self.say(f"{replica.launch.name}  {_now(replica)}")

    def _erase(self) -> None:
        if self._drawn:
            # up as many lines as were drawn, and clear from there on
            self._stream.write(f"\x1b[{self._drawn}F\x1b[J")
            self._drawn = 0


def board_on(stream: TextIO | None = None) -> Board:
    """Return the board for a stream, by default stdout."""
    return Board(sys.stdout if stream is None else stream)


def _change(replica: Replica) -> str:
    return f"{replica.state} {replica.restarted} {replica.reason}"


def _loading(replica: Replica) -> list[str]:
    return [f"starting: {replica.launch.line}", f"its log: {replica.log}"]


def _healthy(replica: Replica) -> list[str]:
    if replica.adopted:
        return [f"healthy: it ran already at {replica.launch.base_url}, and will be left running"]
    return [f"healthy: {replica.launch.base_url} serves {', '.join(replica.launch.models)}"]


def _failed(replica: Replica) -> list[str]:
    return [f"failed: {replica.reason}", *([f"its log: {replica.log}"] if replica.child else [])]


def _restarting(replica: Replica) -> list[str]:
    return [f"died: {replica.reason}; starting it again ({replica.restarted} of {replica.launch.restarts})"]


def _stopped(replica: Replica) -> list[str]:
    return ["left running: it is not ours"] if replica.adopted else ["stopped"]


_TELLING: dict[str, Callable[[Replica], list[str]]] = {
    "new": lambda _: [],
    "loading": _loading,
    "healthy": _healthy,
    "unwell": lambda replica: [f"unwell: {replica.reason}"],
    "restarting": _restarting,
    "failed": _failed,
    "stopped": _stopped,
}


def _now(replica: Replica) -> str:
    """Return what changes all the time, in one line."""
    if replica.state == "loading":
        return safe(f"loading for {replica.seconds:.0f} s: {' '.join(replica.tail(1)) or 'it says nothing yet'}")
    figures = replica.figures
    rate = "– tokens/s" if figures.tokens_per_s is None else f"{figures.tokens_per_s:.1f} tokens/s"
    parts = [replica.state, rate, f"{figures.running} running", f"{figures.waiting} waiting"]
    if figures.replicas:
        parts = [replica.state, figures.replicas]
    parts += [f"{figures.memory / 1e9:.1f} GB"] if figures.memory else []
    parts += [f"{figures.gpu_memory / 1e9:.1f} GB on the GPU"] if figures.gpu_memory else []
    return " · ".join(parts)


def _block(replica: Replica, style: Style, width: int) -> list[str]:
    if replica.state in ("failed", "stopped", "new"):
        return []
    name, now, tail = replica.launch.name, _now(replica), list[str]()
    if replica.state == "loading":
        now, tail = f"loading for {replica.seconds:.0f} s", replica.tail(_TAIL)
    first = f"{style.bold(name)}  {now[: width - len(name) - 2]}"
    return [first, *(style.dim(f"    {safe(line)}"[:width]) for line in tail)]
