import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from moslm.config import ServerSettings

FAKE = Path(__file__).with_name("fake_vllm.py")


def until(condition, seconds=60):
    """Wait until a condition holds; fail when it does not in time. Busy machines start processes slowly."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.05)
    return found


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture(name="until")
def until_fixture():
    return until


@pytest.fixture(name="is_running")
def is_running_fixture():
    return is_running


@pytest.fixture
def free_port():
    """Return the first of some ports in a row that nobody listens on."""

    def found(count=1):
        for _ in range(50):
            with socket.socket() as first:
                first.bind(("127.0.0.1", 0))
                port = first.getsockname()[1]
            if port + count < 65_536 and all(_is_free(each) for each in range(port, port + count)):
                return port
        raise AssertionError("no free ports")

    return found


def _is_free(port):
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) != 0


class Fake:
    """The scripted vLLM: settings that start it, and the processes it made."""

    def __init__(self, notes):
        self.notes = notes

    def settings(self, port, mode="ok", **settings):
        env = {"FAKE_VLLM": mode, "FAKE_VLLM_NOTES": str(self.notes)}
        command = [sys.executable, str(FAKE), "serve"]
        values = {"model": "org/base", "port": port, "command": command, "env": env, "device": "cpu", **settings}
        return ServerSettings.model_validate(values)

    def pids(self, port):
        """Return the processes of each start on a port: the server's own and its engine's."""
        file = self.notes / f"{port}.pids"
        lines = file.read_text().splitlines() if file.exists() else []
        return [tuple(map(int, line.split())) for line in lines]

    def start_apart(self, port, name="small"):
        """Start one that is nobody's child here, as somebody else would have."""
        env = {**os.environ, "FAKE_VLLM_NOTES": str(self.notes)}
        command = [sys.executable, str(FAKE), "serve", "m", "--port", str(port), "--served-model-name", name]
        return subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)


@pytest.fixture
def fake(tmp_path):
    notes = tmp_path / "notes"
    notes.mkdir()
    made = Fake(notes)
    yield made
    left = [pid for port in notes.glob("*.pids") for pids in made.pids(int(port.stem)) for pid in pids]
    for pid in filter(is_running, left):
        os.kill(pid, 9)
