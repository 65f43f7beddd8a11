"""Looks at a server that is out of service, until it is well again.

A thread of its own for each such server, and none otherwise: a server recovers without a user's request being spent on
finding out, under ``invoke`` as under ``ainvoke``, and across event loops. It ends with its pool. Knows no protocol.
"""

from __future__ import annotations

import threading
import time
import weakref
from typing import Protocol

_OFTEN = 8
_SELDOM_S = 5.0


class Watched(Protocol):
    """Whose servers are looked at: `moslm.models.replicas.pool.ReplicaPool`."""

    name: str
    probe_s: float

    def due(self, index: int) -> float | None:
        """Return the seconds until somebody should look; None when nobody need any more."""

    def look(self, index: int) -> bool:
        """Look at a server and take note of what it shows."""


def watch(pool: Watched, index: int) -> None:
    """Begin to look at a server: at once, then often, and seldom (every 5 s) after some looks in vain."""
    arguments = (weakref.ref(pool), index)
    threading.Thread(target=_look, args=arguments, name=f"moslm-watch-{pool.name}", daemon=True).start()


def _look(reference: weakref.ref[Watched], index: int) -> None:
    looks, pause = 0, 0.0
    while True:
        # nobody holds the pool meanwhile, so that it may go
        time.sleep(pause)
        pool = reference()
        due = pool.due(index) if pool is not None else None
        if pool is None or due is None:
            return
        if due > 0:
            pause = min(due, _SELDOM_S)
        elif pool.look(index):
            pause = 0.0
        else:
            looks += 1
            pause = min(_SELDOM_S, pool.probe_s * 2 ** max(0, looks - _OFTEN))
        del pool
