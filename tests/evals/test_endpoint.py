"""Any OpenAI-compatible server is a system; what nobody knows the price of is never free."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from moslm.evals.cases import Case
from moslm.evals.metrics import METRICS
from moslm.evals.running.plan import Plan, evaluate
from moslm.evals.suites.suite import Suite

pytestmark = pytest.mark.loopback


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(asked)  # type: ignore[attr-defined]
        message = {"role": "assistant", "content": "It is 140 euros."}
        body = {
            "id": "1",
            "object": "chat.completion",
            "created": 1,
            "model": asked["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
        }
        told = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    made = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    made.asked = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


def run(server, tmp_path, model, settings=""):
    (tmp_path / "moslm.toml").write_text(f"[defaults.model]\nkind = 'scripted'\n{settings}")
    cases = tuple(
        Case(id=str(i), question=f"Limit of room {i}?", context="Hotels.", expected=140, grader="number")
        for i in range(3)
    )
    url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    suites = [Suite("mine", "Mine.", "Apache-2.0", cases)]
    plan = Plan(suites, str(tmp_path / "moslm.toml"), systems=(), endpoint=(url, model))
    return plan, evaluate(plan, tmp_path / "run", step=lambda outcome: None).outcomes


def test_an_endpoint_is_asked_and_graded(server, tmp_path):
    _, found = run(server, tmp_path, "somebodys-model")
    assert [(each.system, each.ending, each.way) for each in found] == [("endpoint", "right", "local")] * 3
    assert (found[0].input_tokens, found[0].output_tokens) == (1000, 100)
    assert server.asked[0]["model"] == "somebodys-model"
    assert server.asked[0]["messages"][-1]["content"].startswith("Hotels.\n\nLimit of room")
    assert [each.usd for each in found] == [None] * 3
    assert METRICS["cost_per_success"](found).value is None


def test_an_endpoint_with_a_price_is_paid_once(server, tmp_path):
    price = '[prices]\n"somebodys-model" = { input = 1.0, output = 10.0 }\n'
    plan, found = run(server, tmp_path, "somebodys-model", price)
    assert [each.usd for each in found] == pytest.approx([0.002] * 3)
    (tmp_path / "run/outcomes.jsonl").write_text("")
    again = evaluate(plan, tmp_path / "run", step=lambda outcome: None).outcomes
    assert [each.answer for each in again] == [each.answer for each in found]
    assert len(server.asked) == 3


def test_an_endpoint_that_is_not_there_is_a_failed_outcome(server, tmp_path):
    server.shutdown()
    server.server_close()
    _, found = run(server, tmp_path, "somebodys-model")
    assert [each.ending for each in found] == ["failed"] * 3
    assert METRICS["availability"](found).value == 0.0
