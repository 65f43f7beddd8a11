"""`Engine`: one GGUF model loaded into this process by llama.cpp, shared by everyone who asks for the same one.

Each call runs in a thread of its own, because the engine blocks; the caller waits for its pieces no longer than its
deadline. A caller that goes away (deadline, cancellation, a closed generator) stops the engine at the next piece:
between two tokens, or between two batches of the prompt. Knows OpenAI's chat protocol as plain dicts, and no LangChain.
"""

from __future__ import annotations

import asyncio
import os
import queue
import secrets
import threading
import time
from collections.abc import AsyncGenerator, Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from moslm.errors import BackendError, BackendGarbled, BackendTimeout, MissingExtraError, WeightsError

_END = object()
_PROMPTS_KEPT_MIB = 64
_PROMPT_BATCH = 128
"""Prompt tokens between two chances to stop: about a second. Larger batches were not measurably faster."""


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """What an engine is loaded with; equal specs share one engine."""

    path: Path
    context: int
    """Tokens of context for each call."""
    parallel: int
    """Calls that run side by side; further ones wait."""
    threads: int | None = None
    """Processor threads; by default one less than there are cores: with a thread on every core, anything else that runs
    on the machine makes each thread wait for the slowest, and generation falls to a few tokens a second."""


class Engine:
    """A loaded model. Thread-safe.

    Args:
        spec: What to load.
        name: What the model is called in errors.

    Raises:
        MissingExtraError: The extra ``local`` is not installed.
        WeightsError: The file cannot be loaded.
    """

    def __init__(self, spec: EngineSpec, name: str) -> None:
        try:
            from xllamacpp import Server
        except ImportError:
            raise MissingExtraError("a model inside the process", "local") from None
        self.spec, self.name = spec, name
        try:
            self._server = Server(_parameters(spec))
        except RuntimeError as error:
            raise WeightsError(
                f"{name} cannot be loaded: no GGUF model, damaged, or too large for the memory"
            ) from error

    def stream(self, request: dict[str, Any], deadline: float) -> Generator[dict[str, Any], None, None]:
        """Answer a request piece by piece.

        Args:
            request: The body of OpenAI's chat completions; with ``stream`` false the one piece is the whole answer, and
                the engine cannot be stopped before it.
            deadline: `time.monotonic()` at which it is given up.

        Raises:
            BackendTimeout: The deadline passed.
            BackendGarbled: The engine refuses the request, as when it is longer than the context.
        """
        inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        call = self._start(request, deadline, inbox.put)
        try:
            while True:
                try:
                    piece = inbox.get(timeout=max(0.0, deadline - time.monotonic()))
                except queue.Empty:
                    raise self._late() from None
                if piece is _END:
                    return
                yield self._checked(piece)
        finally:
            call.abandoned = True

    async def astream(self, request: dict[str, Any], deadline: float) -> AsyncGenerator[dict[str, Any], None]:
        """Answer a request piece by piece, as `stream` does, without blocking the event loop."""
        inbox: asyncio.Queue[Any] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        call = self._start(request, deadline, lambda piece: loop.call_soon_threadsafe(inbox.put_nowait, piece))
        try:
            while True:
                try:
                    async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                        piece = await inbox.get()
                except TimeoutError:
                    raise self._late() from None
                if piece is _END:
                    return
                yield self._checked(piece)
        finally:
            call.abandoned = True

    def _start(self, request: dict[str, Any], deadline: float, put: Callable[[Any], object]) -> _Call:
        call = _Call(deadline, put)
        # No daemon: one that is cut down inside the engine at exit takes the process with it. It ends by its deadline.
        name = f"moslm-{self.name}"
        threading.Thread(target=self._work, args=(request, call), name=name, daemon=False).start()
        return call

    def _work(self, request: dict[str, Any], call: _Call) -> None:
        try:
            whole = self._server.handle_chat_completions(request, call.take)
            if whole is not None:
                call.send(whole)
        except (ValueError, RuntimeError) as error:
            call.send(self._refused({}, error))
        except Exception as error:  # handed to the waiting caller, whatever it is
            call.send(error)
        finally:
            call.send(_END)

    def _checked(self, piece: Any) -> dict[str, Any]:
        if isinstance(piece, Exception):
            raise piece
        if "error" in piece:
            raise self._refused(piece["error"], None)
        return dict(piece)

    def _refused(self, error: dict[str, Any], cause: Exception | None) -> BackendError:
        if error.get("type") == "exceed_context_size_error":
            return BackendGarbled(
                self.name, f"{self.name} was sent more text than its context of {self.spec.context} tokens holds"
            )
        failure = BackendGarbled(self.name, f"{self.name} refused the request")
        failure.__cause__ = cause
        return failure

    def _late(self) -> BackendTimeout:
        return BackendTimeout(self.name, f"{self.name} did not answer before its deadline")


@dataclass(slots=True)
class _Call:
    """One call in progress: what its thread and its caller both see."""

    deadline: float
    put: Callable[[Any], object]
    abandoned: bool = False

    def take(self, piece: dict[str, Any]) -> bool:
        """Pass a piece on; True tells the engine to stop."""
        if self.abandoned or time.monotonic() > self.deadline:
            return True
        self.send(piece)
        return self.abandoned

    def send(self, piece: Any) -> None:
        try:
            self.put(piece)
        except RuntimeError:  # the caller's event loop is closed
            self.abandoned = True


@dataclass(slots=True)
class _Loaded:
    lock: threading.Lock = field(default_factory=threading.Lock)
    engines: dict[tuple[int, EngineSpec], Engine] = field(default_factory=dict)


_LOADED = _Loaded()


def engine_for(spec: EngineSpec, name: str) -> Engine:
    """Return the engine of this process for a spec, loading it at the first call.

    Raises:
        MissingExtraError: The extra ``local`` is not installed.
        WeightsError: The file cannot be loaded.
    """
    # Threads do not survive a fork, so neither does an engine.
    key = (os.getpid(), spec)
    with _LOADED.lock:
        if key not in _LOADED.engines:
            _LOADED.engines[key] = Engine(spec, name)
        return _LOADED.engines[key]


def _parameters(spec: EngineSpec) -> Any:
    from xllamacpp import CommonParams

    parameters = CommonParams()
    parameters.model.path = str(spec.path)
    parameters.n_ctx = spec.context * spec.parallel
    parameters.n_parallel = spec.parallel
    parameters.n_batch = parameters.n_ubatch = _PROMPT_BATCH
    cores = len(os.sched_getaffinity(0))
    parameters.cpuparams.n_threads = spec.threads or max(1, cores - 1)
    # Reading a prompt waits for its threads once a batch, writing once a token: only writing suffers from a busy core.
    parameters.cpuparams_batch.n_threads = spec.threads or cores
    parameters.use_jinja = True
    parameters.warmup = False
    parameters.fit_params = False
    parameters.verbosity = -1
    parameters.offline = True
    # Prompts of domains that take turns on a slot are kept, so that only what differs is read again; by default the
    # engine would keep up to 8 GiB of them.
    parameters.cache_ram_mib = _PROMPTS_KEPT_MIB
    # The engine opens a port of its own on 127.0.0.1, which nobody here uses: shut it to everyone else.
    parameters.api_keys = [secrets.token_urlsafe(32)]
    parameters.endpoint_slots = parameters.ui = False
    parameters.n_threads_http = 1
    return parameters
