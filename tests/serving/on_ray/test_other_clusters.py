"""A cluster that somebody else runs: servers come and go on it, with engines of their own, and it stays."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

pytestmark = [pytest.mark.loopback, pytest.mark.slow]

FAKE = Path(__file__).parents[1] / "fake_vllm.py"
THEIRS = """
import os, sys, ray, signal
from ray import serve
ray.init(address="local", num_cpus=4, include_dashboard=False, object_store_memory=80 << 20, _temp_dir=sys.argv[2])
serve.start(http_options={"host": "127.0.0.1", "port": int(sys.argv[1])})

@serve.deployment(ray_actor_options={"num_cpus": 0})
class Theirs:
    async def __call__(self, request):
        return "theirs"

serve.run(Theirs.bind(), name="theirs", route_prefix="/theirs")
print("address", ray.get_runtime_context().gcs_address, flush=True)
sys.stdin.read()
ray.shutdown()
"""
SETTINGS = """
[servers.base]
model = "org/base"
device = "cpu"
replicas = 2
command = {command}
env = {{ FAKE_VLLM_NOTES = "{notes}" }}
adapters = {{ finance = "org/finance" }}

[servers.broken]
model = "org/base"
device = "cpu"
command = {command}
env = {{ FAKE_VLLM_NOTES = "{notes}", FAKE_VLLM = "oom" }}

[ray]
address = "{address}"
port = {port}
"""
ENVIRONMENT = {
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": "0123456789abcdef" * 4,
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
}


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    """Somebody's cluster; yields the port of its Ray Serve and its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = tmp_path_factory.mktemp("theirs")
    folder = Path("/tmp") / f"theirs-{os.getpid()}"
    command = [sys.executable, "-c", THEIRS, str(port), str(folder)]
    with (home / "log").open("w") as log:
        cluster = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**os.environ, "HOME": str(home), **ENVIRONMENT},
        )
    line = next((line for line in cluster.stdout if line.startswith("address")), "")
    assert line, (home / "log").read_text()
    yield port, line.split()[1]
    cluster.communicate("")
    subprocess.run(["rm", "-rf", str(folder)], check=True)


@pytest.fixture(scope="module")
def notes(tmp_path_factory):
    return tmp_path_factory.mktemp("notes")


@pytest.fixture(scope="module")
def ours(serving, theirs, notes):
    port, address = theirs
    command = [sys.executable, str(FAKE), "serve"]
    settings = SETTINGS.format(command=command, notes=notes, port=port, address=address)
    started = serving(settings, **ENVIRONMENT)
    started.port = port
    return started.healthy("base")


def engines(notes):
    return [int(line.split()[0]) for file in notes.glob("*.pids") for line in file.read_text().splitlines()]


def stream(url, tokens, timeout=30):
    body = json.dumps({"model": "base", "messages": [], "max_tokens": tokens, "stream": True}).encode()
    return urllib.request.urlopen(urllib.request.Request(f"{url}/chat/completions", body), timeout=timeout)


def test_each_replica_runs_the_server_and_passes_on_what_is_said(ours, notes, runs, get):
    ours.until(lambda: len([pid for pid in engines(notes) if runs(pid)]) == 2)
    assert [each["id"] for each in json.loads(get(f"{ours.url('base')}/models"))["data"]] == ["base", "finance"]
    with stream(ours.url("base"), 20) as answer:
        lines = [line for line in answer.read().decode().splitlines() if line]
    assert len(lines) == 21
    assert lines[-1] == "data: [DONE]"


def test_a_caller_who_hangs_up_stops_the_engine(ours, notes):
    with stream(ours.url("base"), 10_000) as answer:
        answer.readline()
    ours.until((notes / "hung_up").exists, 20)


def test_an_answer_torn_by_the_engine_is_torn_for_the_caller_and_the_replica_replaced(ours, notes, runs):
    first = {pid for pid in engines(notes) if runs(pid)}
    with stream(ours.url("base"), 10_000) as answer:
        answer.readline()
        for pid in first:
            os.kill(pid, signal.SIGKILL)
        with pytest.raises(Exception, match=r"IncompleteRead|[Cc]onnection"):
            answer.read()
    ours.until(lambda: len({pid for pid in engines(notes) if runs(pid)} - first) == 2, 60)
    with stream(ours.url("base"), 3) as answer:
        assert b"[DONE]" in answer.read()


def test_a_server_that_does_not_come_up_is_one_line_and_takes_no_other_with_it(ours):
    ours.until(lambda: "broken  failed: out of memory; lower context" in ours.said)
    assert "Traceback" not in ours.said


def test_what_is_not_ours_stays_when_we_go(ours, theirs, notes, runs, get):
    status, left = ours.end()
    assert (status, left) == (1, set())
    assert not [pid for pid in engines(notes) if runs(pid)]
    assert get(f"http://127.0.0.1:{theirs[0]}/theirs") == "theirs"
    with pytest.raises(urllib.error.HTTPError):
        get(f"{ours.url('base')}/models")
