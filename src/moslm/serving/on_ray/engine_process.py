"""`EngineProcess`: a replica that runs a server in a process of its own, and passes on what is said to it.

The process is the one that ``moslm serve`` starts without Ray, behind the same keeper: it ends with the replica,
however the replica ends. Knows nothing of what is said.
"""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from moslm.config import ServerSettings
from moslm.serving.child import Child
from moslm.serving.launching import Launch, launches
from moslm.serving.looking import look
from moslm.serving.reasons import why

_LOOK_S = 0.5
_HOP_BY_HOP = {"host", "connection", "keep-alive", "transfer-encoding", "content-length", "te", "upgrade", "trailer"}


class EngineProcess:
    """One replica.

    Args:
        settings: The ``[servers.NAME]`` section as plain values.

    Raises:
        RuntimeError: The process ended, or was not healthy in time; one line with the reason.
    """

    def __init__(self, settings: dict[str, Any]) -> None:
        server = ServerSettings.model_validate({**settings, "host": "127.0.0.1", "port": _free_port()})
        (launch,) = launches(server.name, server)
        env, self._folder = dict(launch.env), Path(tempfile.mkdtemp(prefix="moslm-vllm-"))
        # which GPUs there are for this replica is Ray's to say
        env.pop("CUDA_VISIBLE_DEVICES", None)
        self._child = Child(
            launch.command, env | ({"VLLM_API_KEY": launch.key} if launch.key else {}), self._folder / "log"
        )
        print(f"pid {os.getpid()} runs: {launch.line}", flush=True)
        self._wait(launch)
        front = launch.base_url.removesuffix("/v1")
        # no proxy of the environment is on the way, and how long an answer may take is the caller's to say
        self._client = httpx.AsyncClient(base_url=front, timeout=httpx.Timeout(None, connect=5), trust_env=False)

    async def __call__(self, request: Request) -> Response:
        """Pass a request on, and its answer back while it comes."""
        path = request.url.path.removeprefix(request.scope.get("root_path", ""))
        if path == "/metrics":
            # the figures of one replica would be told as those of all
            return Response(status_code=404)
        headers = [(key, value) for key, value in request.headers.items() if key not in _HOP_BY_HOP]
        passed = self._client.build_request(
            request.method, path, params=request.url.query, headers=headers, content=await request.body()
        )
        try:
            answer = await self._client.send(passed, stream=True)
        except httpx.TransportError:
            # not in OpenAI's words, so that a client knows that the server is lost, and asks another one
            return Response("the server of this replica has ended", 502)
        kept = {key: value for key, value in answer.headers.items() if key not in _HOP_BY_HOP}
        return StreamingResponse(_body(answer), answer.status_code, kept)

    def check_health(self) -> None:
        """Tell Ray that the replica must be replaced once its process has ended."""
        if self._child.status is not None:
            raise RuntimeError(why(self._child.status, self._child.tail))

    def __del__(self) -> None:
        if child := getattr(self, "_child", None):
            child.stop()
            shutil.rmtree(self._folder, ignore_errors=True)

    def _wait(self, launch: Launch) -> None:
        until = time.monotonic() + launch.ready_s
        while look([launch.base_url], launch.key)[0].problem:
            if self._child.status is not None:
                raise RuntimeError(why(self._child.status, self._child.tail))
            if time.monotonic() > until:
                self._child.stop()
                raise RuntimeError(f"was not healthy after {launch.ready_s:g} s")
            time.sleep(_LOOK_S)


async def _body(answer: httpx.Response) -> AsyncIterator[bytes]:
    """Yield the body as it comes; one that tears is torn for the caller too, one nobody waits for is closed."""
    try:
        async for piece in answer.aiter_raw():
            yield piece
    finally:
        await answer.aclose()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
