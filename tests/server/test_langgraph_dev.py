"""The real `langgraph dev` server, driven with the SDK as Studio and front ends drive it."""

from __future__ import annotations

import urllib.request

import openai
import pytest
from langgraph_sdk import get_sync_client

pytestmark = [pytest.mark.loopback, pytest.mark.slow]

CONFIG = """
[defaults.model]
kind = "scripted"
replies = ["The scripted answer of this domain."]
confidence = 0.95

[domains.it_support.model]
kind = "scripted"
replies = ["A doubtful draft that nobody may see."]
confidence = 0.2

[recall]
enabled = false

[api.keys.front]
env = "FRONT_KEY"
tenant = "front"

[large_model]
review = true
model = { kind = "scripted", name = "scripted-large", replies = ["The large answer."] }
"""

FINANCE = {"messages": [{"role": "user", "content": "What is left of the travel budget for this quarter?"}]}
IT = {"messages": [{"role": "user", "content": "My laptop cannot connect to the office wifi since this morning"}]}


@pytest.fixture(scope="module")
def server(langgraph_server):
    return langgraph_server(CONFIG, FRONT_KEY="front-secret")


@pytest.fixture
def client(server):
    with get_sync_client(url=server) as client:
        yield client


@pytest.fixture
def assistant(client):
    return client.assistants.search(graph_id="moslm")[0]["assistant_id"]


def test_the_context_fields_appear_as_knobs_on_their_nodes(client, assistant):
    schemas = client.assistants.get_schemas(assistant)
    knobs = schemas["context_schema"]["properties"]
    assert knobs["threshold"]["langgraph_nodes"] == ["check_request", "check_draft"]
    assert set(schemas["input_schema"]["properties"]) == {"messages"}
    assert set(schemas["output_schema"]["properties"]) == {"messages", "decision"}


def test_the_x_ray_graph_shows_every_step(client, assistant):
    graph = client.assistants.get_graph(assistant, xray=True)
    names = {node["id"] for node in graph["nodes"]}
    assert {"screen", "classify", "check_request", "answer", "check_draft", "escalate", "review", "respond"} <= names


def test_a_streamed_run_shows_the_accepted_answer_once_and_its_decision(client, assistant):
    parts = list(client.runs.stream(None, assistant, input=FINANCE, stream_mode=["messages-tuple", "values", "custom"]))
    text = "".join(
        part.data[0]["content"] for part in parts if part.event == "messages" and "Chunk" in part.data[0]["type"]
    )
    assert text == "The scripted answer of this domain."
    assert any(part.event == "custom" and part.data["type"] == "moslm.answered" for part in parts)
    final = [part.data for part in parts if part.event == "values"][-1]
    assert final["decision"]["domain"] == "finance"
    assert final["decision"]["outcome"] == "answered"


def test_an_interrupt_waits_on_the_server_and_is_resumed(client, assistant):
    thread = client.threads.create()["thread_id"]
    client.runs.wait(thread, assistant, input=IT)
    state = client.threads.get_state(thread)
    question = state["tasks"][0]["interrupts"][0]["value"]
    assert question["action_requests"][0]["name"] == "escalate_to_large_model"
    result = client.runs.wait(thread, assistant, command={"resume": {"decisions": [{"type": "approve"}]}})
    assert result["messages"][-1]["content"] == "The large answer."
    assert "doubtful" not in str(result["messages"])


def test_context_reaches_the_steps(client, assistant):
    result = client.runs.wait(None, assistant, input=FINANCE, context={"threshold": 0.25, "tenant": "acme"})
    assert result["decision"]["threshold"] == 0.25
    assert result["decision"]["tenant"] == "acme"


def test_a_bad_context_is_a_clear_error_and_not_a_run(client, assistant):
    result = client.runs.wait(None, assistant, input=FINANCE, context={"threshold": 8}, raise_error=False)
    assert "threshold" in str(result["__error__"])
    assert "less than or equal to 1" in str(result["__error__"])


def test_the_openai_compatible_endpoint_is_mounted_beside_the_graph(server):
    asked = [{"role": "user", "content": FINANCE["messages"][0]["content"]}]
    with openai.OpenAI(base_url=f"{server}/v1", api_key="front-secret", max_retries=0) as api:
        assert [model.id for model in api.models.list()] == ["moslm"]
        own = {"moslm": {"decision": True}}
        said = api.chat.completions.create(model="moslm", messages=asked, extra_body=own)
        assert said.choices[0].message.content == "The scripted answer of this domain."
        assert said.moslm["tenant"] == "front"
        chunks = api.chat.completions.create(model="moslm", messages=asked, stream=True)
        assert "".join(each.choices[0].delta.content or "" for each in chunks) == "The scripted answer of this domain."
    nobody = openai.OpenAI(base_url=f"{server}/v1", api_key="wrong", max_retries=0)
    with nobody, pytest.raises(openai.AuthenticationError, match="nobody has this API key"):
        nobody.models.list()
    with urllib.request.urlopen(f"{server}/moslm/metrics", timeout=10) as page:
        assert b'moslm_requests_total{domain="finance",outcome="answered"} 2.0' in page.read()
