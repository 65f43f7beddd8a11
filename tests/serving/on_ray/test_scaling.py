"""A server on Ray gets another replica while requests wait, and gives it back when they no longer do."""

import asyncio
import os
import signal
import time

import pytest

from moslm.config import VLLMModel
from moslm.models.chat.vllm import build_vllm
from moslm.serving.looking import look

pytestmark = [pytest.mark.loopback, pytest.mark.model, pytest.mark.slow]

SETTINGS = """
[servers.small]
model = "smollm2-135m-instruct"
engine = "embedded"
context = 1024
api_key_env = "SMALL_KEY"
replicas = 1
scaling = { max_replicas = 2, target_requests = 2, upscale_delay_s = 1, downscale_delay_s = 2, look_back_s = 2 }
[ray]
port = PORT
"""


@pytest.fixture(scope="module")
def one(serving):
    return serving(SETTINGS, SMALL_KEY="geheim").healthy("small")


async def test_from_one_replica_to_two_and_back_by_the_requests_there_are(one, monkeypatch):
    monkeypatch.setenv("SMALL_KEY", "geheim")
    how = {"max_tokens": 60, "balanced": True, "api_key_env": "SMALL_KEY"}
    model = build_vllm(
        VLLMModel(kind="vllm", name="small", base_url=[one.url("small")], **how), {}, 120_000, ["loopback"]
    )
    seen, over = [len(one.replicas("small"))], False

    async def ask(number):
        answers = []
        while not over:
            answers.append(await model.ainvoke(f"Tell a story of a baker whose oven has the number {number}."))
        return answers

    begun, second_s = time.monotonic(), 0.0
    asking = [asyncio.create_task(ask(number)) for number in range(8)]
    try:
        async with asyncio.timeout(120):
            while len(one.replicas("small")) < 2:
                await asyncio.sleep(0.1)
            second_s = time.monotonic() - begun
            # the second one has work as well before it goes
            await asyncio.sleep(5)
    finally:
        over = True
        answered = [answer for answers in await asyncio.gather(*asking) for answer in answers]
    seen.append(len(one.replicas("small")))
    one.until(lambda: len(one.replicas("small")) == 1)
    seen.append(len(one.replicas("small")))
    print(f"\n{len(answered)} answered while replicas were {seen}; the second one was there after {second_s:.1f} s")
    assert seen == [1, 2, 1]
    assert all(answer.response_metadata["finish_reason"] in ("stop", "length") for answer in answered)


def test_who_has_no_key_is_turned_away_and_the_key_is_shown_nowhere(one):
    assert look([one.url("small")], None)[0].problem == "refuses the key (/models answers 401)"
    assert look([one.url("small")], "geheim")[0].problem is None
    assert "geheim" not in one.said + one.log


def test_a_cluster_that_dies_is_started_again(one, title_of):
    (host,) = [pid for pid in one.below() if title_of(pid).split("\0")[1:3] == ["-m", "moslm.serving.on_ray.host"]]
    os.kill(host, signal.SIGKILL)
    one.until(lambda: "small  died: killed from outside" in one.said)
    one.until(lambda: one.said.count("small  healthy: ") == 2)


def test_killed_outright_it_leaves_nothing_of_the_cluster(one):
    status, left = one.end(signal.SIGKILL)
    assert (status, left) == (-9, set())
