"""Completions asked for and handed on as plain JSON: the same body and the same answer as the client's own resource."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import openai
import pytest

from moslm.models.chat.plain_completions import AsyncPlainCompletions, PlainCompletions

TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}
ASKED: dict[str, Any] = {
    "model": "m",
    "messages": [{"role": "user", "content": "Hi"}],
    "tools": [TOOL],
    "logprobs": True,
    "extra_body": {"top_k": 3},
    "timeout": openai.Timeout(7.0),
}
CHOICE = {"index": 0, "message": {"role": "assistant", "content": "Yes."}, "finish_reason": "stop"}
ANSWER = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [CHOICE]}
PIECES = [{"id": "c", "choices": [{"index": 0, "delta": {"content": word}}]} for word in ("Ye", "s.")]


class Server:
    """Plays a server inside the client's transport, and keeps what it was sent."""

    def __init__(self, kind: str = "application/json", status: int = 200) -> None:
        self.sent: list[httpx2.Request] = []
        self.kind, self.status = kind, status

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.sent.append(request)
        if self.status != 200:
            return httpx2.Response(self.status, json={"error": {"message": "no logprobs"}})
        if json.loads(request.content).get("stream"):
            events = "".join(f"data: {json.dumps(each)}\n\n" for each in PIECES) + "data: [DONE]\n\n"
            return httpx2.Response(200, text=events, headers={"content-type": "text/event-stream"})
        return httpx2.Response(200, text=json.dumps(ANSWER), headers={"content-type": self.kind})

    @property
    def body(self) -> Any:
        return json.loads(self.sent[-1].content)

    def client(self) -> openai.OpenAI:
        http = httpx2.Client(transport=httpx2.MockTransport(self))
        return openai.OpenAI(base_url="http://server/v1", api_key="key", max_retries=0, http_client=http)

    def async_client(self) -> openai.AsyncOpenAI:
        http = httpx2.AsyncClient(transport=httpx2.MockTransport(self))
        return openai.AsyncOpenAI(base_url="http://server/v1", api_key="key", max_retries=0, http_client=http)


@pytest.mark.parametrize("kind", ["application/json", "text/plain"])
def test_body_and_answer_are_those_of_the_clients_own_resource(kind):
    own, plain = Server(kind), Server(kind)
    typed = own.client().chat.completions.with_raw_response.create(**ASKED).parse()
    said = PlainCompletions(plain.client()).with_raw_response.create(**ASKED).parse()
    assert said == ANSWER == typed.model_dump(exclude_unset=True)
    assert plain.body == own.body
    assert plain.body["top_k"] == 3
    for name in ("authorization", "content-type", "x-stainless-read-timeout"):
        assert plain.sent[0].headers[name] == own.sent[0].headers[name]


async def test_the_same_on_an_event_loop():
    own, plain = Server(), Server()
    await own.async_client().chat.completions.create(**ASKED)
    raw = await AsyncPlainCompletions(plain.async_client()).with_raw_response.create(**ASKED)
    assert raw.parse() == ANSWER
    assert plain.body == own.body


async def test_pieces_come_one_by_one_as_they_were_sent():
    asked = {**ASKED, "stream": True}
    with PlainCompletions(Server().client()).create(**asked) as stream:
        assert list(stream) == PIECES
    async with await AsyncPlainCompletions(Server().async_client()).create(**asked) as stream:
        assert [piece async for piece in stream] == PIECES


def test_a_refusal_is_the_clients_own_error():
    with pytest.raises(openai.BadRequestError, match="no logprobs"):
        PlainCompletions(Server(status=400).client()).create(**ASKED)


def test_an_answer_that_is_no_json_is_an_error():
    class Page(Server):
        def __call__(self, request: httpx2.Request) -> httpx2.Response:
            return httpx2.Response(200, text="<html>", headers={"content-type": "text/html"})

    with pytest.raises(ValueError, match="Expecting value"):
        PlainCompletions(Page().client()).create(**ASKED)
