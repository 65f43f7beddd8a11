"""Ray as ``moslm serve`` runs it: one process for the whole cluster, looked at as one server after another.

The process is `moslm.serving.on_ray.host`, behind the same keeper as every server: whoever started it is gone, so is
the cluster. It writes down how each server is (`Standing`), and is ended when the last of them is let go.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from moslm.config import RaySettings, ServerSettings
from moslm.errors import MissingExtraError
from moslm.serving.child import Child
from moslm.serving.launching import Launch
from moslm.serving.machine import descendants, gpu_memory_of, memory_of
from moslm.serving.on_ray.applications import Application
from moslm.serving.replica import Start

_MORE_S = 60.0
"""The cluster's own time to come up, beside the server's ``ready_s``, which the process keeps itself."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a server is on the cluster."""

    running: int = 0
    """Replicas that answer."""
    wanted: int = 0
    """Replicas there should be now."""
    problem: str = ""
    """Why it is given up."""


def check_installed(built: Sequence[Application]) -> None:
    """Check that Ray is here, and vLLM where Ray Serve LLM is to run it.

    Raises:
        MissingExtraError: The extra ``ray`` or ``ray-llm`` is not installed.
    """
    if find_spec("ray") is None:
        raise MissingExtraError("moslm serve --engine ray", "ray")
    for module in ("aiohttp", "fastapi", "starlette", "uvicorn", "httpx"):
        if find_spec(module) is None:
            raise MissingExtraError("Ray Serve", "ray")
    if find_spec("vllm") is None and any(each.through_llm for each in built):
        raise MissingExtraError("vLLM on GPUs by Ray Serve LLM", "ray-llm")


def launches_on_ray(
    servers: Iterable[tuple[str, ServerSettings]], ray: RaySettings, file: str | None, status: Path
) -> list[Launch]:
    """Return how each server is started: all by the one command of the cluster.

    Args:
        servers: Name and section of each.
        ray: The ``[ray]`` section.
        file: File they stand in.
        status: File that the command writes the standing of each to.
    """
    given = list(servers)
    names = [name for name, _ in given]
    config = ["--config", str(Path(file).resolve())] if file else []
    command = (sys.executable, "-m", "moslm.serving.on_ray.host", *config, "--status", str(status), *names)
    return [
        Launch(
            server=name,
            replica=0,
            base_url=ray.base_url(name),
            port=ray.port,
            models=(server.name or name, *server.adapters),
            command=command,
            env={},
            ready_s=server.ready_s + _MORE_S,
            restarts=server.restarts,
            key_env=server.api_key_env,
            together=f"ray-{ray.port}",
            shares_port=ray.address is not None,
        )
        for name, server in given
    ]


def start_on_ray(status: Path) -> Start:
    """Return what starts servers on Ray: the first starts the process, the others share it."""
    held: list[_Cluster] = []

    def start(launch: Launch, log: Path) -> _Part:
        if not held or held[0].child.status is not None:
            status.unlink(missing_ok=True)
            held[:] = [_Cluster(Child(launch.command, {}, log), status)]
        return _Part(held[0], launch.server)

    return start


class _Cluster:
    """The process, and who holds it."""

    def __init__(self, child: Child, status: Path) -> None:
        self.child, self._file = child, status
        self.holders: set[str] = set()

    def standing(self, server: str) -> Standing:
        try:
            told = json.loads(self._file.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return Standing()
        return Standing(**told[server]) if server in told else Standing()


class _Part:
    """One server's part in the process."""

    def __init__(self, cluster: _Cluster, server: str) -> None:
        self._cluster, self._server = cluster, server
        cluster.holders.add(server)

    @property
    def status(self) -> int | None:
        return self._cluster.child.status

    @property
    def tail(self) -> str:
        return self._cluster.child.tail

    @property
    def problem(self) -> str:
        return self._cluster.standing(self._server).problem

    @property
    def replicas(self) -> str:
        standing = self._cluster.standing(self._server)
        of = f" of {standing.wanted}" if standing.wanted != standing.running else ""
        return f"{standing.running}{of} {'replica' if standing.running == 1 and not of else 'replicas'}"

    def memory(self) -> tuple[int, int]:
        """Return what its replicas take; the cluster's own share is nobody's."""
        replicas = {pid for pid in descendants(self._cluster.child.pid) if _runs(pid, self._server)}
        below = {each for pid in replicas for each in descendants(pid)}
        return memory_of(below), gpu_memory_of(below)

    def ask_to_stop(self) -> None:
        self._let_go(self._cluster.child.ask_to_stop)

    def stop(self) -> None:
        self._let_go(self._cluster.child.stop)

    def _let_go(self, last: Callable[[], None]) -> None:
        self._cluster.holders.discard(self._server)
        if not self._cluster.holders:
            last()


def _runs(pid: int, server: str) -> bool:
    """Tell whether a process is a replica of a server, by the title that Ray gives it."""
    try:
        title = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return False
    return title.startswith(f"ray::ServeReplica:{server}:")
