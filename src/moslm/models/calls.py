"""One body for two worlds: a step written once as a generator, driven under ``invoke`` and under ``ainvoke``.

A step that needs a model or a tool yields a `Call` and is sent the result, or has the failure thrown in as a
`BackendError`; what would hold up an event loop it yields as an `Aside`. `drive` makes the calls in this thread's
stead, `adrive` on the event loop; both hold every call to its deadline. The alternative, each step written twice, is
how sync and async faces drift apart.

Knows nothing of graphs beyond letting LangGraph's own control flow (interrupts) pass.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from langchain_core.runnables import Runnable, RunnableConfig
from langgraph.errors import GraphBubbleUp

from moslm.errors import BackendTimeout
from moslm.models.chat.failures import as_backend_error
from moslm.models.deadlines import due

if TYPE_CHECKING:
    from moslm.models.leaving import Form
    from moslm.models.paying import Bill

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """One call that a step wants made."""

    runnable: Runnable[Any, Any]
    input: Any
    backend: str
    """Name of the model or tool, for the error that a person reads."""
    deadline: float
    """`time.monotonic()` value at which the call is given up."""
    bill: Bill | None = None
    """What it may cost; None for a call that is free. `moslm.models.paying` has it paid."""
    leaves: Form | None = None
    """How it is hidden where it leaves the premises; None for a call that stays. `moslm.models.leaving` lets it out."""

    def remaining(self) -> float:
        """Return the seconds left; raise `BackendTimeout` when there are none."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise self.timeout()
        return left

    def timeout(self) -> BackendTimeout:
        """Return the error of a call that did not end in time."""
        return BackendTimeout(self.backend, f"{self.backend} did not answer before its deadline")


@dataclass(frozen=True, slots=True)
class Aside:
    """Work of our own that computes for long or touches the disk: an event loop must not wait for it.

    It has no deadline, and what it raises reaches the step as it is: it is no backend's failure.
    """

    work: Callable[[], Any]


Steps = Generator[Call | Aside, Any, T]
"""A step that asks for calls and for work aside, and returns a ``T``."""


class Pause(Runnable[Any, None]):
    """Time that passes; leaves no span.

    Args:
        seconds: How much.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> None:
        """Wait in this thread."""
        time.sleep(self._seconds)

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> None:
        """Wait on the event loop."""
        await asyncio.sleep(self._seconds)


def through(steps: Steps[T], make: Callable[[Call | Aside], Steps[Any]]) -> Steps[T]:
    """Run a step with somebody between it and its calls.

    Args:
        steps: The step.
        make: Makes each thing it asks for, by calls of its own; what it raises is raised in the step.
    """
    result, error = None, None
    try:
        while True:
            try:
                call = steps.throw(error) if error is not None else steps.send(result)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
            try:
                result, error = (yield from make(call)), None
            except Exception as failure:  # whatever it is, it is the step's to hear of
                result, error = None, failure
    finally:
        steps.close()


def drive(steps: Steps[T], config: RunnableConfig) -> T:
    """Run a step to its end, making its calls synchronously.

    Each call runs in a daemon thread of its own: a call that hangs past its deadline is left behind and cannot keep the
    request, or the process, from ending.
    """

    def made(call: Call) -> Any:
        left = call.remaining()
        future: Future[Any] = Future()
        context = contextvars.copy_context()

        def work() -> None:
            try:
                future.set_result(context.run(_invoked, call, config))
            except BaseException as error:  # handed to the waiting step, whatever it is
                future.set_exception(error)

        threading.Thread(target=work, name=f"moslm-{call.backend}", daemon=True).start()
        return future.result(timeout=left)

    outcome: _Outcome = _Outcome()
    while True:
        try:
            call = outcome.send_to(steps)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        try:
            outcome = _Outcome(call.work() if isinstance(call, Aside) else made(call))
        except GraphBubbleUp:
            raise
        except Exception as error:
            outcome = _Outcome(error=_failure(error, call))


async def adrive(steps: Steps[T], config: RunnableConfig) -> T:
    """Run a step to its end, making its calls on the running event loop."""
    outcome: _Outcome = _Outcome()
    while True:
        try:
            call = outcome.send_to(steps)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        try:
            if isinstance(call, Aside):
                outcome = _Outcome(await asyncio.to_thread(call.work))
                continue
            # the deadline goes along, so that what is left of it becomes the timeout of whoever is called
            async with asyncio.timeout(call.remaining()):
                with due(call.deadline):
                    outcome = _Outcome(await call.runnable.ainvoke(call.input, config))
        except GraphBubbleUp:
            raise
        except Exception as error:
            outcome = _Outcome(error=_failure(error, call))


def _invoked(call: Call, config: RunnableConfig) -> Any:
    with due(call.deadline):
        return call.runnable.invoke(call.input, config)


@dataclass(frozen=True, slots=True)
class _Outcome:
    value: Any = None
    error: Exception | None = None

    def send_to(self, steps: Steps[T]) -> Call | Aside:
        return steps.throw(self.error) if self.error else steps.send(self.value)


def _failure(error: Exception, call: Call | Aside) -> Exception:
    if isinstance(call, Aside):
        return error
    if isinstance(error, TimeoutError) and time.monotonic() >= call.deadline - 0.05:
        return call.timeout()
    return as_backend_error(error, call.backend)
