"""Remembers answers: the same request of the same tenant, asked again, is answered from memory.

What is the same, what may be remembered and for how long is `moslm.recall`'s.
"""

from __future__ import annotations

from collections.abc import Generator
from functools import partial
from typing import Any

from moslm.models.calls import Aside
from moslm.nodes.node import Node, Run, Update
from moslm.recall.memory import Memory
from moslm.state import MoSLMState


def recall(memory: Memory) -> Node:
    """Return the step that looks for a remembered answer."""

    def step(state: MoSLMState, run: Run) -> Generator[Aside, Any, Update]:
        found = (yield Aside(partial(memory.find, state["request"], run.store))) if memory.enabled else None
        return {} if found is None else {"reply": found}

    return Node("recall", step)
