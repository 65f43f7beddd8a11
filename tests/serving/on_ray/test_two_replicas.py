"""Two replicas of the embedded engine on a real Ray cluster, and one of them killed while it has work."""

import asyncio
import json
import os
import signal
import urllib.error
import urllib.request

import pytest

from moslm.config import VLLMModel
from moslm.models.chat.vllm import build_vllm
from moslm.serving.looking import load_of, look

pytestmark = [pytest.mark.loopback, pytest.mark.model, pytest.mark.slow]

SETTINGS = """
[servers.small]
model = "smollm2-135m-instruct"
engine = "embedded"
context = 1024
replicas = 2
[ray]
port = PORT
"""
HELLO = [{"role": "user", "content": "What is the capital of France? Answer in one short sentence."}]
REQUESTS, KILLS = (200, 10) if "MOSLM_LONG" in os.environ else (36, 2)
AT_ONCE, TOKENS = 8, 40


@pytest.fixture(scope="module")
def two(serving):
    return serving(SETTINGS).healthy("small")


def post(url, timeout=60, **fields):
    body = json.dumps({"model": "small", "messages": HELLO, "temperature": 0, "max_tokens": 12, **fields}).encode()
    request = urllib.request.Request(f"{url}/chat/completions", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        return answer.read().decode()


def test_it_speaks_openais_protocol_whole_and_streamed(two):
    url = two.url("small")
    whole = json.loads(post(url, logprobs=True))["choices"][0]
    assert "Paris" in whole["message"]["content"]
    assert whole["logprobs"]["content"]
    lines = [line[6:] for line in post(url, stream=True).splitlines() if line]
    assert lines[-1] == "[DONE]"
    deltas = [json.loads(line)["choices"][0]["delta"] for line in lines[:-1]]
    assert "".join(each.get("content") or "" for each in deltas) == whole["message"]["content"]
    (seen,) = look([url], None)
    assert (seen.problem, seen.models) == (None, ("small",))


def test_what_it_refuses_is_told_in_openais_shape(two):
    with pytest.raises(urllib.error.HTTPError) as refused:
        post(two.url("small"), model="other")
    with refused.value as answer:
        assert (answer.code, json.loads(answer.read())["error"]["code"]) == (404, "model_not_found")


def test_the_figures_of_one_replica_are_not_told_as_those_of_all(two):
    assert load_of(two.url("small"), None) is None


def test_both_replicas_are_processes_of_their_own_and_shown(two):
    assert len(two.until(lambda: len(two.replicas("small")) == 2 and two.replicas("small"))) == 2
    two.until(lambda: "small  healthy · 2 replicas · " in two.said)


def test_nothing_of_the_cluster_can_be_reached_from_other_machines(two):
    ours = two.below() | {two.process.pid}
    open_to_all = [line for line in _listening() if line["pids"] & ours and not line["loopback"]]
    # Ray binds one port of each replica to every address; the cluster's token guards it
    assert {line["title"].partition(":small")[0] for line in open_to_all} <= {"ray::ServeReplica"}
    environment = b"".join((b"\0" + _environment(pid)) for pid in two.replicas("small"))
    assert environment.count(b"\0RAY_AUTH_MODE=token\0") == 2
    assert not list((two.folder / "user").iterdir()), "Ray wrote into the home folder"


async def test_a_replica_killed_under_load_costs_no_request_and_cuts_none(two):
    settings = VLLMModel(kind="vllm", name="small", base_url=[two.url("small")], max_tokens=TOKENS, balanced=True)
    model = build_vllm(settings, {}, 120_000, ["loopback"])
    answers, killed, busy = [], [], asyncio.Semaphore(AT_ONCE)

    async def ask(number):
        async with busy:
            answers.append(await model.ainvoke(f"Tell a story of a baker whose oven has the number {number}."))

    async def kill():
        for number in range(KILLS):
            while len(answers) < (2 * number + 1) * REQUESTS // (2 * KILLS + 2) or len(two.replicas("small")) < 2:
                await asyncio.sleep(0.05)
            killed.append(two.replicas("small")[0])
            os.kill(killed[-1], signal.SIGKILL)

    await asyncio.gather(kill(), *(ask(number) for number in range(REQUESTS)))
    assert len(set(killed)) == KILLS
    assert len(answers) == REQUESTS
    for answer in answers:
        written = len(answer.response_metadata["logprobs"]["content"])
        finished = answer.response_metadata["finish_reason"]
        # whole: the model ended it, or it has as many tokens as it may have
        assert finished == "stop" or (finished == "length" and answer.usage_metadata["output_tokens"] == TOKENS)
        assert answer.text
        assert written in (answer.usage_metadata["output_tokens"], TOKENS - 1, TOKENS)
    again = sum(answer.response_metadata["replica"]["attempts"] > 1 for answer in answers)
    print(f"\n{REQUESTS} answered, {KILLS} replicas killed, {again} asked again")
    assert again > 0
    assert two.until(lambda: len(two.replicas("small")) == 2)


def test_without_a_client_that_asks_again_a_torn_answer_is_seen_to_be_torn(two):
    story = [{"role": "user", "content": "Write a very long story about a baker."}]
    pids = two.until(lambda: len(two.replicas("small")) == 2 and two.replicas("small"))
    body = json.dumps({"model": "small", "messages": story, "max_tokens": 600, "stream": True}).encode()
    request = urllib.request.Request(two.url("small") + "/chat/completions", body)
    with urllib.request.urlopen(request, timeout=60) as answer:
        first = answer.readline()
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        with pytest.raises(Exception, match=r"IncompleteRead|[Cc]onnection"):
            first += answer.read()
    assert b"[DONE]" not in first
    two.until(lambda: not look([two.url("small")], None)[0].problem)


def test_sigterm_ends_the_cluster_and_all_of_it(two):
    folders = {title for pid in two.below() if "--session-dir=" in (title := _title(pid))}
    assert folders
    status, left = two.end()
    assert (status, left) == (0, set())
    assert "small  stopped" in two.said
    session = next(iter(folders)).partition("--session-dir=")[2].partition("\0")[0]
    assert session.startswith("/tmp/moslm-ray-")
    assert not os.path.exists(os.path.dirname(session))


def _title(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().decode(errors="replace")
    except OSError:
        return ""


def _environment(pid):
    with open(f"/proc/{pid}/environ", "rb") as file:
        return file.read()


def _listening():
    """Return the sockets that are listened on: by whom, and whether at loopback alone."""
    inodes = {}
    for name in ("tcp", "tcp6"):
        with open(f"/proc/net/{name}") as table:
            for row in list(table)[1:]:
                fields = row.split()
                if fields[3] == "0A":
                    inodes[fields[9]] = fields[1].partition(":")[0]
    loopback = {"0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F"}
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            links = [os.readlink(f"/proc/{pid}/fd/{each}") for each in os.listdir(f"/proc/{pid}/fd")]
        except OSError:
            continue
        for link in links:
            if link.startswith("socket:[") and link[8:-1] in inodes:
                address = inodes[link[8:-1]]
                found.append({"pids": {int(pid)}, "title": _title(int(pid)), "loopback": address in loopback})
    return found
