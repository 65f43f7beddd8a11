"""The real `langgraph dev` server over a sealed Postgres: threads go on, and no table or file of ours holds a word."""

from __future__ import annotations

import base64
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import psycopg
import pytest
from langgraph_sdk import get_sync_client
from postgres_server import PostgresServer

ROOT = Path(__file__).resolve().parents[2]
CANARY = "canary-maria-keller"
CONFIG = """
[defaults.model]
kind = "scripted"
replies = ["The scripted answer of this domain to canary-maria-keller."]
confidence = 0.95

[recall]
enabled = false

[privacy]
key_env = "KEK"

[at_rest]
seal = true

[checkpoints]
postgres_url_env = "DSN"
"""
ASKED = {"messages": [{"role": "user", "content": f"What is left of the travel budget of {CANARY} this quarter?"}]}
pytestmark = [pytest.mark.loopback, pytest.mark.slow]


@pytest.fixture(scope="module")
def postgres():
    made = PostgresServer()
    made.start()
    yield made
    made.remove()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("server")
    (made / "moslm.toml").write_text(CONFIG)
    shutil.copytree(ROOT / "studio", made / "studio")
    shutil.copy(ROOT / "langgraph.sealed.json", made)
    return made


@pytest.fixture(scope="module")
def serve(folder, postgres):
    """Start the server, as often as it is asked to."""
    environment = {
        **os.environ,
        "MOSLM_CONFIG": str(folder / "moslm.toml"),
        "MOSLM_HOME": str(folder / "home"),
        "KEK": base64.b64encode(os.urandom(32)).decode(),
        "DSN": postgres.url,
        "LANGSMITH_TRACING": "false",
        "LANGGRAPH_CLI_NO_ANALYTICS": "1",
    }
    started = []

    def start():
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = [str(Path(sys.executable).with_name("langgraph")), "dev", "--no-browser", "--no-reload"]
        command += ["--config", "langgraph.sealed.json", "--host", "127.0.0.1", "--port", str(port)]
        with (folder.with_name("server.log")).open("w") as log:
            started.append(subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log))
        _wait_until_up(f"http://127.0.0.1:{port}", started[-1], folder.with_name("server.log"))
        return f"http://127.0.0.1:{port}", started[-1]

    yield start
    for each in started:
        if each.poll() is None:
            each.terminate()
            each.wait(timeout=20)


def _wait_until_up(url, process, log):
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/ok", timeout=2):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.3)
    pytest.fail(f"langgraph dev did not come up:\n{log.read_text()[-3000:]}")


def tables(postgres):
    found = b""
    with psycopg.connect(postgres.url) as db:
        for (table,) in db.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall():
            with db.cursor().copy(f"COPY {table} TO STDOUT (FORMAT binary)") as copied:
                found += b"".join(bytes(each) for each in copied)
    return found


def test_a_thread_goes_on_after_a_restart_and_no_table_or_file_of_ours_holds_a_word_of_it(serve, folder, postgres):
    url, process = serve()
    with get_sync_client(url=url) as client:
        assistant = client.assistants.search(graph_id="moslm")[0]["assistant_id"]
        thread = client.threads.create(metadata={"about": CANARY})["thread_id"]
        said = client.runs.wait(thread, assistant, input=ASKED)
        assert CANARY in said["messages"][-1]["content"]
        assert client.threads.get_state(thread)["values"]["decision"]["outcome"] == "answered"
    process.terminate()
    process.wait(timeout=20)
    kept = tables(postgres)
    assert len(kept) > 1000
    assert CANARY.encode() not in kept
    # the development server keeps its own list of threads in clear, docs/guides/at-rest.md
    shutil.rmtree(folder / ".langgraph_api")
    files = [each for each in folder.rglob("*") if each.is_file() and each.name != "moslm.toml"]
    assert any(each.name == "audit.sqlite" for each in files)
    assert [str(each) for each in files if CANARY.encode() in each.read_bytes()] == []
    url, _ = serve()
    with get_sync_client(url=url) as client:
        client.threads.create(thread_id=thread)
        assistant = client.assistants.search(graph_id="moslm")[0]["assistant_id"]
        again = client.runs.wait(thread, assistant, input=ASKED)
        assert len(again["messages"]) == 4
