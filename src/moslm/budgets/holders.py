"""Which process holds a reservation, and whether it is still there.

A process is named by its number and the moment it began, because numbers are given out again, and by the namespace the
number means something in: of a process in another container nobody here can tell, so it counts as there.
"""

from __future__ import annotations

import os
from pathlib import Path


def this_process() -> str:
    """Return the name of this process."""
    return f"{_namespace()} {os.getpid()} {_began(os.getpid()) or '?'}"


def is_gone(holder: str) -> bool:
    """Tell whether a process has surely ended.

    Args:
        holder: Its name, as `this_process` gave it there.
    """
    namespace, number, began = holder.split(" ")
    if namespace != _namespace() or namespace == "?" or began == "?":
        return False
    return _began(int(number)) != began


def _namespace() -> str:
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return "?"


def _began(number: int) -> str | None:
    """Return the tick of the boot at which a process began; None where there is none, or a dead one not yet reaped."""
    try:
        stat = Path(f"/proc/{number}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    # the name of the program stands in brackets and may hold anything, brackets too
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in ("Z", "X") else fields[19]
