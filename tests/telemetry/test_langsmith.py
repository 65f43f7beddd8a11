"""What LangSmith receives, against a recorder that plays its endpoint on loopback."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from langchain_core.tracers.langchain import wait_for_all_tracers
from langgraph.checkpoint.memory import InMemorySaver
from langsmith import Client, tracing_context

from moslm import Config, ScriptedChatModel
from moslm.config import DomainSettings
from moslm.telemetry.hiding import client_without_texts

pytestmark = pytest.mark.loopback


class Recorder:
    """A LangSmith endpoint that keeps what it is sent: runs by name, and the raw bytes."""

    def __init__(self) -> None:
        self.raw = b""
        self.runs: dict[str, dict] = {}
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self._send({"batch_ingest_config": {"use_multipart_endpoint": True}})

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                recorder.raw += body
                recorder.take(json.loads(body))
                self._send({})

            do_PATCH = do_POST

            def _send(self, value):
                payload = json.dumps(value).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def take(self, run: dict) -> None:
        self.runs.setdefault(run["id"], {}).update(run)

    def named(self, name: str) -> list[dict]:
        return [run for run in self.runs.values() if run.get("name") == name]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def recorder():
    recorder = Recorder()
    yield recorder
    recorder.close()


@pytest.fixture
def client(recorder):
    # one request a run, sent by the thread that ends it: nothing to wait for in the background
    return Client(api_url=recorder.url, api_key="x", auto_batch_tracing=False)


def traced(graph, client, text="What is my budget?"):
    with tracing_context(client=client, project_name="p", enabled=True):
        result = graph.invoke({"messages": [("user", text)]}, {"run_name": "help desk"})
    wait_for_all_tracers()
    return result["decision"]


def test_the_root_run_can_be_filtered_by_domain_outcome_reason_confidence_and_cost(moslm, recorder, client):
    decision = traced(moslm(confidence=0.4, large="Large."), client)
    root = recorder.named("help desk")[0]
    metadata = root["extra"]["metadata"]
    assert metadata["moslm_decision"] == decision["id"]
    assert metadata["moslm_domain"] == "finance"
    assert metadata["moslm_action"] == "escalate"
    assert metadata["moslm_outcome"] == "escalated"
    assert metadata["moslm_reasons"] == "low_confidence"
    assert metadata["moslm_confidence"] == pytest.approx(0.4)
    assert metadata["moslm_cost_usd"] == decision["cost"]["spent_usd"]
    assert {"moslm", "moslm:finance", "moslm:escalated", "moslm:low_confidence"} <= set(root["tags"])


def test_every_step_is_a_span_of_its_own_name_and_appears_once(moslm, recorder, client):
    decision = traced(moslm(), client)
    for step in decision["steps"]:
        assert len(recorder.named(step["name"])) == 1, step["name"]


def test_the_models_of_domains_are_named_runs_with_usage(moslm, recorder, client):
    traced(moslm(), client)
    run = recorder.named("finance model")[0]
    assert run["run_type"] == "llm"
    assert "nostream" in run["tags"]


def test_nothing_is_sent_when_tracing_is_off(moslm, recorder, client):
    with tracing_context(client=client, enabled=False):
        moslm().invoke({"messages": [("user", "What is my budget?")]})
    assert recorder.raw == b""


class Fails(ScriptedChatModel):
    def _generate(self, messages, *args, **kwargs):
        raise RuntimeError(f"cannot answer {messages[-1].text}")


@pytest.mark.parametrize("kind", ["a model that fails", "a question to a person"])
def test_what_errors_quote_is_hidden_too_and_their_kind_is_not(moslm, recorder, kind):
    hiding = client_without_texts(api_url=recorder.url, api_key="x", auto_batch_tracing=False)
    text = "What is the budget of jane@contoso.example?"
    if kind == "a model that fails":
        traced(moslm({"finance": Fails()}, large="Large."), hiding, text)
        name, error = "finance model", "RuntimeError"
    else:
        config = Config(domains={"finance": DomainSettings(risk="high")})
        graph = moslm(confidence=0.2, large="Large.", config=config, checkpointer=InMemorySaver())
        with tracing_context(client=hiding, project_name="p", enabled=True):
            graph.invoke({"messages": [("user", text)]}, {"configurable": {"thread_id": "t"}})
        name, error = "review", "GraphInterrupt"
    assert recorder.named(name)[0]["error"] == error
    assert b"jane" not in recorder.raw
