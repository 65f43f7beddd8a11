from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_core.tools import tool

from moslm.errors import BackendGarbled, BackendTimeout, WeightsError
from moslm.models.chat.embedded import PROVIDER, ChatEmbedded
from moslm.models.chat.logprobs import token_logprobs, usage_of

PARIS = "What is the capital of France? Answer in one short sentence."
STORY = "Write a very long story about a lighthouse keeper."


@pytest.fixture(scope="module")
def weights() -> str:
    from moslm.models.weights import find

    try:
        return str(find("smollm2-135m-instruct"))
    except WeightsError as error:
        pytest.fail(str(error))


@pytest.fixture
def model(weights) -> ChatEmbedded:
    return ChatEmbedded(weights=weights, context=1024, max_tokens=24)


@tool
def order_status(order: str) -> str:
    """Say where an order is."""
    return order


@pytest.mark.model
def test_it_answers_with_log_probabilities_usage_and_names(model):
    message = model.invoke([SystemMessage("You are brief."), HumanMessage(PARIS)])
    assert "Paris" in message.text
    rows = token_logprobs(message)
    assert rows
    assert all(len(row) >= 5 and row[1:] == sorted(row[1:], reverse=True) for row in rows)
    entries = message.response_metadata["logprobs"]["content"]
    assert "".join(entry["token"] for entry in entries) == message.text
    usage = usage_of(message)
    assert usage.known
    assert usage.input > 20
    assert usage.output >= len(rows)
    assert message.response_metadata["model_provider"] == PROVIDER
    assert message.response_metadata["model_name"] == "SmolLM2-135M-Instruct.Q4_1"
    assert message.response_metadata["finish_reason"] in ("stop", "length")


@pytest.mark.model
async def test_every_way_of_asking_gives_the_same_answer(model):
    whole = model.invoke(PARIS)
    streamed = list(model.stream(PARIS))
    total = sum(streamed[1:], streamed[0])
    awaited = await model.ainvoke(PARIS)
    pieces = [chunk async for chunk in model.astream(PARIS)]
    collected = sum(pieces[1:], pieces[0])
    assert len(streamed) > 3
    assert whole.text == total.text == awaited.text == collected.text
    assert len(token_logprobs(whole)) == len(token_logprobs(total)) == len(token_logprobs(collected))
    assert whole.usage_metadata == total.usage_metadata == collected.usage_metadata
    assert total.response_metadata["model_provider"] == PROVIDER


@pytest.mark.model
def test_a_grammar_leaves_only_the_allowed_answers(model):
    asked = model.bind(grammar='root ::= "finance" | "it_support"')
    assert asked.invoke("Is a broken laptop finance or it_support?").text in ("finance", "it_support")


@pytest.mark.model
def test_a_json_schema_shapes_the_answer(model):
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    asked = model.bind(response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": schema}})
    assert isinstance(json.loads(asked.invoke(PARIS).text)["city"], str)


@pytest.mark.model
def test_a_stop_word_ends_the_answer_before_it(model):
    assert "Paris" not in model.invoke(PARIS, stop=["Paris"]).text


@pytest.mark.model
def test_with_tools_bound_it_still_answers_with_log_probabilities(model):
    message = model.bind_tools([order_status]).invoke("Say hello.")
    assert message.text or message.tool_calls
    assert token_logprobs(message) is not None


@pytest.mark.model
def test_models_with_the_same_weights_and_sizes_share_one_engine(weights, model):
    other = ChatEmbedded(weights=weights, context=1024, max_tokens=3, temperature=0.5)
    assert other.load() is model.load()
    assert ChatEmbedded(weights=weights, context=512, parallel=1).load() is not model.load()


@pytest.mark.model
def test_threads_may_ask_at_once_and_more_than_run_side_by_side(model):
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda _: model.invoke(PARIS).text, range(5)))
    assert all("Paris" in answer for answer in answers)


@pytest.mark.model
@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
async def test_the_deadline_ends_a_call_and_frees_the_engine(weights, way):
    model = ChatEmbedded(weights=weights, context=1024, max_tokens=900, deadline_ms=400)
    model.load()
    started = time.monotonic()
    with pytest.raises(BackendTimeout, match="before its deadline"):
        await (asyncio.to_thread(model.invoke, STORY) if way == "invoke" else model.ainvoke(STORY))
    assert time.monotonic() - started < 2
    await _engine_rests()


