"""How many cores this process may use, and work spread over them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def cores() -> int:
    """Return the number of cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def side_by_side(work: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
    """Yield what ``work`` makes of each item, in order; on several cores, several at a time.

    Worth it only where the work lets other threads run: numpy does while it computes, onnxruntime too.
    """
    if len(items) < 2 or cores() < 2:
        yield from map(work, items)
        return
    with ThreadPoolExecutor(cores()) as threads:
        yield from threads.map(work, items)
