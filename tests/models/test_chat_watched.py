"""Answers that are ended while they are written: by models that look, and by those that do not."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.runnables import RunnableGenerator, RunnableLambda

from moslm.config import VLLMModel
from moslm.models.chat import build_chat_model
from moslm.models.chat.logprobs import token_logprobs, usage_of
from moslm.models.chat.scripted import ScriptedChatModel
from moslm.models.chat.watched import Unfinished, Watched
from moslm.models.halting import halt

ASKED = [HumanMessage("How much?")]


def after(tokens: int):
    return lambda answer: answer.tokens >= tokens


def test_an_answer_that_stays_wanted_is_what_invoke_returns():
    model = ScriptedChatModel(replies=["It costs forty euros."])
    seen: list[str] = []
    found = Watched(model, lambda answer: bool(seen.append(answer.text))).invoke(ASKED)
    plain = model.invoke(ASKED)
    assert (found.text, found.usage_metadata, type(found)) == (plain.text, plain.usage_metadata, AIMessage)
    assert token_logprobs(found) == token_logprobs(plain)
    assert seen == ["It", "It costs", "It costs forty", "It costs forty euros."]


async def test_an_unwanted_answer_ends_where_it_stands_and_counts_what_was_produced():
    watched = Watched(ScriptedChatModel(replies=["It costs forty euros a night."]), after(3))
    for found in (watched.invoke(ASKED), await watched.ainvoke(ASKED)):
        assert found.text == "It costs forty"
        assert found.response_metadata["finish_reason"] == "halted"
        assert usage_of(found, ASKED)[1:3] == (3, False)
        assert len(token_logprobs(found) or ()) == 3


def test_tool_calls_come_through_whole_and_end_the_watch():
    call = {"name": "look_up", "args": {"what": "budget"}, "id": "c1"}
    model = ScriptedChatModel(replies=[AIMessage("Let me see.", tool_calls=[call])])
    found = Watched(model, lambda answer: answer.calls).invoke(ASKED)
    assert [each["args"] for each in found.tool_calls] == [{"what": "budget"}]


def test_a_model_that_cannot_stream_is_asked_as_usual():
    model = RunnableLambda(lambda _: AIMessage("Whole."))
    assert Watched(model, after(0)).invoke(ASKED).text == "Whole."


def test_a_model_that_never_looks_is_closed():
    written: list[str] = []

    def deaf(_: Any) -> Any:
        try:
            for number in range(100):
                written.append(f"w{number}")
                yield AIMessageChunk(content=f" w{number}")
        finally:
            written.append("closed")

    found = Watched(RunnableGenerator(deaf), after(3)).invoke(ASKED)
    assert found.text == " w0 w1 w2"
    assert written == ["w0", "w1", "w2", "w3", "closed"]


def test_where_nobody_watches_every_answer_is_wanted():
    assert not halt().asked


def test_an_unfinished_answer_counts_pieces_where_there_are_no_log_probabilities():
    model = ScriptedChatModel(replies=["It costs forty."], confidence=None)
    found = Watched(model, after(2)).invoke(ASKED)
    assert found.text == "It costs"
    assert Unfinished().logprobs() is None


class Dripping(ThreadingHTTPServer):
    """Writes 400 words, one every 5 ms, and knows how many of its answers are being written."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Drips)
        self.running, self.written = 0, 0
        self.lock = threading.Lock()


class _Drips(BaseHTTPRequestHandler):
    server: Dripping

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        with self.server.lock:
            self.server.running += 1
        try:
            for i in range(400):
                token = {"token": f" w{i}", "logprob": -0.5, "bytes": None, "top_logprobs": []}
                self._send(
                    {"index": 0, "delta": {"role": "assistant", "content": f" w{i}"}, "logprobs": {"content": [token]}}
                )
                self.server.written += 1
                time.sleep(0.005)
            self._send({"index": 0, "delta": {}, "finish_reason": "stop"})
            self.wfile.write(b"data: [DONE]\n\n")
        except OSError:
            pass  # the client went away, as vLLM notices too
        finally:
            with self.server.lock:
                self.server.running -= 1

    def _send(self, choice: dict[str, Any]) -> None:
        whole = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
        self.wfile.write(f"data: {json.dumps(whole)}\n\n".encode())
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def dripping():
    server = Dripping()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def served(server: Dripping) -> Any:
    settings = VLLMModel(kind="vllm", name="m", base_url=[f"http://127.0.0.1:{server.server_port}/v1"], max_tokens=400)
    return build_chat_model(settings, deadline_ms=20_000, allow_hosts=["loopback"])


def falls_idle(server: Dripping) -> bool:
    until = time.monotonic() + 5
    while server.running and time.monotonic() < until:
        time.sleep(0.01)
    return server.running == 0


@pytest.mark.loopback
def test_a_served_answer_that_is_unwanted_stops_at_its_server(dripping):
    model = served(dripping)
    found = Watched(model, after(6)).invoke(ASKED)
    assert falls_idle(dripping)
    assert dripping.written < 200
    assert len(found.text.split()) == 6
    assert usage_of(found)[1] == 6
    assert found.response_metadata["replica"]["attempts"] == 1
    (state,) = model.replicas()
    assert (state.in_flight, state.failures, state.standing) == (0, 0, "in_service")


@pytest.mark.loopback
async def test_it_stops_there_on_the_event_loop_too_many_at_once(dripping):
    model = served(dripping)
    found = await asyncio.gather(*(Watched(model, after(6)).ainvoke(ASKED) for _ in range(8)))
    assert await asyncio.to_thread(falls_idle, dripping)
    assert dripping.written < 8 * 200
    assert {len(each.text.split()) for each in found} == {6}
    assert model.replicas()[0].in_flight == 0


def test_the_embedded_engine_stops_too():
    from moslm.models.chat.embedded import ChatEmbedded

    model = ChatEmbedded(context=1024, max_tokens=400)
    story = [HumanMessage("Write a very long story about a lighthouse keeper.")]
    watched = Watched(model, after(8))
    watched.invoke(story)  # loads the weights
    started = time.perf_counter()
    found = watched.invoke(story)
    stopped_s = time.perf_counter() - started
    assert usage_of(found)[1:3] == (8, True)
    assert usage_of(found)[0] == usage_of(model.bind(max_tokens=1).invoke(story))[0]
    again = time.perf_counter()
    model.bind(max_tokens=1).invoke(story)  # the slot is free: nothing is written on behind our back
    assert time.perf_counter() - again < max(10.0, 20 * stopped_s)
