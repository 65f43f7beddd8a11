"""Asking a model to end an answer that is still being written, however deep below it is made.

Set where an answer is watched (`moslm.models.chat.watched`), read by the models of this package, which then leave their
server, say how far they came, and end in good order. It travels in a context variable, because LangChain's runnables
stand between the two. A model that never looks is closed instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

HALTED = "halted"
"""The ``finish_reason`` of an answer that was ended before its time."""


@dataclass(slots=True)
class Halt:
    """Whether the answer in progress is wanted any longer."""

    asked: bool = False


_HALT: ContextVar[Halt | None] = ContextVar("moslm_halt", default=None)


@contextmanager
def watching() -> Iterator[Halt]:
    """Let whoever answers inside look whether its answer is still wanted."""
    halt = Halt()
    token = _HALT.set(halt)
    try:
        yield halt
    finally:
        _HALT.reset(token)


def halt() -> Halt:
    """Return what tells whether the answer in progress is still wanted; of one that nobody watches, it always is."""
    return _HALT.get() or Halt()
