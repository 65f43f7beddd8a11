"""The real ``langgraph dev`` server, one a module, in a folder of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_COMMAND = [str(Path(sys.executable).with_name("langgraph")), "dev", "--no-browser", "--no-reload"]


@pytest.fixture(scope="module")
def langgraph_server(tmp_path_factory):
    """Start a server: ``langgraph_server(config, NAME="value")`` returns its address."""
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("server")
        yield lambda config, **variables: stack.enter_context(_running(folder, config, variables))


@contextmanager
def _running(folder: Path, config: str, variables: dict[str, str]) -> Iterator[str]:
    (folder / "moslm.toml").write_text(config)
    # the server keeps threads and remembered answers in the folder it runs in: each run gets a folder of its own
    shutil.copytree(ROOT / "studio", folder / "studio")
    shutil.copy(ROOT / "langgraph.json", folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    home = {"MOSLM_CONFIG": str(folder / "moslm.toml"), "MOSLM_HOME": str(folder / "home")}
    quiet = {"LANGSMITH_TRACING": "false", "LANGGRAPH_CLI_NO_ANALYTICS": "1"}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [*_COMMAND, "--host", "127.0.0.1", "--port", str(port)],
            cwd=folder,
            env={**os.environ, **home, **quiet, **variables},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_until_up(f"http://127.0.0.1:{port}", process, folder / "log")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=20)


def _wait_until_up(url: str, process: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/ok", timeout=2):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.3)
    pytest.fail(f"langgraph dev did not come up:\n{log.read_text()[-3000:]}")
