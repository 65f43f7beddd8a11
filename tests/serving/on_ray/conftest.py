"""A cluster as a user has it: ``moslm serve`` in a process of its own, and what runs below it."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from moslm.serving.machine import descendants

MOSLM = [sys.executable, "-c", "import sys; from moslm.cli import main; sys.exit(main())", "serve"]
PATIENCE_S = 180


class Serving:
    """``moslm serve`` with some settings, in a folder of its own."""

    def __init__(self, folder, settings, **environment):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        (folder / "moslm.toml").write_text(settings.replace("PORT", str(self.port)))
        self.folder, self.out = folder, folder / "out"
        home = folder / "home"
        home.mkdir()
        weights = Path(os.environ.get("MOSLM_HOME") or Path.home() / ".moslm") / "weights"
        (home / "weights").symlink_to(weights.resolve())
        # a home of its own as well: Ray must not write into it
        (folder / "user").mkdir()
        env = {**os.environ, "MOSLM_HOME": str(home), "HOME": str(folder / "user"), **environment}
        with self.out.open("wb") as out:
            self.process = subprocess.Popen(MOSLM, cwd=folder, env=env, stdout=out, stderr=out)

    def url(self, server):
        return f"http://127.0.0.1:{self.port}/{server}/v1"

    @property
    def said(self):
        return self.out.read_text()

    @property
    def log(self):
        files = (self.folder / "home/serving").glob("ray-*.log")
        return "".join(file.read_text(errors="replace") for file in files)

    def until(self, condition, seconds=PATIENCE_S):
        """Wait until something holds; fail, showing what was said, when it does not in time."""
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            assert self.process.poll() is None, f"ended\n{self.said}\n{self.log[-4000:]}"
            assert time.monotonic() < deadline, f"not within {seconds} s\n{self.said}\n{self.log[-4000:]}"
            time.sleep(0.1)
        return found

    def healthy(self, *servers):
        self.until(lambda: all(f"{each}  healthy: {self.url(each)}" in self.said for each in servers))
        return self

    def below(self):
        """Return the processes that descend from it."""
        return descendants(self.process.pid) - {self.process.pid}

    def replicas(self, server):
        """Return the processes of a server's replicas."""
        return sorted(pid for pid in self.below() if title_of(pid).startswith(f"ray::ServeReplica:{server}:"))

    def end(self, number=signal.SIGTERM):
        """End it; return its exit status and what of it is left."""
        below = self.below()
        self.process.send_signal(number)
        status = self.process.wait(60)
        left = below
        deadline = time.monotonic() + 30
        while left and time.monotonic() < deadline:
            left = {pid for pid in left if runs(pid)}
            time.sleep(0.1)
        return status, left


def title_of(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ""


def runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def get(url, timeout=10):
    with urllib.request.urlopen(url, timeout=timeout) as answer:
        return answer.read().decode()


@pytest.fixture(name="runs")
def runs_fixture():
    return runs


@pytest.fixture(name="title_of")
def title_of_fixture():
    return title_of


@pytest.fixture(name="get")
def get_fixture():
    return get


@pytest.fixture(scope="module")
def serving(tmp_path_factory):
    """Start ``moslm serve`` with settings; what still runs at the end is ended."""
    started = []

    def start(settings, **environment):
        started.append(Serving(tmp_path_factory.mktemp("serving"), settings, **environment))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.end()