@pytest.mark.model
async def test_a_cancelled_task_stops_the_engine(weights):
    model = ChatEmbedded(weights=weights, context=1024, max_tokens=900)
    model.load()
    task = asyncio.create_task(model.ainvoke(STORY))
    await asyncio.sleep(0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await _engine_rests()


@pytest.mark.model
async def test_a_closed_stream_stops_the_engine(weights):
    model = ChatEmbedded(weights=weights, context=1024, max_tokens=900)
    stream = model.stream(STORY)
    next(stream)
    stream.close()
    await _engine_rests()


@pytest.mark.model
async def test_a_long_prompt_can_be_stopped_while_it_is_read(weights):
    model = ChatEmbedded(weights=weights, context=1024, max_tokens=900, deadline_ms=300)
    model.load()
    with pytest.raises(BackendTimeout):
        await model.ainvoke("cat " * 900)
    await _engine_rests()


@pytest.mark.model
def test_a_prompt_longer_than_the_context_is_refused_in_one_sentence(model):
    with pytest.raises(BackendGarbled, match="more text than its context of 1024 tokens holds"):
        model.invoke("word " * 3000)
    assert "Paris" in model.invoke(PARIS).text


@pytest.mark.model
def test_a_request_the_engine_refuses_is_no_crash(model):
    with pytest.raises(BackendGarbled, match="refused the request"):
        model.bind(response_format={"type": "json_schema", "json_schema": {"schema": {"type": "frob"}}}).invoke("x")


@pytest.mark.model
def test_it_says_nothing_and_ends_with_its_process(weights):
    code = f"""
import contextlib, threading, time
from moslm.errors import BackendTimeout
from moslm.models.chat.embedded import ChatEmbedded
model = ChatEmbedded(weights={weights!r}, context=512, max_tokens=400, deadline_ms=3000)
model.load()
def ask():
    with contextlib.suppress(BackendTimeout):
        model.invoke({STORY!r})
threading.Thread(target=ask, daemon=True).start()
time.sleep(0.5)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.model
@pytest.mark.loopback
def test_the_port_the_engine_opens_is_shut_to_others(model):
    import urllib.error
    import urllib.request

    address = model.load()._server.listening_address
    request = urllib.request.Request(f"{address}/v1/chat/completions", b"{}", {"Content-Type": "application/json"})
    with pytest.raises(urllib.error.HTTPError, match="401") as refused:
        urllib.request.urlopen(request, timeout=5)
    refused.value.close()


def test_a_picture_is_refused_before_the_engine_sees_it():
    message = HumanMessage([{"type": "image_url", "image_url": {"url": "http://169.254.169.254/x.png"}}])
    with pytest.raises(BackendGarbled, match="text alone"):
        ChatEmbedded(weights="smollm2-135m-instruct").invoke([message])


def test_weights_that_are_not_there_name_the_command_that_pulls_them(tmp_path, monkeypatch):
    monkeypatch.setenv("MOSLM_HOME", str(tmp_path / "nowhere"))
    with pytest.raises(WeightsError, match="moslm pull smollm2-135m-instruct"):
        ChatEmbedded().invoke("x")


def test_a_damaged_file_of_weights_is_no_crash(tmp_path):
    damaged = Path(tmp_path / "damaged.gguf")
    damaged.write_bytes(b"GGUF" + bytes(1000))
    with pytest.raises(WeightsError, match="cannot be loaded"):
        ChatEmbedded(weights=str(damaged)).invoke("x")


def test_it_is_traced_under_its_own_name():
    params = ChatEmbedded(weights="/somewhere/mine.gguf")._get_ls_params()
    assert (params["ls_provider"], params["ls_model_name"]) == ("moslm", "mine")


async def _engine_rests() -> None:
    until = time.monotonic() + 5
    while any(thread.name.startswith("moslm-SmolLM2") for thread in threading.enumerate()):
        assert time.monotonic() < until, "the engine still works for a caller that has gone"
        await asyncio.sleep(0.05)
