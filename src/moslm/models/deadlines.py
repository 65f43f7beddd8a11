"""The deadline of the request in progress, for whoever makes a call on its behalf, however deep below.

Set where calls are made (`moslm.models.calls`), read where a client wants a timeout. It travels in a context variable,
because LangChain's runnables stand between the two.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_DEADLINE: ContextVar[float | None] = ContextVar("moslm_deadline", default=None)


@contextmanager
def due(deadline: float) -> Iterator[None]:
    """Let everything called inside end by a `time.monotonic()` value, or by an outer one that is earlier."""
    outer = _DEADLINE.get()
    token = _DEADLINE.set(deadline if outer is None else min(outer, deadline))
    try:
        yield
    finally:
        _DEADLINE.reset(token)


def deadline(own: float) -> float:
    """Return when a call must end: its own deadline, or the request's where that is earlier."""
    outer = _DEADLINE.get()
    return own if outer is None else min(own, outer)
