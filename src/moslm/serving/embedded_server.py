"""The embedded engine as an OpenAI-compatible server: ``python -m moslm.serving.embedded_server --model WEIGHTS``.

``/health``, ``/v1/models``, ``/v1/chat/completions`` (streamed and whole; log-probabilities, usage, tools, constraints
in OpenAI's and vLLM's words) and ``/metrics`` under vLLM's names, so that whoever reads one reads the other. A request
whose caller hangs up is stopped at the next token. Needs the extras ``local`` and ``api``. Log-probabilities under a
constraint are those before it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import socket
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moslm.errors import BackendError, BackendTimeout, MissingExtraError, MoSLMError
from moslm.models.chat.engine import Engine, EngineSpec, engine_for
from moslm.models.weights.shelf import find
from moslm.serving.completions import Refused, as_chunks, collected, for_engine, opening, read

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

_DEADLINE_S = 600.0
_LARGEST_BODY = 4 << 20
_HANG_UP_S = 0.2
"""How often a caller who waits for a whole answer is looked for."""


@dataclass(slots=True)
class _Counts:
    """What ``/metrics`` tell."""

    in_flight: int = 0
    prompt_tokens: int = 0
    written_tokens: int = 0
    answered: int = 0
    abandoned: int = 0


class EmbeddedServer:
    """One model behind HTTP.

    Args:
        name: The served model name.
        spec: What the engine is loaded with.
        key: The key that requests must bear; None lets everybody in.
        metrics: Whether ``/metrics`` is served; not where several servers stand behind one address.
    """

    def __init__(self, name: str, spec: EngineSpec, key: str | None = None, *, metrics: bool = True) -> None:
        self.name, self.spec, self._key, self._tells = name, spec, key, metrics
        self._counts = _Counts()
        self._engine: Engine | None = None
        self._started = int(time.time())

    def app(self) -> Starlette:
        """Return the ASGI application; it loads the engine when it is started."""
        from starlette.applications import Starlette
        from starlette.responses import Response
        from starlette.routing import Route

        @asynccontextmanager
        async def loaded(_: Starlette) -> AsyncIterator[None]:
            self._engine = await asyncio.to_thread(engine_for, self.spec, self.name)
            yield

        async def health(_: Request) -> Response:
            return Response(status_code=200)

        routes = [
            Route("/health", health),
            *([Route("/metrics", self._metrics)] if self._tells else []),
            Route("/v1/models", self._guarded(self._models)),
            Route("/v1/chat/completions", self._guarded(self._complete), methods=["POST"]),
        ]
        return Starlette(routes=routes, lifespan=loaded)

    def _guarded(self, endpoint: Any) -> Any:
        """Return an endpoint that wants the key, and tells what it refuses in OpenAI's error shape."""
        from starlette.responses import JSONResponse

        async def guarded(request: Request) -> Response:
            try:
                self._admit(request)
                answer: Response = await endpoint(request)
                return answer
            except Refused as refused:
                return JSONResponse(refused.body, refused.status)

        return guarded

    def _admit(self, request: Request) -> None:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self._key is not None and not secrets.compare_digest(given.encode(), self._key.encode()):
            raise Refused(401, "the key is missing or wrong", None, "invalid_api_key")

    async def _models(self, _: Request) -> Response:
        from starlette.responses import JSONResponse

        card = {"id": self.name, "object": "model", "created": self._started, "owned_by": "moslm"}
        return JSONResponse({"object": "list", "data": [{**card, "max_model_len": self.spec.context}]})

    async def _metrics(self, _: Request) -> Response:
        from starlette.responses import PlainTextResponse

        counts = self._counts
        rows = (
            ("num_requests_running", "gauge", min(counts.in_flight, self.spec.parallel)),
            ("num_requests_waiting", "gauge", max(0, counts.in_flight - self.spec.parallel)),
            ("prompt_tokens_total", "counter", counts.prompt_tokens),
            ("generation_tokens_total", "counter", counts.written_tokens),
            ("request_success_total", "counter", counts.answered),
            ("request_abandoned_total", "counter", counts.abandoned),
        )
        label = '{model_name="' + self.name + '"}'
        return PlainTextResponse("".join(f"# TYPE vllm:{n} {kind}\nvllm:{n}{label} {v}\n" for n, kind, v in rows))

    async def _complete(self, request: Request) -> Response:
        from starlette.responses import JSONResponse, StreamingResponse

        asked = read(await _body_of(request), self.name)
        wanted = for_engine(asked)
        if not asked.get("stream"):
            return JSONResponse(await self._whole(request, wanted))
        with_usage = bool((asked.get("stream_options") or {}).get("include_usage"))
        pieces = self._pieces(wanted)
        # what is wrong with a request shows in its first piece, while the status can still tell it
        first = await anext(pieces, None)
        events = self._events(first, pieces, with_usage)
        return StreamingResponse(events, media_type="text/event-stream", headers={"Cache-Control": "no-cache"})

    async def _whole(self, request: Request, wanted: dict[str, Any]) -> dict[str, Any]:
        """Return the whole answer; stop when the caller hangs up."""

        async def answer() -> dict[str, Any]:
            async with aclosing(self._pieces(wanted)) as pieces:
                return await collected(pieces, self.name)

        task = asyncio.create_task(answer())
        try:
            while not (await asyncio.wait({task}, timeout=_HANG_UP_S))[0]:
                if await request.is_disconnected():
                    raise Refused(499, "the caller has hung up")
            return task.result()
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError, Refused):
                await task

    async def _events(
        self, first: dict[str, Any] | None, rest: AsyncGenerator[dict[str, Any], None], with_usage: bool
    ) -> AsyncIterator[str]:
        async with aclosing(rest) as pieces:
            try:
                yield f"data: {json.dumps({**opening(self.name), **_head(first)})}\n\n"
                for chunk in as_chunks(first or {}, self.name, with_usage=with_usage):
                    yield f"data: {json.dumps(chunk)}\n\n"
                async for piece in pieces:
                    for chunk in as_chunks(piece, self.name, with_usage=with_usage):
                        yield f"data: {json.dumps(chunk)}\n\n"
            except Refused as refused:
                yield f"data: {json.dumps(refused.body)}\n\n"
                return
            yield "data: [DONE]\n\n"

    async def _pieces(self, wanted: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        """Yield what the engine says, counted; what goes wrong is raised as a refusal."""
        if self._engine is None:
            raise Refused(503, "the model is not loaded yet")
        counts, done, written = self._counts, False, 0
        counts.in_flight += 1
        try:
            async with aclosing(self._engine.astream(wanted, time.monotonic() + _DEADLINE_S)) as pieces:
                async for piece in pieces:
                    usage = piece.get("usage") or {}
                    told = max(written, usage.get("completion_tokens", 0)) if usage else written + _says(piece)
                    counts.written_tokens, written = counts.written_tokens + told - written, told
                    counts.prompt_tokens += usage.get("prompt_tokens", 0)
                    yield piece
            done = True
        except BackendTimeout as error:
            raise Refused(504, str(error)) from None
        except BackendError as error:
            raise Refused(400, str(error)) from None
        finally:
            counts.in_flight -= 1
            counts.answered += done
            counts.abandoned += not done


def _head(piece: dict[str, Any] | None) -> dict[str, Any]:
    return {name: piece[name] for name in ("id", "created") if piece and name in piece}


def _says(piece: dict[str, Any]) -> int:
    """Return 1 for a piece that carries a token."""
    choice: dict[str, Any] = next(iter(piece.get("choices") or ()), {})
    delta = choice.get("delta") or {}
    return int(bool(delta.get("content") or delta.get("reasoning_content")))


async def _body_of(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > _LARGEST_BODY:
            raise Refused(413, f"the body is longer than {_LARGEST_BODY >> 20} MiB")
    return bytes(body)


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until told to end; 2 where it cannot start, for a reason told in one line on stderr."""
    options = _parser().parse_args(argv)
    try:
        import starlette  # noqa: F401
        import uvicorn
    except ImportError:
        return _fail(MissingExtraError("the embedded server", "api"))
    try:
        spec = EngineSpec(find(options.model), options.context, options.parallel, options.threads)
        server = EmbeddedServer(options.name or options.model, spec, os.environ.get("VLLM_API_KEY") or None)
        listening = _bound(options.host, options.port)
    except (MoSLMError, OSError) as error:
        return _fail(error)
    with listening:
        config = uvicorn.Config(server.app(), log_level="info", access_log=False, timeout_graceful_shutdown=2)
        run = uvicorn.Server(config)
        run.run(sockets=[listening])
    return 0 if run.started else 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="moslm.serving.embedded_server", description=__doc__, allow_abbrev=False)
    parser.add_argument("--model", required=True, help="name of pulled weights, or path of a GGUF file")
    parser.add_argument("--name", help="served model name (default: that of the weights)")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--context", type=int, default=4096, help="tokens of context for each request")
    parser.add_argument("--parallel", type=int, default=2, help="requests that run side by side")
    parser.add_argument("--threads", type=int, help="processor threads (default: one less than there are cores)")
    return parser


def _bound(host: str, port: int) -> socket.socket:
    """Take the port before the model is loaded: whoever comes too late is told at once."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken = socket.socket(family, socket.SOCK_STREAM)
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind((host, port))
    except OSError:
        taken.close()
        raise
    return taken


def _fail(error: Exception) -> int:
    print(f"moslm: {error}", file=sys.stderr, flush=True)
    return 2


if __name__ == "__main__":
    sys.exit(main())
