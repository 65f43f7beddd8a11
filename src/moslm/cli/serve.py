"""``moslm serve``: brings up the configured model servers, shows how they are, and takes them down when it ends."""

from __future__ import annotations

import argparse
import errno
import os
import select
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import yaml

from moslm.cli.board import board_on
from moslm.cli.settings import add_config, config_file
from moslm.config import Config, RaySettings, ServerSettings, home, load
from moslm.errors import ConfigError
from moslm.serving.launching import launches
from moslm.serving.on_ray.applications import applications, as_config
from moslm.serving.on_ray.running import check_installed, launches_on_ray, start_on_ray
from moslm.serving.supervising import Supervisor

HELP = "Bring up the configured model servers and watch them"

_STEP_S = 0.5


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add which servers, and whether to show their command lines alone."""
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="servers to bring up; by default all that are configured"
    )
    parser.add_argument("--print", action="store_true", help="print the command lines and start nothing")
    parser.add_argument(
        "--engine",
        choices=("processes", "ray"),
        help="who runs the replicas: each is a process of this machine, or Ray Serve does; by default Ray where the "
        "settings have a [ray] section. With ray, --print prints Ray Serve's configuration file",
    )
    add_config(parser)


def run(options: argparse.Namespace) -> int:
    """Serve until told to end; 1 when a server failed, 2 when all did."""
    file = config_file(options.config)
    config = load(file)
    chosen = _chosen(config, options.names, file)
    on_ray = options.engine == "ray" or (options.engine is None and config.ray is not None)
    if options.print:
        print(_as_ray_config(config, chosen, file) if on_ray else _as_lines(chosen, file))
        return 0
    with _told_to_end() as told, (_on_ray if on_ray else _as_processes)(config, chosen, file) as supervisor:
        try:
            return _serve(supervisor, told)
        except OSError as error:
            # the terminal has gone: leaving ends the servers
            if error.errno != errno.EIO:
                raise
            return 128 + signal.SIGHUP


def _serve(supervisor: Supervisor, told: _Told) -> int:
    with board_on() as board:
        supervisor.begin()
        while not told.wait(_STEP_S):
            supervisor.step()
            board.show(supervisor.replicas)
            if supervisor.all_failed:
                return 2
        board.say(f"told to end by {signal.Signals(told.number).name}: stopping the servers")
        supervisor.stop()
        board.show(supervisor.replicas)
    return 1 if any(replica.state == "failed" for replica in supervisor.replicas) else 0


Chosen = Sequence[tuple[str, ServerSettings]]


def _chosen(config: Config, names: Sequence[str], file: str | None) -> Chosen:
    if not config.servers:
        mend = "add a [servers.NAME] section; see: moslm config example"
        raise ConfigError("no server is configured", file=file, key="servers", mend=mend)
    for name in names:
        if name not in config.servers:
            close = get_close_matches(name, config.servers, n=1)
            mend = f"did you mean {close[0]}?" if close else f"there are {', '.join(config.servers)}"
            raise ConfigError("no such server", file=file, key=f"servers.{name}", mend=mend)
    return [(name, config.servers[name]) for name in dict.fromkeys(names or config.servers)]


def _as_processes(_: Config, chosen: Chosen, file: str | None) -> Supervisor:
    return Supervisor([launch for name, server in chosen for launch in launches(name, server, file)], _logs())


def _as_lines(chosen: Chosen, file: str | None) -> str:
    return "\n".join(launch.line for name, server in chosen for launch in launches(name, server, file))


def _on_ray(config: Config, chosen: Chosen, file: str | None) -> Supervisor:
    if config.ray is None:
        print(
            "the domains of these settings ask the ports of [servers]; an empty [ray] section sends them to Ray Serve"
        )
    ray = config.ray or RaySettings()
    status = _logs() / f"ray-{ray.port}.json"
    check_installed(applications(chosen, ray, file))
    return Supervisor(launches_on_ray(chosen, ray, file, status), _logs(), start=start_on_ray(status))


def _as_ray_config(config: Config, chosen: Chosen, file: str | None) -> str:
    ray = config.ray or RaySettings()
    return str(yaml.safe_dump(as_config(applications(chosen, ray, file), ray), sort_keys=False)).rstrip()


def _logs() -> Path:
    return home() / "serving"


@dataclass(slots=True)
class _Told:
    """Whether a signal has told us to end; waiting for it wakes up at once."""

    wakes: int
    """Reading end of a pipe that the signal writes to."""
    number: int = 0

    def wait(self, seconds: float) -> bool:
        if not self.number:
            select.select([self.wakes], [], [], seconds)
        return bool(self.number)


@contextmanager
def _told_to_end() -> Iterator[_Told]:
    """Turn the signals that end a command into a word to the one that waits, so that servers are ended in order."""
    reading, writing = os.pipe()
    told = _Told(reading)

    def tell(number: int, _frame: object) -> None:
        told.number = told.number or number
        os.write(writing, b".")

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, tell) for number in numbers}
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(reading)
        os.close(writing)
