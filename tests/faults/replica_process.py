"""A played replica in a process of its own, which dies as a model server dies."""

from __future__ import annotations

import asyncio
import http.client
import socket
import subprocess
import sys
import time
from pathlib import Path

PLAYED = Path(__file__).with_name("played_replica.py")


class ReplicaProcess:
    """One played replica; it keeps its port over its deaths."""

    def __init__(self, drip_s: float) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._drip_s = drip_s
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def start(self) -> None:
        command = [sys.executable, "-S", "-E", str(PLAYED), str(self.port), str(self._drip_s)]
        self._process = subprocess.Popen(command)

    def kill(self) -> None:
        """Kill it as the kernel would: no goodbye, every connection torn."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    async def healthy(self, within_s: float = 60.0) -> None:
        end = time.monotonic() + within_s
        while time.monotonic() < end:
            try:
                await asyncio.to_thread(self._health)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                return
        raise AssertionError("the played replica did not come up")

    def _health(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/health")
            connection.getresponse().read()
        finally:
            connection.close()
