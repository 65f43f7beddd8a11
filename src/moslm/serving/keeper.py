"""Stands between ``moslm serve`` and one server: whoever started it is gone, so is the server, whatever happened.

Run as a script, with the standard library alone: ``keeper.py PIPE GRACE COMMAND...``. PIPE is the reading end of a pipe
whose other end the starter alone holds, and never writes to: the system closes it when the starter ends, however it
ends. GRACE is how many seconds the server has after SIGTERM. Everything that descends from the command ends with it,
also what made itself a session of its own. The exit status is the command's; 128 + N where signal N ended it.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import sys
import time
from contextlib import suppress

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_STEP_S = 0.1


def main() -> int:
    """Run the command; return its exit status."""
    pipe, grace, command = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]
    libc = ctypes.CDLL(None, use_errno=True)
    # orphans of the server come to us, and are not lost to pid 1
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    asked_to_stop: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda each, _frame: asked_to_stop.append(each))
    child = os.fork()
    if child == 0:
        _become(libc, pipe, command)
    status = None
    while status is None and not asked_to_stop and not _is_closed(pipe):
        status = _reap(child)
    if status is None:
        status = _stopped(child, grace)
    _end_the_rest()
    return 128 - status if status < 0 else status


def _become(libc: ctypes.CDLL, pipe: int, command: list[str]) -> None:
    """Turn the forked child into the command, in a session of its own; it dies with its keeper."""
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    os.close(pipe)
    os.setsid()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        print(f"cannot run {command[0]}: {error.strerror}", file=sys.stderr, flush=True)
        os._exit(127)


def _is_closed(pipe: int) -> bool:
    return bool(select.select([pipe], [], [], _STEP_S)[0])


def _reap(child: int) -> int | None:
    """Collect whoever ended; return the child's exit status, negative for a signal, once it is among them."""
    with suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return None
            if pid == child:
                return os.waitstatus_to_exitcode(status)
    return None


def _stopped(child: int, grace: float) -> int:
    """Ask the command to end, and end it when it has not after the grace."""
    with suppress(ProcessLookupError):
        os.kill(child, signal.SIGTERM)
    until = time.monotonic() + grace
    status = None
    while status is None and time.monotonic() < until:
        status = _reap(child)
        time.sleep(_STEP_S / 2)
    if status is None:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        status = -signal.SIGKILL
    return status


def _end_the_rest() -> None:
    """End every descendant that is left; as their parents end, those below them become our children."""
    while True:
        below = _children()
        if not below:
            return
        for pid in below:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(-1, 0)


def _children() -> list[int]:
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with suppress(OSError), open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as file:
                # the second field is the name in brackets, which may hold spaces and brackets of its own
                if int(file.read().rpartition(")")[2].split()[1]) == os.getpid():
                    found.append(int(entry))
    return found


if __name__ == "__main__":
    sys.exit(main())
