"""A step as LangGraph runs it: under ``invoke`` and ``ainvoke``, measured, with the caller's knobs resolved.

LangGraph's public way to give a node both faces is a `Runnable`. This one adds no span of its own: LangGraph already
traces the node under its name, so file, node, span and audit step are one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from langchain_core.runnables import Runnable, RunnableConfig
from langgraph.runtime import get_runtime
from langgraph.store.base import BaseStore

from moslm.context import MoSLMContext, resolve_context
from moslm.governance.access.guard import as_proven
from moslm.models.calls import Steps, adrive, drive

Update = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Run:
    """What a step may know of the run it is part of."""

    context: MoSLMContext
    config: RunnableConfig
    store: BaseStore | None
    emit: Callable[[Mapping[str, Any]], None]
    """Sends one custom event to whoever streams."""

    @property
    def thread_id(self) -> str | None:
        """The conversation, where a checkpointer keeps one."""
        found = self.config.get("configurable", {}).get("thread_id")
        return None if found is None else str(found)


Step = Callable[[Any, Run], "Update | Steps[Update]"]


class Node(Runnable[Any, Update]):
    """One step of the graph.

    Args:
        name: Node id, span name and step name in the Decision.
        step: Reads the state and returns an update; or a generator that returns one, and yields what it waits for:
            `Call`s of models and tools, and an `Aside` for what computes for long or touches the disk.
    """

    def __init__(self, name: str, step: Step) -> None:
        self.name, self._step = name, step

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Update:
        """Run the step in this thread."""
        run, started = _run(config), time.perf_counter()
        made = self._step(input, run)
        return self._measured(made if isinstance(made, dict) else drive(made, run.config), started)

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Update:
        """Run the step on the event loop, and beside it what would hold that up."""
        run, started = _run(config), time.perf_counter()
        made = self._step(input, run)
        return self._measured(made if isinstance(made, dict) else await adrive(made, run.config), started)

    def _measured(self, update: Update, started: float) -> Update:
        own = {"name": self.name, "ms": round((time.perf_counter() - started) * 1000, 3)}
        # a step that closes the record has already counted itself
        return update if update.pop("closed", False) else {**update, "steps": [*update.get("steps", []), own]}


def _run(config: RunnableConfig | None) -> Run:
    runtime = get_runtime()
    server = runtime.server_info
    context = as_proven(resolve_context(runtime.context), server and server.user)
    return Run(context, config or {}, runtime.store, runtime.stream_writer)
