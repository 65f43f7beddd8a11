from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool

from moslm.config import VLLMModel
from moslm.errors import BackendBusy, BackendDown, BackendError, BackendGarbled, BackendTimeout, ConfigError
from moslm.models.chat import build_chat_model
from moslm.models.chat.failures import as_backend_error
from moslm.models.chat.logprobs import token_logprobs, usage_of

pytestmark = pytest.mark.loopback

USAGE = {"prompt_tokens": 12, "completion_tokens": 2, "total_tokens": 14}
CALL = {"id": "call_1", "type": "function", "function": {"name": "order_status", "arguments": '{"order": "7"}'}}


@tool
def order_status(order: str) -> str:
    """Say where an order is."""
    return order


class PlayedServer(ThreadingHTTPServer):
    """Plays the part of vLLM's protocol that a client sees, and keeps what it was sent."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.words, self.reasoning, self.tool_calls = ["Hello", " there"], "", []
        self.status, self.body, self.delay_s, self.drip_s = 200, b"", 0.0, 0.0
        self.logprobs = True
        self.refuses: Callable[[dict[str, Any]], bool] = lambda request: False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: PlayedServer

    def do_POST(self) -> None:
        server = self.server
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server.requests.append(request)
        server.keys.append(self.headers["Authorization"])
        time.sleep(server.delay_s)
        if server.refuses(request):
            self._send(400, json.dumps({"error": {"message": "logprobs cannot be combined with tools"}}).encode())
        elif server.status != 200 or server.body:
            self._send(server.status, server.body)
        elif request.get("stream"):
            self._stream(request)
        else:
            self._send(200, json.dumps(self._whole(request)).encode())

    def _send(self, status: int, body: bytes, kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if 300 <= status < 400:
            self.send_header("Location", "http://169.254.169.254/latest/meta-data")
        self.end_headers()
        self.wfile.write(body)

    def _logprobs(self, request: dict[str, Any], words: list[str]) -> dict[str, Any] | None:
        if not (request.get("logprobs") and self.server.logprobs):
            return None
        tops = [{"token": "x", "logprob": -2.5, "bytes": [120]}]
        return {
            "content": [
                {"token": word, "logprob": -0.25, "bytes": list(word.encode()), "top_logprobs": tops} for word in words
            ]
        }

    def _whole(self, request: dict[str, Any]) -> dict[str, Any]:
        server = self.server
        message = {"role": "assistant", "content": "".join(server.words), "reasoning_content": server.reasoning or None}
        if server.tool_calls:
            message |= {"tool_calls": server.tool_calls}
        logprobs = self._logprobs(request, server.words)
        choice = {"index": 0, "message": message, "logprobs": logprobs, "finish_reason": "stop"}
        whole = {"id": "x", "object": "chat.completion", "created": 1, "model": request["model"]}
        return {**whole, "choices": [choice], "usage": USAGE}

    def _stream(self, request: dict[str, Any]) -> None:
        server = self.server
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        deltas: list[tuple[dict[str, Any], Any]] = [({"role": "assistant", "content": ""}, None)]
        deltas += [({"reasoning": piece}, None) for piece in server.reasoning.split("|") if piece]
        deltas += [({"content": word}, self._logprobs(request, [word])) for word in server.words]
        deltas += [({"tool_calls": [{"index": 0, **call}]}, None) for call in server.tool_calls]
        try:
            for delta, logprobs in deltas:
                self._event(request, [{"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": None}])
                time.sleep(server.drip_s)
            self._event(request, [{"index": 0, "delta": {}, "finish_reason": "stop"}])
            if request.get("stream_options", {}).get("include_usage"):
                self._event(request, [], usage=USAGE)
            self.wfile.write(b"data: [DONE]\n\n")
        except (BrokenPipeError, ConnectionResetError):
            return

    def _event(self, request: dict[str, Any], choices: list[dict[str, Any]], **more: Any) -> None:
        chunk = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": request["model"]}
        self.wfile.write(f"data: {json.dumps(chunk | {'choices': choices} | more)}\n\n".encode())
        self.wfile.flush()

    def log_message(self, *args: Any) -> None:
        return


@pytest.fixture
def servers() -> Iterator[Callable[[], PlayedServer]]:
    started: list[PlayedServer] = []

    def start() -> PlayedServer:
        server = PlayedServer()
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        started.append(server)
        return server

    yield start
    for server in started:
        server.shutdown()
        server.server_close()


@pytest.fixture
def server(servers) -> PlayedServer:
    return servers()


def _model(*urls: str, deadline_ms: float = 5000, **more: Any):
    settings = VLLMModel(kind="vllm", name="qwen", base_url=list(urls), **more)
    return build_chat_model(settings, deadline_ms=deadline_ms, allow_hosts=["loopback"])


def _nobody() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/v1"


async def _asked(model: Any, way: str) -> AIMessage:
    if way == "invoke":
        return await asyncio.to_thread(model.invoke, "hi")
    if way == "ainvoke":
        return await model.ainvoke("hi")
    if way == "stream":
        chunks = await asyncio.to_thread(lambda: list(model.stream("hi")))
    else:
        chunks = [chunk async for chunk in model.astream("hi")]
    return sum(chunks[1:], chunks[0])


async def _failure(model: Any, way: str) -> BackendError:
    try:
        message = await _asked(model, way)
    except Exception as error:
        return as_backend_error(error, "qwen")
    pytest.fail(f"no failure, but {message!r}")


WAYS = pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream", "astream"])


@WAYS
async def test_log_probabilities_usage_and_text_come_every_way(server, way):
    message = await _asked(_model(server.url), way)
    assert message.text == "Hello there"
    assert token_logprobs(message) == [[-0.25, -2.5], [-0.25, -2.5]]
    assert usage_of(message)[:3] == (12, 2, True)


@WAYS
async def test_the_reasoning_text_is_kept_apart(server, way):
    server.reasoning = "let me |think"
    message = await _asked(_model(server.url), way)
    assert message.additional_kwargs["reasoning_content"].replace("|", "") == "let me think"
    assert message.text == "Hello there"


@WAYS
async def test_tool_calls_come_every_way(server, way):
    server.words, server.tool_calls = [], [CALL]
    message = await _asked(_model(server.url).bind_tools([order_status]), way)
    assert [(call["name"], call["args"]) for call in message.tool_calls] == [("order_status", {"order": "7"})]
    assert server.requests[0]["tools"][0]["function"]["name"] == "order_status"


def test_the_request_says_what_the_settings_say(server):
    model = _model(
        server.url,
        lora="finance-lora",
        max_tokens=77,
        temperature=0.5,
        top_logprobs=3,
        extra_body={"chat_template_kwargs": {"enable_thinking": False}},
    )
    list(model.stream([HumanMessage("hi")]))
    request = server.requests[0]
    assert request["model"] == "finance-lora"
    assert (request["max_completion_tokens"], request["temperature"]) == (77, 0.5)
    assert (request["logprobs"], request["top_logprobs"]) == (True, 3)
    assert request["chat_template_kwargs"] == {"enable_thinking": False}
    assert request["stream_options"] == {"include_usage": True}


def test_tool_results_go_back_to_the_server(server):
    conversation = [
        HumanMessage("where is 7?"),
        AIMessage("", tool_calls=[{"name": "order_status", "args": {"order": "7"}, "id": "call_1"}]),
        ToolMessage("shipped", tool_call_id="call_1"),
    ]
    _model(server.url).bind_tools([order_status]).invoke(conversation)
    assert [message["role"] for message in server.requests[0]["messages"]] == ["user", "assistant", "tool"]


def test_it_is_traced_as_vllm_and_knows_its_profile(server):
    model = _model(server.url, lora="adapter")
    params = model._get_ls_params()
    assert (params["ls_provider"], params["ls_model_name"]) == ("vllm", "adapter")
    assert model.profile["tool_calling"] is True
    assert model.profile["max_input_tokens"] == 8192


@WAYS
async def test_a_server_that_refuses_log_probabilities_beside_tools_still_answers(server, way):
    server.refuses = lambda request: bool(request.get("tools") and request.get("logprobs"))
    bound = _model(server.url).bind_tools([order_status])
    message = await _asked(bound, way)
    assert message.text == "Hello there"
    assert token_logprobs(message) is None
    await _asked(bound, way)
    assert ["logprobs" in request for request in server.requests] == [True, False, False]


@WAYS
async def test_a_server_that_omits_log_probabilities_still_answers(server, way):
    server.logprobs = False
    message = await _asked(_model(server.url), way)
    assert message.text == "Hello there"
    assert token_logprobs(message) is None


@WAYS
async def test_the_next_address_is_asked_when_the_first_is_down(servers, way):
    second = servers()
    model = _model(_nobody(), second.url)
    assert (await _asked(model, way)).text == "Hello there"
    assert (await _asked(model, way)).text == "Hello there"
    assert len(second.requests) == 2


async def test_the_address_that_answered_is_asked_first(servers):
    first, second = servers(), servers()
    first.status = 503
    model = _model(first.url, second.url)
    for _ in range(3):
        await _asked(model, "ainvoke")
    assert (len(first.requests), len(second.requests)) == (1, 3)


@WAYS
async def test_a_refusal_is_not_taken_to_the_next_address(servers, way):
    first, second = servers(), servers()
    first.status, first.body = 400, b'{"error": {"message": "no"}}'
    assert type(await _failure(_model(first.url, second.url), way)) is BackendGarbled
    assert not second.requests


@WAYS
@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b"<html>I am a proxy</html>", BackendGarbled),
        (200, b'{"choices": null}', BackendGarbled),
        (200, b'{"error": "secret server text"}', BackendGarbled),
        (200, b"[]", BackendGarbled),
        (500, b'{"error": {"message": "Traceback secret server text"}}', BackendError),
        (429, b"{}", BackendBusy),
        (401, b"{}", BackendGarbled),
        (404, b"{}", BackendGarbled),
        (503, b"{}", BackendDown),
    ],
)
async def test_every_wrong_answer_has_its_kind_and_leaks_nothing(server, way, status, body, kind):
    server.status, server.body = status, body
    failure = await _failure(_model(server.url), way)
    assert type(failure) is kind
    assert "secret" not in str(failure)
    assert "127.0.0.1" not in str(failure)
    assert len(server.requests) == 1


@WAYS
async def test_a_server_that_is_down_is_down(way):
    assert type(await _failure(_model(_nobody()), way)) is BackendDown


@WAYS
async def test_a_slow_server_is_given_up_at_the_deadline(server, way):
    server.delay_s = 1.5
    started = time.monotonic()
    assert type(await _failure(_model(server.url, deadline_ms=200), way)) is BackendTimeout
    assert time.monotonic() - started < 1.4


@pytest.mark.parametrize("way", ["stream", "astream"])
async def test_a_stream_that_drips_is_given_up_at_the_deadline(server, way):
    server.words, server.drip_s = ["w"] * 100, 0.05
    started = time.monotonic()
    with pytest.raises(BackendTimeout):
        await _asked(_model(server.url, deadline_ms=300), way)
    assert time.monotonic() - started < 2


async def test_a_redirect_is_not_followed(server):
    server.status = 307
    assert type(await _failure(_model(server.url), "ainvoke")) is BackendError
    assert len(server.requests) == 1


def test_the_key_comes_from_the_named_variable_alone(server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "not-for-this-server")
    _model(server.url).invoke("hi")
    monkeypatch.setenv("QWEN_KEY", "for-this-server")
    _model(server.url, api_key_env="QWEN_KEY").invoke("hi")
    assert server.keys == ["Bearer EMPTY", "Bearer for-this-server"]
    monkeypatch.delenv("QWEN_KEY")
    with pytest.raises(ConfigError, match="export QWEN_KEY"):
        _model(server.url, api_key_env="QWEN_KEY")


def test_an_address_that_is_not_allowed_is_refused_when_the_model_is_built():
    with pytest.raises(ConfigError, match="allow_hosts"):
        _model("http://10.0.0.1:8000/v1")


def test_one_model_serves_several_event_loops(server):
    model = _model(server.url)
    assert [asyncio.run(model.ainvoke("hi")).text for _ in range(3)] == ["Hello there"] * 3
