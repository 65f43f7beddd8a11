"""Answers a share of the hits again, after they were given, and counts the remembered answers that did not hold.

One thread of its own, one request at a time, begun when there is something to do and gone when there is not: it delays
no answer, works whether the graph was invoked or awaited, and keeps no process from ending. What comes while too much
waits is left out.
"""

from __future__ import annotations

import logging
import queue
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass

from moslm.errors import wordless
from moslm.recall.entries import Entry
from moslm.state import Request
from moslm.statements.agreeing import contradiction, overlap

AnswerAgain = Callable[[Request, str], "str | None"]
"""(request, domain) -> what the domain's small model answers; None where it did not, or may not be asked."""

LEAST_ALIKE = 0.5
"""Answers whose words overlap less than this do not say the same."""
_WAITING = 16
_IDLE_S = 1.0

_log = logging.getLogger("moslm.recall")


def wrong(remembered: str, again: str) -> bool:
    """Tell whether two answers do not say the same: they contradict each other, or share too few words."""
    return contradiction(remembered, again) is not None or overlap(remembered, again) < LEAST_ALIKE


@dataclass(frozen=True, slots=True)
class _Check:
    request: Request
    entry: Entry


class Checker:
    """Checks hits in the background.

    Args:
        again: Answers a request once more.
        tell: Told of each check: its domain, and whether the remembered answer was wrong.
    """

    def __init__(self, again: AnswerAgain, tell: Callable[[str, bool], None]) -> None:
        self._again, self._tell = again, tell
        self._queue: queue.Queue[_Check] = queue.Queue(_WAITING)
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._ending = threading.Event()
        # told when the process ends or nobody holds this any more; what is under way is left behind
        self._end = weakref.finalize(self, self._ending.set)

    def submit(self, request: Request, entry: Entry) -> None:
        """Have a hit checked, unless too many wait or everything is about to end."""
        if self._ending.is_set():
            return
        try:
            self._queue.put_nowait(_Check(request, entry))
        except queue.Full:
            return
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="moslm-recall-checks", daemon=True)
                self._thread.start()

    def wait(self, seconds: float) -> bool:
        """Wait until nothing is left to check; return whether that came about."""
        done = threading.Event()

        def joined() -> None:
            self._queue.join()
            done.set()

        threading.Thread(target=joined, daemon=True).start()
        return done.wait(seconds)

    def close(self) -> None:
        """Take nothing more; what waits is dropped."""
        self._end()

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                check = self._queue.get(timeout=_IDLE_S)
            except queue.Empty:
                with self._starting:
                    if self._queue.empty():
                        self._thread = None
                        return
                continue
            try:
                self._make(check)
            except Exception as error:  # a check that fails must not end those after it
                _log.error("a remembered answer could not be checked: %s", wordless(error))
            finally:
                self._queue.task_done()

    def _make(self, check: _Check) -> None:
        domain = check.entry.domain
        if domain is None:
            return
        text = self._again(check.request, domain)
        if text is not None and not self._ending.is_set():
            self._tell(domain, wrong(check.entry.text, text))
