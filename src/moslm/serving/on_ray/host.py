"""The process that is the cluster's host: ``python -m moslm.serving.on_ray.host --config FILE --status FILE NAME...``.

Starts a Ray cluster of its own on this machine, or joins the one that ``[ray] address`` names, brings the servers up
as applications of Ray Serve, and writes down how they are until it is told to end. Then its own cluster ends; of
another one it removes its applications and nothing else. ``moslm serve`` starts it; needs the extra ``ray``.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import secrets
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from moslm.config import Config, RaySettings, load
from moslm.errors import ConfigError, MoSLMError
from moslm.serving.on_ray.applications import Application, applications
from moslm.serving.on_ray.running import Standing
from moslm.serving.reasons import why

_STEP_S = 1.0
_CONNECT_S = 5.0
_OBJECT_STORE = 128 << 20
"""Bytes of shared memory for large values, which requests and answers are not; Ray would take 30 % of the memory."""
_PUSHES_PER_LOOK = 5
"""How often the number of requests is told within the time that it is averaged over."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run until told to end; 2 where it cannot start, for a reason told in one line."""
    parser = argparse.ArgumentParser(prog="moslm.serving.on_ray.host", description=__doc__, allow_abbrev=False)
    parser.add_argument("--config", help="the settings")
    parser.add_argument(
        "--status", type=Path, required=True, help="file that the standing of each server is written to"
    )
    parser.add_argument("names", nargs="+", metavar="NAME", help="servers to run")
    options = parser.parse_args(argv)
    try:
        config = load(options.config)
        ray = config.ray or RaySettings()
        servers = [(name, config.servers[name]) for name in options.names]
        built = applications(servers, ray, options.config)
        with _cluster(config, ray) as told:
            _serve(built, ray, {name: server.ready_s for name, server in servers}, options.status, told)
    except (MoSLMError, OSError) as error:
        print(f"moslm: {error}", flush=True)
        return 2
    return 0


@contextmanager
def _cluster(config: Config, settings: RaySettings) -> Iterator[threading.Event]:
    """Start or join the cluster; yields what tells that it shall end. At the end it is left as it was found."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ["RAY_COLOR_PREFIX"] = "0"
    # the path must be short: sockets lie below it
    folder = tempfile.mkdtemp(prefix="moslm-ray-", dir="/tmp") if settings.address is None else None
    if folder is not None:
        os.environ.update(_of_our_own(config))
    else:
        _check_answers(str(settings.address))
    import ray

    alone: dict[str, Any] = {"include_dashboard": False, "object_store_memory": _OBJECT_STORE, "_temp_dir": folder}
    told = threading.Event()
    try:
        ray.init(address=settings.address or "local", **({} if settings.address else alone))
        # ray.init takes SIGTERM for itself
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: told.set())
        yield told
    except ConnectionError as error:
        raise ConfigError(
            "no Ray cluster is found", key="ray.address", value=settings.address, mend=_first_line(error)
        ) from None
    finally:
        ray.shutdown()
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def _check_answers(address: str) -> None:
    """See that somebody takes connections where a cluster is said to be: Ray would try for minutes."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if not port.isdigit():
        return  # "auto" and the like: Ray finds out at once
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT_S).close()
    except OSError as error:
        mend = "start it (ray start --head), or correct [ray] address"
        raise ConfigError("no Ray cluster answers there", key="ray.address", value=address, mend=mend) from error


def _of_our_own(config: Config) -> dict[str, str]:
    """Return the environment of a cluster of our own: loopback alone, and a token that lives as long as the cluster.

    Ray would write one into the home folder and keep it. Whoever may talk to a cluster may run anything there, so there
    must be one.
    """
    looks = [server.scaling.look_back_s for server in config.servers.values() if server.scaling]
    push_s = str(min([10.0, *(seconds / _PUSHES_PER_LOOK for seconds in looks)]))
    return {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        # in spite of its name it holds on Linux too: the node's address is 127.0.0.1
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        "RAY_SERVE_HANDLE_AUTOSCALING_METRIC_PUSH_INTERVAL_S": push_s,
        "RAY_SERVE_REPLICA_AUTOSCALING_METRIC_PUSH_INTERVAL_S": push_s,
    }


def _serve(
    built: Sequence[Application], settings: RaySettings, ready_s: Mapping[str, float], file: Path, told: threading.Event
) -> None:
    from ray import serve
    from ray.serve import RunTarget
    from ray.serve.schema import LoggingConfig

    quiet = LoggingConfig(enable_access_log=False)
    serve.start(http_options={"host": settings.host, "port": settings.port}, logging_config=quiet)
    there = set(serve.status().applications) & {each.name for each in built}
    if there:
        raise MoSLMError(f"the cluster runs an application {min(there)} already, which is not ours; rename the server")
    targets = [
        RunTarget(_build(each), name=each.name, route_prefix=f"/{each.name}", logging_config=quiet) for each in built
    ]
    try:
        serve.run_many(targets, wait_for_ingress_deployment_creation=False, wait_for_applications_running=False)
        _watch(serve, ready_s, file, told)
    finally:
        # a cluster of our own ends with all there is in it
        if settings.address is not None:
            for name in set(serve.status().applications) & set(ready_s):
                serve.delete(name)


def _build(application: Application) -> Any:
    module, _, function = application.import_path.partition(":")
    return getattr(importlib.import_module(module), function)(application.args)


def _watch(serve: Any, ready_s: Mapping[str, float], file: Path, told: threading.Event) -> None:
    """Write down how the servers are; remove those that do not come up."""
    begun, standings = time.monotonic(), dict.fromkeys(ready_s, Standing())
    waiting = dict(ready_s)
    while not told.wait(_STEP_S):
        there = serve.status().applications
        for name in [each for each, standing in standings.items() if not standing.problem]:
            standings[name] = _standing(there.get(name))
            if standings[name].running:
                waiting.pop(name, None)
            problem = standings[name].problem
            if name in waiting and not problem and time.monotonic() - begun > waiting[name]:
                problem = f"was not healthy after {waiting[name]:g} s{_and_why(there.get(name))}"
            if problem:
                standings[name] = Standing(problem=problem)
                serve.delete(name, _blocking=False)
        part = file.with_suffix(".part")
        part.write_text(json.dumps({name: asdict(each) for name, each in standings.items()}), encoding="utf-8")
        part.replace(file)


def _standing(status: Any) -> Standing:
    """Return how an application is, as Ray Serve tells it."""
    if status is None:
        return Standing(problem="somebody has removed it from the cluster")
    if status.status == "DEPLOY_FAILED":
        told = " ".join(each.message for each in status.deployments.values()) or status.message
        # a replica's own process says why by a RuntimeError; what else there is keeps its name
        return Standing(problem=why(None, told).removeprefix("RuntimeError: "))
    running = wanted = 0
    # the engines' deployment is the one with the most replicas; Ray Serve LLM has one that passes requests on beside it
    for each in status.deployments.values():
        states = {str(getattr(state, "value", state)): count for state, count in each.replica_states.items()}
        if sum(states.values()) - states.get("STOPPING", 0) >= wanted:
            running, wanted = states.get("RUNNING", 0), sum(states.values()) - states.get("STOPPING", 0)
    return Standing(running, wanted)


def _and_why(status: Any) -> str:
    messages = [each.message for each in status.deployments.values() if each.message] if status else []
    return f": {_first_line(messages[0])}" if messages else ""


def _first_line(text: object) -> str:
    return (str(text).strip().splitlines() or ["it does not say why"])[0]


if __name__ == "__main__":
    sys.exit(main())
