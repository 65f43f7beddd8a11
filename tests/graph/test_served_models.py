"""A model server that is slow, down or answers garbage, behind the whole graph: a typed outcome, and on time."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from moslm import Config, create_moslm
from moslm.config import Defaults, DomainSettings, VLLMModel

pytestmark = pytest.mark.loopback

DEADLINE_MS = 500
LATEST_S = 3.0
"""Between the deadline of 0.5 s and the 10 s that the slow servers take."""
QUESTION: Any = {"messages": [("user", "What is my budget?")]}
WAYS = pytest.mark.parametrize("way", ["invoke", "ainvoke"])


def whole(content: Any = "Forty thousand.", **more: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": content, **more.pop("message", {})}
    choice = {"index": 0, "message": message, "logprobs": sure("Forty", " thousand."), "finish_reason": "stop"}
    usage = {"prompt_tokens": 12, "completion_tokens": 2, "total_tokens": 14}
    answer = {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "usage": usage}
    return {**answer, "choices": [{**choice, **more.pop("choice", {})}], **more}


def sure(*tokens: str, logprob: Any = -0.01) -> dict[str, Any]:
    return {"content": [{"token": each, "logprob": logprob, "bytes": None, "top_logprobs": []} for each in tokens]}


def in_pieces(body: dict[str, Any]) -> bytes:
    """Write an answer as a server streams it: what it says, then that it is finished, then what it took."""
    shared = {**body, "object": "chat.completion.chunk"}
    usage, choices = shared.pop("usage", None), shared.pop("choices", None) or []
    said = [{**each, "delta": each.get("message"), "finish_reason": None} for each in choices]
    ended = [{"index": 0, "delta": {}, "finish_reason": each.get("finish_reason")} for each in choices]
    pieces = [{**shared, "choices": said}, {**shared, "choices": ended}]
    pieces += [{**shared, "choices": [], "usage": usage}] if usage else []
    return b"".join(f"data: {json.dumps(piece)}\n\n".encode() for piece in pieces) + b"data: [DONE]\n\n"


class Served(ThreadingHTTPServer):
    """Answers every request with the next of its bodies; the last one repeats."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.bodies: list[Any] = [whole()]
        self.status, self.delay_s, self.drips, self.cut = 200, 0.0, False, False
        self.requests: list[dict[str, Any]] = []
        self.over = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: Served

    def do_POST(self) -> None:
        server = self.server
        server.requests.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        server.over.wait(server.delay_s)
        body = server.bodies[min(len(server.requests), len(server.bodies)) - 1]
        streamed = isinstance(body, dict) and server.requests[-1].get("stream") and server.status == 200
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        payload = in_pieces(body) if streamed else payload
        length = len(payload) * (2 if server.cut else 1)
        payload = payload[: len(payload) // 2] if server.cut and streamed else payload
        self.send_response(server.status)
        self.send_header("Content-Type", "text/event-stream" if streamed else "application/json")
        self.send_header("Content-Length", str(length))
        self.end_headers()
        try:
            for i in range(len(payload)) if server.drips else ():
                self.wfile.write(payload[i : i + 1])
                if server.over.wait(0.05):
                    return
            if not server.drips:
                self.wfile.write(payload)
        except OSError:
            return

    def log_message(self, *args: Any) -> None:
        return


@pytest.fixture
def server() -> Iterator[Served]:
    server = Served()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.over.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def served(chosen, scripted):
    """Build a graph whose finance is served at an address, and whose large model answers "From above."."""

    def build(*urls: str, **domain: Any) -> Any:
        model = VLLMModel(kind="vllm", name="finance-7b", base_url=list(urls))
        finance = DomainSettings(model=model, use_tools="never", **domain)
        config = Config(defaults=Defaults(deadline_ms=DEADLINE_MS, confidence="mean"), domains={"finance": finance})
        return create_moslm(config, classifier=chosen(), large_model=scripted("From above.", 0.9)).compile()

    return build


async def asked(graph: Any, way: str) -> tuple[str, dict[str, Any]]:
    started = time.monotonic()
    result = graph.invoke(QUESTION) if way == "invoke" else await graph.ainvoke(QUESTION)
    assert time.monotonic() - started < LATEST_S
    return result["messages"][-1].text, result["decision"]


@WAYS
async def test_a_served_model_answers_with_its_confidence_and_usage(server, served, way):
    text, decision = await asked(served(server.url), way)
    assert text == "Forty thousand."
    assert decision["confidence"] == pytest.approx(0.99, abs=0.001)
    assert decision["usage"][0] | {"cost_usd": 0} == {
        "model": "finance-7b",
        "role": "small",
        "calls": 1,
        "input_tokens": 12,
        "output_tokens": 2,
        "cost_usd": 0,
        "known": True,
    }


@WAYS
async def test_a_server_that_is_down_sends_the_request_up(served, way):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        text, decision = await asked(served(f"http://127.0.0.1:{free.getsockname()[1]}/v1"), way)
    assert text == "From above."
    assert decision["drafts"][0]["error"] == "down"


@WAYS
async def test_a_server_that_is_down_is_stood_in_for_by_the_next(server, served, way):
    text, _ = await asked(served("http://127.0.0.1:9/v1", server.url), way)
    assert text == "Forty thousand."


@WAYS
async def test_a_slow_server_is_given_up_at_the_deadline(server, served, way):
    server.delay_s = 10
    text, decision = await asked(served(server.url), way)
    assert text == "From above."
    assert decision["drafts"][0]["error"] == "timeout"
    assert decision["reasons"][0]["detail"] == "finance-7b did not answer before its deadline"


@WAYS
async def test_a_server_whose_answer_drips_for_ever_is_given_up_at_the_deadline(server, served, way):
    server.drips = True
    text, decision = await asked(served(server.url), way)
    assert text == "From above."
    assert decision["drafts"][0]["error"] == "timeout"


GARBAGE = {
    "a page of HTML": b"<html>I am a proxy at 10.0.0.7</html>",
    "a list": [],
    "nothing": b"",
    "null choices": {"choices": None},
    "no choices": whole() | {"choices": []},
    "an error in a success": {"error": "secret /srv/models/key"},
    "a choice without a message": whole() | {"choices": [{"index": 0, "finish_reason": "stop"}]},
    "no words and no calls": whole(None),
    "blanks": whole("  \n "),
    "a number for words": whole(7),
    "not UTF-8": b"\xff\xfe\x00",
    "deep nesting": b"[" * 100_000,
}


@WAYS
@pytest.mark.parametrize("body", GARBAGE)
async def test_garbage_is_a_reason_that_shows_nothing_of_the_garbage(server, served, way, body):
    server.bodies = [GARBAGE[body]]
    text, decision = await asked(served(server.url), way)
    assert text == "From above."
    assert [reason["trigger"] for reason in decision["reasons"]] == ["backend_failed"]
    assert decision["drafts"][0]["error"] in ("garbled", "failed")
    assert not {"secret", "10.0.0.7", "127.0.0.1"} & set(json.dumps(decision).split())


@WAYS
async def test_an_answer_that_breaks_off_is_a_reason(server, served, way):
    server.cut = True
    text, decision = await asked(served(server.url), way)
    assert text == "From above."
    assert decision["drafts"][0]["error"] is not None


@pytest.mark.parametrize("status", [302, 400, 401, 404, 429, 500, 503])
async def test_every_refusal_of_a_server_is_a_reason(server, served, status):
    server.status = status
    text, decision = await asked(served(server.url), "invoke")
    assert text == "From above."
    assert [reason["trigger"] for reason in decision["reasons"]] == ["backend_failed"]


@pytest.mark.parametrize(
    "logprobs",
    [
        None,
        {"content": None},
        {"content": "high"},
        sure("Forty", logprob="high"),
        sure("Forty", logprob=float("nan")),
        sure("Forty", logprob=5.0),
        sure("Forty", logprob=None),
    ],
    ids=str,
)
async def test_log_probabilities_that_are_none_are_unknown_and_unknown_is_low(server, served, logprobs):
    server.bodies = [whole(choice={"logprobs": logprobs})]
    text, decision = await asked(served(server.url), "invoke")
    assert text == "From above."
    assert decision["confidence"] is None
    assert decision["outcome"] == "escalated"


@pytest.mark.parametrize("usage", [None, {"prompt_tokens": -5, "completion_tokens": -5, "total_tokens": -10}], ids=str)
async def test_a_usage_that_is_missing_or_cannot_be_is_estimated_and_called_so(server, served, usage):
    server.bodies = [whole(usage=usage)]
    _, decision = await asked(served(server.url), "invoke")
    small = decision["usage"][0]
    assert small["known"] is False
    assert small["input_tokens"] > 10
    assert small["output_tokens"] == 4


async def test_a_call_of_a_tool_by_a_model_that_has_none_is_garbage_and_asks_no_person(server, served):
    server.bodies = [calling("rm", "{}")]
    text, decision = await asked(served(server.url), "invoke")
    assert text == "From above."
    assert decision["drafts"][0]["error"] == "garbled"


def with_tools(server: Served, chosen: Any) -> Any:
    model = VLLMModel(kind="vllm", name="finance-7b", base_url=[server.url])
    settings = Config(defaults=Defaults(confidence="mean"), domains={"finance": DomainSettings(model=model)})
    return create_moslm(settings, classifier=chosen()).compile()


def calling(name: str, arguments: str) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return whole(None, message={"tool_calls": [{"id": "1", "type": "function", "function": function}]})


@WAYS
@pytest.mark.parametrize("arguments", ["1 + 1", '{"expression": "1 + ', ""])
async def test_arguments_that_cannot_be_read_are_answered_with_how_to_call(server, chosen, way, arguments):
    server.bodies = [calling("calculate", arguments), whole("Two.")]
    text, _ = await asked(with_tools(server, chosen), way)
    assert text == "Two."
    assert "expression" in server.requests[1]["messages"][-1]["content"]


async def test_arguments_that_are_json_but_no_object_end_in_a_typed_outcome(server, chosen):
    server.bodies = [calling("calculate", '"1 + 1"')]
    _, decision = await asked(with_tools(server, chosen), "invoke")
    assert decision["outcome"] == "handed_over"
    assert decision["drafts"][0]["error"] == "garbled"


async def test_a_call_of_a_tool_that_does_not_exist_asks_no_person_and_is_told_to_the_model(server, chosen):
    server.bodies = [calling("rm", "{}"), whole("Never mind.")]
    text, decision = await asked(with_tools(server, chosen), "invoke")
    assert text == "Never mind."
    assert "rm is not a valid tool" in server.requests[1]["messages"][-1]["content"]
    assert decision["drafts"][0]["tools"][0]["outcome"] == "failed"
