"""The endpoint over real sockets, with OpenAI's own client and LangChain's."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
import time
from typing import Any

import httpx
import openai
import pytest
import uvicorn
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from prometheus_client.parser import text_string_to_metric_families

from moslm import Config, ConfigError
from moslm.config import ApiKey, ApiSettings, RecallSettings, ResilienceSettings
from moslm.integrations.api import build_api
from moslm.models.replicas.pool import ReplicaPool
from moslm.models.replicas.prefixes import read

pytestmark = pytest.mark.loopback

KEYS = {"acme": ApiKey(env="ACME_KEY", tenant="acme"), "ops": ApiKey(env="OPS_KEY", tenant="ops", may_escalate=False)}
ASKED: list[Any] = [{"role": "user", "content": "What is my budget?"}]
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Say what the weather is like.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def calling(name: str, **args: Any) -> AIMessage:
    return AIMessage("", tool_calls=[{"name": name, "args": args, "id": "c1"}])


@contextlib.contextmanager
def served(graph: Any, *, open_to_all: bool = False, **settings: Any) -> Any:
    """Serve the endpoint from a thread, and return its address."""
    config = Config(api=ApiSettings(**{"keys": KEYS, **settings}))
    app = build_api(config, lambda: graph, open_to_all=open_to_all)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", access_log=False, timeout_graceful_shutdown=5))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@pytest.fixture(autouse=True)
def keys(monkeypatch):
    monkeypatch.setenv("ACME_KEY", "acme-secret")
    monkeypatch.setenv("OPS_KEY", "ops-secret")


@pytest.fixture
def serve():
    with contextlib.ExitStack() as stack:
        yield lambda graph, **settings: stack.enter_context(served(graph, **settings))


@pytest.fixture
def client():
    with contextlib.ExitStack() as stack:

        def make(url: str, key: str = "acme-secret") -> openai.OpenAI:
            return stack.enter_context(openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0))

        yield make


@pytest.mark.parametrize(
    ("header", "outcomes"),
    [
        (None, ["answered", "recalled", "recalled"]),
        ("max-age=0, No-Cache", ["answered", "answered", "recalled"]),
        ("no-store", ["answered", "answered", "recalled"]),
    ],
)
def test_a_client_says_that_it_wants_another_answer(moslm, serve, client, header, outcomes):
    config = Config(recall=RecallSettings())
    api = client(serve(moslm({"finance": ["First.", "Second."]}, config=config)))
    own, said = {"moslm": {"decision": True}}, []
    for sent in (None, header, None):
        headers = {"Cache-Control": sent} if sent else {}
        asked: Any = {"model": "moslm", "messages": ASKED, "extra_body": own, "extra_headers": headers}
        said.append(api.chat.completions.create(**asked))
    assert [each.moslm["outcome"] for each in said] == outcomes
    assert said[2].choices[0].message.content == ("First." if header in (None, "no-store") else "Second.")


DOUBTFUL: Any = {"replies": {"finance": "Draft draft."}, "confidence": 0.3, "large": "Large words here."}


def test_the_official_client_gets_the_accepted_words_their_usage_and_the_decisions_id(moslm, serve, client):
    api = client(serve(moslm(**DOUBTFUL)))
    raw = api.chat.completions.with_raw_response.create(model="moslm", messages=ASKED)
    said = raw.parse()
    assert said.choices[0].message.content == "Large words here."
    assert said.choices[0].finish_reason == "stop"
    assert said.usage.total_tokens == said.usage.prompt_tokens + said.usage.completion_tokens > 0
    assert said.usage.completion_tokens == 5  # the rejected draft's two words and the large model's three
    assert said.id == f"chatcmpl-{raw.headers['x-moslm-decision']}"
    assert "moslm" not in said.model_extra


def test_the_decision_comes_in_the_body_when_it_is_asked_for(moslm, serve, client):
    said = client(serve(moslm(**DOUBTFUL))).chat.completions.create(
        model="moslm", messages=ASKED, extra_body={"moslm": {"decision": True}}
    )
    assert said.moslm["outcome"] == "escalated"
    assert said.moslm["tenant"] == "acme"


def test_a_stream_carries_each_accepted_word_once_and_no_rejected_one(moslm, serve, client):
    api = client(serve(moslm(**DOUBTFUL)))
    chunks = list(
        api.chat.completions.create(
            model="moslm",
            messages=ASKED,
            stream=True,
            stream_options={"include_usage": True},
            extra_body={"moslm": {"decision": True}},
        )
    )
    pieces = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(pieces) == "Large words here."
    assert len([piece for piece in pieces if piece]) == 3
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].usage.completion_tokens == 5
    assert [chunk.moslm["outcome"] for chunk in chunks if "moslm" in chunk.model_extra] == ["escalated"]


@pytest.mark.parametrize("stream", [False, True])
def test_a_clients_tools_are_called_and_their_results_answered(moslm, serve, client, scripted, stream):
    model = scripted([calling("weather", city="Ñandú"), "It is sunny."])
    api = client(serve(moslm({"finance": model})))
    options: Any = {"model": "moslm", "tools": [WEATHER]}
    if stream:
        with api.chat.completions.stream(messages=ASKED, **options) as events:
            choice = events.get_final_completion().choices[0]
    else:
        choice = api.chat.completions.create(messages=ASKED, **options).choices[0]
    assert choice.finish_reason == "tool_calls"
    call = choice.message.tool_calls[0]
    assert (call.function.name, json.loads(call.function.arguments)) == ("weather", {"city": "Ñandú"})
    sent = {"id": call.id, "type": "function", "function": call.function.model_dump(include={"name", "arguments"})}
    turns = [*ASKED, {"role": "assistant", "tool_calls": [sent]}]
    turns.append({"role": "tool", "tool_call_id": call.id, "content": "sunny"})
    said = api.chat.completions.create(messages=turns, **options)
    assert said.choices[0].message.content == "It is sunny."
    assert [message.type for message in model.calls[1]] == ["system", "human", "ai", "tool"]


def test_a_tool_that_is_demanded_by_name_is_demanded_of_the_model(moslm, serve, client, scripted):
    model = scripted(calling("weather", city="Porto"))
    api = client(serve(moslm({"finance": model})))
    demanded: Any = {"type": "function", "function": {"name": "weather"}}
    api.chat.completions.create(model="moslm", messages=ASKED, tools=[WEATHER], tool_choice=demanded)
    assert [each["function"]["name"] for each in model.tools_seen[0]] == ["weather"]


def test_langchains_client_runs_an_agent_against_it(moslm, serve, scripted):
    @tool
    def weather(city: str) -> str:
        """Say what the weather is like."""
        return f"sunny in {city}"

    url = serve(moslm({"finance": scripted([calling("weather", city="Porto"), "Sunny in Porto."])}))
    model = ChatOpenAI(model="moslm", base_url=f"{url}/v1", api_key="acme-secret", max_retries=0, stream_usage=True)
    agent = create_agent(model=model, tools=[weather], system_prompt="Be brief.")
    parts = list(agent.stream({"messages": [("user", "What is my budget?")]}, stream_mode=["messages", "values"]))
    final = [data for mode, data in parts if mode == "values"][-1]["messages"]
    assert [message.type for message in final] == ["human", "ai", "tool", "ai"]
    told = [data[0] for mode, data in parts if mode == "messages" and data[0].type == "AIMessageChunk"]
    assert "".join(chunk.text for chunk in told) == final[-1].text == "Sunny in Porto."
    assert final[-1].usage_metadata["output_tokens"] == 3


def test_system_and_developer_messages_instruct_whoever_answers(moslm, serve, client, scripted):
    model = scripted("Forty.")
    turns: list[Any] = [
        {"role": "system", "content": "Be brief."},
        {"role": "developer", "content": [{"type": "text", "text": "Be kind."}]},
        *ASKED,
    ]
    client(serve(moslm({"finance": model}))).chat.completions.create(model="moslm", messages=turns)
    assert model.calls[0][0].text.endswith("Be brief.\n\nBe kind.")


def test_the_answer_ends_at_a_stop_word(moslm, serve, client):
    said = client(serve(moslm(**DOUBTFUL))).chat.completions.create(model="moslm", messages=ASKED, stop=["here"])
    assert said.choices[0].message.content == "Large words "


def test_a_key_says_who_asks_and_what_they_may(moslm, serve, client):
    api = client(serve(moslm(**DOUBTFUL)), "ops-secret")
    said = api.chat.completions.create(
        model="moslm", messages=ASKED, extra_body={"moslm": {"decision": True, "may_escalate": True}}
    )
    assert said.moslm["tenant"] == "ops"
    assert said.moslm["outcome"] == "handed_over"


def test_the_models_are_listed_and_found_by_name(moslm, serve, client):
    api = client(serve(moslm()))
    assert [model.id for model in api.models.list()] == ["moslm"]
    assert api.models.retrieve("moslm").owned_by == "moslm"
    with pytest.raises(openai.NotFoundError):
        api.models.retrieve("gpt-4o")


def test_a_key_that_nobody_has_is_refused_on_every_route(moslm, serve):
    url = serve(moslm())
    for key in ("wrong", "acme-secre", "acme-secret2", "ÄÖ"):
        headers = {"authorization": f"Bearer {key}".encode()}
        for method, path in (("POST", "/v1/chat/completions"), ("GET", "/v1/models"), ("GET", "/v1/models/moslm")):
            said = httpx.request(method, url + path, headers=headers, trust_env=False)
            assert (said.status_code, said.json()["error"]["code"]) == (401, "invalid_api_key")


def wrong(url: str, **options: Any) -> tuple[int, dict[str, Any]]:
    headers = {"authorization": "Bearer acme-secret", "content-type": "application/json", **options.pop("headers", {})}
    said = httpx.post(f"{url}/v1/chat/completions", headers=headers, trust_env=False, timeout=30, **options)
    error = said.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["message"]
    return said.status_code, error


def body(**changes: Any) -> dict[str, Any]:
    return {"model": "moslm", "messages": ASKED, **changes}


def test_every_mistake_of_a_client_is_told_in_openais_shape(moslm, serve):
    url = serve(moslm(), max_body_kib=2)
    cases: list[tuple[dict[str, Any], int, str, str | None]] = [
        ({"content": b"{not json"}, 400, "invalid_json", None),
        ({"content": b"\xff\xfe"}, 400, "invalid_json", None),
        ({"content": b"[" * 1900}, 400, "invalid_json", None),
        ({"content": b"[]"}, 400, "invalid_value", None),
        ({"json": {"model": "moslm"}}, 400, "invalid_value", "messages"),
        ({"json": body(messages=[])}, 400, "invalid_value", "messages"),
        ({"json": body(messages=[{"role": "king", "content": "x"}])}, 400, "invalid_value", "messages.0.role"),
        ({"json": body(messages=[{"role": "tool", "content": "x"}])}, 400, "invalid_value", "messages.0.tool_call_id"),
        ({"json": body(messages=[{"role": "system", "content": "x"}])}, 400, "no_message", "messages"),
        ({"json": body(messages=[{"role": "user", "content": " "}])}, 400, "empty", "messages"),
        ({"json": body(model="gpt-4o")}, 404, "model_not_found", "model"),
        ({"json": body(n=2)}, 400, "unsupported_value", "n"),
        ({"json": body(response_format={"type": "json_object"})}, 400, "unsupported_value", "response_format"),
        ({"json": body(moslm={"role": "admin"})}, 400, "invalid_value", "moslm.role"),
        ({"json": body(tools=[{"type": "function"}])}, 400, "invalid_value", "tools.0.function"),
        ({"json": body(padding="x" * 3000)}, 413, "request_too_large", None),
        ({"content": iter([b"x" * 1500, b"x" * 1500])}, 413, "request_too_large", None),
        ({"content": b"{}", "headers": {"content-type": "text/plain"}}, 415, "unsupported_media_type", None),
        ({"json": body(), "headers": {"authorization": "Basic abc"}}, 401, "missing_api_key", None),
        ({"json": body(), "headers": {"authorization": ""}}, 401, "missing_api_key", None),
    ]
    for options, status, code, param in cases:
        found, error = wrong(url, **options)
        assert (found, error["code"], error["param"]) == (status, code, param), (options, error)
        assert error["type"] == "invalid_request_error"
    image = [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]
    assert wrong(url, json=body(messages=[{"role": "user", "content": image}]))[1]["code"] == "not_text"
    calls = [{"id": "1", "function": {"name": "weather", "arguments": '"Porto"'}}]
    found, error = wrong(url, json=body(messages=[*ASKED, {"role": "assistant", "tool_calls": calls}]))
    assert error["param"] == "messages.1.tool_calls.0.function.arguments"
    assert httpx.get(f"{url}/nowhere", trust_env=False).json()["error"]["code"] == "not_found"
    assert httpx.get(f"{url}/v1/chat/completions", trust_env=False).status_code == 405


def test_where_a_person_has_to_decide_the_call_conflicts(moslm, serve, scripted):
    pays = calling("refund", order_id=10305, amount=49.9, reason="broken")
    url = serve(moslm({"customer_service": scripted(pays)}))
    status, error = wrong(url, json=body(messages=[{"role": "user", "content": "I want a refund"}]))
    assert (status, error["code"]) == (409, "needs_a_person")
    assert "refund" in error["message"]


class Broken:
    async def ainvoke(self, *args: Any, **options: Any) -> Any:
        raise RuntimeError("/secret/path")


def test_a_bug_is_a_500_that_tells_nothing_of_the_inside(serve):
    status, error = wrong(serve(Broken()), json=body())
    assert (status, error["type"]) == (500, "server_error")
    assert "secret" not in error["message"]


def test_one_request_too_many_is_told_to_come_back(moslm, serve, scripted):
    slow = scripted("Slow.")
    slow.delay_ms = 2000
    url = serve(moslm({"finance": slow}), most_in_flight=1)
    first = threading.Thread(target=lambda: httpx.post(f"{url}/v1/chat/completions", **post(), timeout=30))
    first.start()
    while not slow.calls:
        time.sleep(0.01)
    said = httpx.post(f"{url}/v1/chat/completions", **post())
    first.join()
    assert (said.status_code, said.json()["error"]["type"]) == (429, "rate_limit_error")
    assert said.headers["retry-after"] == "1"


def post() -> dict[str, Any]:
    return {"json": body(), "headers": {"authorization": "Bearer acme-secret"}, "trust_env": False}


async def test_a_client_that_hangs_up_ends_the_work(moslm, serve, scripted):
    slow = scripted(["Slow.", "Fast."])
    slow.delay_ms = 60_000
    url = serve(moslm({"finance": slow}), most_in_flight=1)
    async with httpx.AsyncClient(trust_env=False) as client:
        options = {key: value for key, value in post().items() if key != "trust_env"}
        call = asyncio.create_task(client.post(f"{url}/v1/chat/completions", timeout=60, **options))
        while not slow.calls:
            await asyncio.sleep(0.01)
        call.cancel()
        slow.delay_ms = 0
        deadline = time.monotonic() + 10
        while (said := await client.post(f"{url}/v1/chat/completions", timeout=30, **options)).status_code == 429:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
    assert said.json()["choices"][0]["message"]["content"] == "Fast."


def test_the_meters_show_how_the_model_servers_stand_by_number_and_without_their_address(moslm, serve):
    pool = ReplicaPool("finance-7b", ["http://10.0.0.7/v1", "http://10.0.0.8/v1"], ResilienceSettings(), bool)
    well, ill = (pool.take(read([HumanMessage(text)])) for text in ("One.", "Two."))
    pool.failed(ill, "gone", died=False)
    text = httpx.get(f"{serve(moslm())}/metrics", trust_env=False).text
    samples = [each for family in text_string_to_metric_families(text) for each in family.samples]
    found = {
        (each.name, each.labels["replica"], each.labels.get("standing")): each.value
        for each in samples
        if each.labels.get("model") == "finance-7b"
    }
    assert found["moslm_replica_in_flight", str(well.replica + 1), None] == 1
    assert found["moslm_replica_in_flight", str(ill.replica + 1), None] == 0
    assert found["moslm_replica_calls_total", "1", None] == found["moslm_replica_calls_total", "2", None] == 1
    assert found["moslm_replica_failures_total", str(ill.replica + 1), None] == 1
    assert found["moslm_replica_standing", "1", "in_service"] == 1
    assert "10.0.0" not in text


def test_the_meters_count_what_was_decided_and_name_nobody(moslm, serve, client):
    url = serve(moslm(**DOUBTFUL))
    for _ in range(2):
        client(url).chat.completions.create(model="moslm", messages=ASKED)
    wrong(url, content=b"{")
    page = httpx.get(f"{url}/metrics", trust_env=False)
    assert page.headers["content-type"].startswith("text/plain")
    samples = [each for family in text_string_to_metric_families(page.text) for each in family.samples]
    found = {(each.name, *sorted(each.labels.values())): each.value for each in samples}
    assert found["moslm_requests_total", "escalated", "finance"] == 2
    assert found["moslm_reasons_total", "low_confidence"] == 2
    assert found["moslm_drafts_total", "false", "finance"] == 2
    assert found["moslm_tokens_total", "output", "scripted", "small"] == 4
    assert found["moslm_tokens_total", "large", "output", "scripted"] == 6
    assert found["moslm_api_calls_total", "200"] == 2
    assert found["moslm_api_calls_total", "400"] == 1
    assert found["moslm_request_seconds_count", "escalated"] == 2
    assert found["moslm_first_token_seconds_count", "escalated"] == 2
    assert found["moslm_in_flight",] == 0
    assert "acme" not in page.text


def test_without_keys_it_is_open_only_where_that_was_asked_for(moslm, serve):
    graph = moslm()
    opened = serve(graph, keys={}, open_to_all=True)
    assert httpx.get(f"{opened}/v1/models", trust_env=False).status_code == 200
    closed = serve(graph, keys={})
    assert httpx.get(f"{closed}/v1/models", trust_env=False).status_code == 401
    keyed = serve(graph, open_to_all=True)
    assert httpx.get(f"{keyed}/v1/models", trust_env=False).status_code == 401


def test_a_key_whose_variable_is_not_set_is_told_at_the_start(moslm, monkeypatch):
    monkeypatch.delenv("OPS_KEY")
    with pytest.raises(ConfigError, match=r"api.keys.ops.env = 'OPS_KEY': the environment variable is not set"):
        build_api(Config(api=ApiSettings(keys=KEYS)), moslm)


def test_two_callers_may_not_share_a_key(moslm, monkeypatch):
    monkeypatch.setenv("OPS_KEY", "acme-secret")
    with pytest.raises(ConfigError, match="same key"):
        build_api(Config(api=ApiSettings(keys=KEYS)), moslm)


def test_twenty_at_once_are_answered_each_with_its_own(moslm, serve, scripted):
    model = scripted(lambda messages: f"You said: {messages[-1].text}")
    url = serve(moslm({"finance": model}))

    async def all_of_them() -> list[str]:
        async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="acme-secret", max_retries=0) as client:
            asked = [[{"role": "user", "content": f"budget {i}"}] for i in range(20)]
            said = await asyncio.gather(
                *(client.chat.completions.create(model="moslm", messages=each) for each in asked)
            )
            return [each.choices[0].message.content or "" for each in said]

    assert asyncio.run(all_of_them()) == [f"You said: budget {i}" for i in range(20)]
