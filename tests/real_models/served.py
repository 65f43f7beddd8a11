"""`Served`: ``moslm serve`` as a person runs it, with real vLLM below it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from moslm.config import ServerSettings, load
from moslm.serving.looking import Load, Seen, load_of, look
from moslm.serving.machine import descendants

T = TypeVar("T")

READY_S = 400
"""For a start; alone on two cores it takes two servers a minute."""
_COMMAND = "import sys; from moslm.cli import main; sys.exit(main())"


def until(condition: Callable[[], T], seconds: float = 120, what: str = "") -> T:
    """Wait until a condition holds and return what it gave; fail when it does not in time."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what or condition}"
        time.sleep(0.1)
    return found


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Served:
    """The servers of a configuration's section ``small``, brought up by ``moslm serve``.

    Args:
        config: The configuration.
        folder: Takes the home of ``moslm serve`` and what it says.
        key: What the servers ask for.
    """

    def __init__(self, config: Path, folder: Path, key: str) -> None:
        self.config, self.folder, self.key = config, folder, key
        self.settings: ServerSettings = load(config).servers["small"]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def said(self) -> str:
        """What ``moslm serve`` has said so far."""
        return (self.folder / "serve.log").read_text()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def begin(self) -> None:
        """Start it, unless it runs, and wait until every replica is well."""
        if self._process is None or self._process.poll() is not None:
            with (self.folder / "serve.log").open("wb") as log:
                self._process = subprocess.Popen(
                    [sys.executable, "-c", _COMMAND, "serve", "--config", str(self.config)],
                    env={**os.environ, "MOSLM_HOME": str(self.folder / "home")},
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )
        self.all_well()

    def all_well(self) -> None:
        """Wait until every replica is well, or has failed, which fails the test with all that was said."""

        def well() -> bool:
            assert self._process is not None
            assert self._process.poll() is None, self.said
            assert " failed: " not in self.said, self.said
            return all(self.is_well(each) for each in self.seen())

        until(well, READY_S, "the servers are well")

    def seen(self) -> list[Seen]:
        """Return what each replica shows of itself."""
        return look(self.settings.base_urls, self.key, timeout_s=10)

    def is_well(self, seen: Seen) -> bool:
        return seen.problem is None and {"small", *self.settings.adapters} <= set(seen.models)

    def load(self, replica: int) -> Load:
        """Return how busy a replica says it is."""
        return until(lambda: load_of(self.settings.base_urls[replica], self.key, timeout_s=10))

    def running(self) -> list[int]:
        """Return how many requests each replica says it is answering."""
        return [self.load(replica).running for replica in range(self.settings.replicas)]

    def post(self, replica: int, path: str, **body: Any) -> tuple[int, str]:
        """Ask a replica something that no model client asks; return the status and what it says."""
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        url = f"{self.settings.base_urls[replica]}/{path}"
        request = urllib.request.Request(url, json.dumps(body).encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def processes(self, replica: int) -> dict[str, int]:
        """Return the processes of a replica by what they are: ``server``, ``engine``, ``worker``."""
        words = {pid: _words(pid) for pid in descendants(self.pid)}
        port = str(self.settings.ports[replica])
        (server,) = (pid for pid, said in words.items() if "-I" not in said and "--port" in said and port in said)
        below = {pid: " ".join(words.get(pid, [])) for pid in descendants(server) - {server}}
        parts = {"engine": "EngineCore", "worker": "Worker"}
        return {"server": server} | {
            part: pid for part, title in parts.items() for pid, said in below.items() if title in said
        }

    def end(self) -> int:
        """Tell it to end, as a service manager does; return its exit status."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(90)

    def end_for_sure(self) -> None:
        """End it if it still runs; its servers end with it."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(90)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


def _words(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace").split("\0")
    except OSError:
        return []
