"""A server on Ray gets another replica while requests wait, and gives it back when they no longer do."""

import asyncio
import signal
import time

import pytest

from moslm.config import VLLMModel
from moslm.models.chat.vllm import build_vllm

pytestmark = [pytest.mark.loopback, pytest.mark.model, pytest.mark.slow]

SETTINGS = """
[servers.small]
model = "smollm2-135m-instruct"
engine = "embedded"
context = 1024
replicas = 1
scaling = { max_replicas = 2, target_requests = 2, upscale_delay_s = 1, downscale_delay_s = 2, look_back_s = 2 }
[ray]
port = PORT
"""


@pytest.fixture(scope="module")
def one(serving):
    return serving(SETTINGS).healthy("small")


async def test_from_one_replica_to_two_and_back_by_the_requests_there_are(one):
    settings = VLLMModel(kind="vllm", name="small", base_url=[one.url("small")], max_tokens=60, balanced=True)
    model = build_vllm(settings, {}, 120_000, ["loopback"])
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


def test_killed_outright_it_leaves_nothing_of_the_cluster(one):
    status, left = one.end(signal.SIGKILL)
    assert (status, left) == (-9, set())
