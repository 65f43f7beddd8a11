"""What a network or a dying server does to an answer, at every point of it: made again elsewhere, or a typed error."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from played_replica import words_for

from moslm.config import ResilienceSettings, VLLMModel
from moslm.errors import BackendBusy, BackendDown, BackendError, BackendTimeout
from moslm.models.chat import build_chat_model
from moslm.models.chat.logprobs import token_logprobs, usage_of
from moslm.models.deadlines import due

pytestmark = pytest.mark.loopback

QUESTION = "q1 what is it?"
ANSWER = "".join(words_for(QUESTION))
FAULTS = ["reset", "half_close", "black_hole", "cut", "corrupt", "server_error", "refuse"]
BOTH = pytest.mark.parametrize("way", ["ainvoke", "astream"])


def model(*urls: str, deadline_ms: float = 8000, **resilience: Any) -> Any:
    settings = VLLMModel(
        kind="vllm", name="qwen", base_url=list(urls), resilience=ResilienceSettings(**resilience), max_tokens=200
    )
    return build_chat_model(settings, deadline_ms=deadline_ms, allow_hosts=["loopback"])


async def asked(chat: Any, way: str, question: str = QUESTION) -> Any:
    if way == "ainvoke":
        return await chat.ainvoke(question)
    if way == "invoke":
        return await asyncio.to_thread(chat.invoke, question)
    if way == "stream":
        chunks = await asyncio.to_thread(lambda: list(chat.stream(question)))
        return sum(chunks[1:], chunks[0])
    chunks = [chunk async for chunk in chat.astream(question)]
    return sum(chunks[1:], chunks[0])


@BOTH
@pytest.mark.parametrize("kind", FAULTS)
async def test_a_broken_answer_is_made_again_elsewhere_and_nothing_is_said_twice(replicas, proxies, way, kind):
    first, second = await replicas(2)
    faulty = await proxies(first)
    for after in (0, 150, 900):
        faulty.inject(kind, after=after)
        chat = model(faulty.url, second.url, deadline_ms=3000)
        message = await asked(chat, way)
        assert message.text == ANSWER
        assert len(token_logprobs(message)) == len(words_for(QUESTION))
        assert usage_of(message)[:3] == (10, len(words_for(QUESTION)), True)
        assert message.response_metadata["replica"]["replica"] == 2
        assert message.response_metadata["replica"]["attempts"] == 2


@pytest.mark.parametrize("way", ["invoke", "stream"])
@pytest.mark.parametrize("kind", ["reset", "half_close", "cut", "corrupt", "server_error", "black_hole"])
async def test_a_broken_answer_is_made_again_without_an_event_loop_too(replicas, proxies, way, kind):
    first, second = await replicas(2)
    faulty = await proxies(first)
    faulty.inject(kind, after=900)
    message = await asked(model(faulty.url, second.url, deadline_ms=3000), way)
    assert message.text == ANSWER
    assert usage_of(message)[:3] == (10, len(words_for(QUESTION)), True)
    assert message.response_metadata["replica"]["attempts"] == 2


@BOTH
async def test_latency_alone_breaks_nothing(replicas, proxies, way):
    (only,) = await replicas(1)
    faulty = await proxies(only)
    faulty.inject("latency", seconds=0.02)
    assert (await asked(model(faulty.url), way)).text == ANSWER


@BOTH
@pytest.mark.parametrize("kind", FAULTS)
async def test_a_broken_answer_of_the_only_server_is_a_typed_error_and_in_time(replicas, proxies, way, kind):
    (only,) = await replicas(1)
    faulty = await proxies(only)
    faulty.inject(kind, after=900)
    started = time.monotonic()
    with pytest.raises(BackendError):
        await asked(model(faulty.url, deadline_ms=1000), way)
    assert time.monotonic() - started < 4


async def test_a_stream_cut_anywhere_is_never_taken_for_whole(replicas, proxies):
    (only,) = await replicas(1)
    faulty = await proxies(only)
    whole = broken = 0
    for after in range(100, 9000, 177):
        faulty.inject("cut", after=after)
        try:
            message = await asked(model(faulty.url, deadline_ms=2000, max_wait_ms=0), "astream")
        except BackendError:
            broken += 1
        else:
            whole += 1
            assert message.text == ANSWER
    assert min(whole, broken) > 3


async def test_an_answer_that_turns_out_differently_elsewhere_is_made_anew_from_its_beginning(replicas, proxies):
    first, second = await replicas(2)
    second.sampling = "other"
    faulty = await proxies(first)
    faulty.inject("reset", after=2500)
    chat = model(faulty.url, second.url)
    chat.streaming = True  # as LangGraph's messages mode has it: the answer is streamed inside of ainvoke
    message = await chat.ainvoke(QUESTION)
    assert message.text == "".join(words_for(QUESTION, "other"))
    assert usage_of(message).known
    faulty.inject("reset", after=2500)
    with pytest.raises(BackendError, match="broke off"):
        await asked(model(faulty.url, second.url), "astream")


@BOTH
async def test_a_full_server_is_left_alone_for_as_long_as_it_asks(replicas, way):
    first, second = await replicas(2)
    first.busy = True
    chat = model(first.url, second.url)
    for _ in range(4):
        assert (await asked(chat, way)).text == ANSWER
    assert first.asked <= 1
    assert [state.standing for state in chat.replicas()] == ["resting", "in_service"]
    first.busy = False
    await asyncio.sleep(2.1)
    assert chat.replicas()[0].standing == "in_service"


async def test_full_servers_refuse_with_an_error_that_says_when_to_ask_again(replicas):
    (only,) = await replicas(1)
    only.busy = True
    chat = model(only.url)
    for _ in range(3):
        with pytest.raises(BackendBusy) as refused:
            await chat.ainvoke(QUESTION)
    assert 0 < refused.value.retry_after_s <= 2
    assert only.asked == 1


async def test_more_calls_than_places_are_refused_after_a_short_wait(replicas):
    (only,) = await replicas(1, delay_s=1.0)
    chat = model(only.url, max_in_flight=3, max_wait_ms=100)
    started = time.monotonic()
    ends = await asyncio.gather(*(chat.ainvoke(QUESTION) for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(end, BackendBusy) for end in ends) == 2
    assert time.monotonic() - started < 4


async def test_what_is_left_of_the_requests_time_is_the_calls_timeout(replicas):
    (only,) = await replicas(1, hang=True)
    started = time.monotonic()
    with due(started + 0.5), pytest.raises(BackendTimeout):
        await model(only.url, deadline_ms=20_000).ainvoke(QUESTION)
    assert time.monotonic() - started < 1.5


async def test_a_dead_server_is_noticed_and_its_return_too(replicas):
    (only,) = await replicas(1)
    chat = model(only.url)
    await only.close()
    with pytest.raises(BackendDown):
        await chat.ainvoke(QUESTION)
    assert chat.replicas()[0].standing == "down"
    await only.open(only.port)
    end = time.monotonic() + 8
    while chat.replicas()[0].standing == "down" and time.monotonic() < end:
        await asyncio.sleep(0.05)
    assert (await chat.ainvoke(QUESTION)).text == ANSWER


async def test_the_circuit_breaks_with_one_server_too_and_refuses_at_once(replicas):
    (only,) = await replicas(1, errors=1.0)
    chat = model(only.url, failures_to_open=3, open_ms=60_000)
    for _ in range(10):
        with pytest.raises(BackendError):
            await chat.ainvoke(QUESTION)
    assert only.asked == 3
    assert chat.replicas()[0].standing == "open"
