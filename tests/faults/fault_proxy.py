"""A TCP proxy that does to a connection what networks and dying servers do.

Faults are set per proxy and hold for connections opened from then on; ``only`` limits them to so many connections.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from dataclasses import dataclass
from typing import Literal

FaultKind = Literal[
    "none", "latency", "reset", "half_close", "black_hole", "cut", "corrupt", "garbage", "server_error", "refuse"
]


@dataclass(frozen=True)
class Fault:
    """What happens to a connection."""

    kind: FaultKind = "none"
    after: int = 0
    """Bytes of the answer that still pass: of ``reset``, ``half_close``, ``black_hole``, ``cut``, ``corrupt``."""
    seconds: float = 0.0
    """How much later each piece of the answer comes: of ``latency``."""


class FaultProxy:
    """Stands before a server on this machine."""

    def __init__(self, port: int) -> None:
        self._to, self.port, self.connections = port, 0, 0
        self._fault, self._left = Fault(), 0
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=512)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in list(self._open):
            writer.transport.abort()

    def inject(self, kind: FaultKind, *, only: int = 1_000_000, after: int = 0, seconds: float = 0.0) -> None:
        """Break the connections that come; ``only`` so many of them."""
        self._fault, self._left = Fault(kind, after, seconds), only

    def mend(self) -> None:
        """Let everything pass again."""
        self._fault, self._left = Fault(), 0

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._open.add(writer)
        fault = self._next()
        try:
            await self._through(fault, reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()

    def _next(self) -> Fault:
        if self._left <= 0:
            return Fault()
        self._left -= 1
        return self._fault

    async def _through(self, fault: Fault, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if fault.kind == "refuse":
            return _reset(writer)
        if fault.kind == "server_error":
            await reader.read(65536)
            head = b"HTTP/1.1 500 X\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n"
            writer.write(head + b"{}")
            return await writer.drain()
        if fault.kind == "black_hole" and not fault.after:
            await asyncio.sleep(3600)
        upstream, onward = await asyncio.open_connection("127.0.0.1", self._to)
        back = asyncio.create_task(_back(fault, upstream, writer))
        forth = asyncio.create_task(_forth(reader, onward))
        try:
            await back
        finally:
            forth.cancel()
            onward.close()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await forth
        return None


async def _forth(reader: asyncio.StreamReader, onward: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        onward.write(data)
        await onward.drain()


async def _back(fault: Fault, upstream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    passed = 0
    while data := await upstream.read(4096):
        if fault.kind == "latency":
            await asyncio.sleep(fault.seconds)
        if fault.kind in ("reset", "half_close", "black_hole", "cut", "corrupt", "garbage"):
            room = max(0, fault.after - passed)
            if len(data) > room:
                writer.write(data[:room])
                await writer.drain()
                return await _broken(fault, data[room:], upstream, writer)
        passed += len(data)
        writer.write(data)
        await writer.drain()


async def _broken(fault: Fault, rest: bytes, upstream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """End the connection as the fault has it."""
    if fault.kind == "reset":
        _reset(writer)
    elif fault.kind == "half_close":
        writer.write_eof()
        await asyncio.sleep(0.2)
    elif fault.kind == "black_hole":
        await asyncio.sleep(3600)
    elif fault.kind in ("corrupt", "garbage"):
        # bytes that are no UTF-8, in the place of as many: no reader can take them for what was sent
        writer.write(b"\xff" * len(rest))
        while data := await upstream.read(4096):
            writer.write(data)
        await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
