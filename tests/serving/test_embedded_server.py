import json
import os
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from moslm.serving.looking import load_of, look

pytestmark = [pytest.mark.loopback, pytest.mark.model]
HELLO = [{"role": "user", "content": "What is the capital of France? Answer in one short sentence."}]


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    import socket
    import time

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moslm.serving.embedded_server", "--model", "smollm2-135m-instruct"]
    log = tmp_path_factory.mktemp("server") / "log"
    with log.open("wb") as out:
        sizes = ["--name", "smol", "--port", str(port), "--context", "1024"]
        server = subprocess.Popen([*command, *sizes], stdout=out, stderr=out, env={**os.environ, "VLLM_API_KEY": "k"})
    base = f"http://127.0.0.1:{port}/v1"
    deadline = time.monotonic() + 120
    while look([base], "k")[0].problem:
        assert server.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)
    yield base
    server.terminate()
    assert server.wait(20) in (0, -15)


def post(url, key="k", timeout=60, **fields):
    body = json.dumps({"model": "smol", "messages": HELLO, "temperature": 0, "max_tokens": 12, **fields}).encode()
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/chat/completions", body, headers)
    with urllib.request.urlopen(request, timeout=timeout) as response:
        return response.read().decode()


def test_it_answers_whole_with_log_probabilities_and_usage(url):
    answer = json.loads(post(url, logprobs=True, top_logprobs=2))
    (choice,) = answer["choices"]
    assert "Paris" in choice["message"]["content"]
    assert "".join(each["token"] for each in choice["logprobs"]["content"]) == choice["message"]["content"]
    assert answer["usage"]["completion_tokens"] >= len(choice["logprobs"]["content"])
    assert answer["model"] == "smol"


def test_it_streams_the_same_answer_and_names_the_speaker_once(url):
    whole = json.loads(post(url))["choices"][0]["message"]["content"]
    lines = [line[6:] for line in post(url, stream=True, stream_options={"include_usage": True}).splitlines() if line]
    assert lines[-1] == "[DONE]"
    chunks = [json.loads(line) for line in lines[:-1]]
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks if chunk["choices"]]
    assert "".join(delta.get("content") or "" for delta in deltas) == whole
    assert sum("role" in delta for delta in deltas) == 1
    assert chunks[-1]["usage"]["completion_tokens"] > 0


def test_a_choice_in_vllms_words_leaves_only_the_choices(url):
    answer = json.loads(post(url, structured_outputs={"choice": ["finance", "it_support"]}))
    assert answer["choices"][0]["message"]["content"] in ("finance", "it_support")


@pytest.mark.parametrize(("status", "fields"), [(404, {"model": "other"}), (401, {"key": "wrong"}), (400, {"n": 2})])
def test_what_it_refuses_is_told_in_openais_shape(url, status, fields):
    with pytest.raises(urllib.error.HTTPError) as refused:
        post(url, **fields)
    with refused.value as answer:
        assert answer.code == status
        assert json.loads(answer.read())["error"]["message"]


def test_a_caller_who_hangs_up_stops_the_engine(url, until):
    with pytest.raises(TimeoutError):
        post(url, timeout=1, max_tokens=900, messages=[{"role": "user", "content": "Write a very long story."}])
    until(lambda: load_of(url, None).running == 0, 10)
    written = load_of(url, None).written
    assert 0 < written < 900
