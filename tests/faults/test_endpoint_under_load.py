"""The endpoint as a process of its own: more asked of it than it can do, and replaced by another while it answers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import re
import signal
import statistics
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.loopback

SAID = "The budget has 412 euros left."
ASKED = {"model": "moslm", "messages": [{"role": "user", "content": "How much is left of the travel budget?"}]}
SETTINGS = """
[defaults]
threshold = {threshold}
deadline_ms = 30000

[defaults.model]
kind = "scripted"
replies = ["{said}"]
delay_ms = {delay_ms}

[recall]
enabled = false

[api]
most_in_flight = {most}
"""


class Endpoint:
    """One ``moslm api`` process."""

    def __init__(self, process: asyncio.subprocess.Process, url: str, threshold: float) -> None:
        self.process, self.url, self.threshold = process, url, threshold

    async def drained(self) -> int:
        """Tell it to end; return its exit status once it has."""
        self.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), 30)


@contextlib.asynccontextmanager
async def endpoint(folder: Path, *, threshold: float = 0.5, delay_ms: int, most: int = 256) -> AsyncIterator[Endpoint]:
    file = folder / f"moslm-{threshold}.toml"
    file.write_text(SETTINGS.format(threshold=threshold, said=SAID, delay_ms=delay_ms, most=most), encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("moslm")),
        *("api", "--config", str(file), "--port", "0"),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), 120)
        found = re.search(r"http://\S+", line.decode())
        assert found, line
        yield Endpoint(process, found.group(0), threshold)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def goodput(url: str, clients: int, seconds: float) -> tuple[float, list[httpx.Response], list[float]]:
    """Have so many clients ask again and again; return right answers a second, refusals, and how long these took."""
    good, refused, taken = 0, list[httpx.Response](), list[float]()
    end, draw = time.monotonic() + seconds, random.Random(0)

    async def client_of(http: httpx.AsyncClient) -> None:
        nonlocal good
        await asyncio.sleep(draw.random())
        while time.monotonic() < end:
            started = time.perf_counter()
            said = await http.post(f"{url}/chat/completions", json=ASKED)
            if said.status_code == 200:
                assert said.json()["choices"][0]["message"]["content"] == SAID
                good += 1
            else:
                taken.append(time.perf_counter() - started)
                refused.append(said)
                await asyncio.sleep(0.2 + 0.4 * draw.random())  # sooner than it was told to, as some do

    limits = httpx.Limits(max_connections=clients, max_keepalive_connections=clients)
    async with httpx.AsyncClient(timeout=60, trust_env=False, limits=limits) as http:
        await asyncio.gather(*(client_of(http) for _ in range(clients)))
    return good / seconds, refused, taken


async def test_asked_five_times_what_it_can_do_it_does_as_much_as_ever_and_refuses_the_rest_at_once(tmp_path):
    async with endpoint(tmp_path, delay_ms=800, most=8) as at:
        await goodput(at.url, 8, 2)
        peak, none, _ = await goodput(at.url, 8, 6)
        loaded, refused, taken = await goodput(at.url, 40, 6)
    print(
        f"\n{peak:.1f}/s at capacity, {loaded:.1f}/s overloaded; {len(refused)} refused, median {_median(taken):.0f} ms"
    )
    assert none == []
    assert loaded >= 0.8 * peak
    assert len(refused) > 4 * peak
    assert {each.status_code for each in refused} == {429}
    assert all(int(each.headers["retry-after"]) >= 1 for each in refused)
    assert _median(taken) <= 100


def _median(seconds: list[float]) -> float:
    return 1000 * statistics.median(seconds)


class Deployment:
    """Fifty clients that stream without a pause, and whom they ask at the moment."""

    def __init__(self, live: Endpoint) -> None:
        self.live, self.over = live, False
        self.answers: list[tuple[float, dict[str, Any]]] = []
        """The threshold of whoever was asked, and the Decision."""
        self.broken: list[str] = []

    async def client(self, http: httpx.AsyncClient) -> None:
        while not self.over:
            asked = self.live
            try:
                text, decision = await self._streamed(http, asked.url)
            except httpx.HTTPError as error:
                self.broken.append(repr(error))
                continue
            if text != SAID or decision is None:
                self.broken.append(text)
                continue
            self.answers.append((asked.threshold, decision))

    async def _streamed(self, http: httpx.AsyncClient, url: str) -> tuple[str, dict[str, Any] | None]:
        text, decision = "", None
        body = {**ASKED, "stream": True, "moslm": {"decision": True}}
        async with http.stream("POST", f"{url}/chat/completions", json=body) as response:
            async for line in response.aiter_lines():
                if line.startswith("data: {"):
                    event = json.loads(line[6:])
                    text += "".join(each["delta"].get("content") or "" for each in event["choices"])
                    decision = event.get("moslm", decision)
        return text, decision


async def replaced(folder: Path, rounds: int, clients: int = 50) -> None:
    """Replace the endpoint so many times, each time with another threshold, while the clients stream."""
    async with contextlib.AsyncExitStack() as stack:
        first = await stack.enter_async_context(endpoint(folder, threshold=0.5, delay_ms=2000))
        deployment = Deployment(first)
        limits = httpx.Limits(max_connections=2 * clients, max_keepalive_connections=0)
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=60, trust_env=False, limits=limits))
        streams = [asyncio.create_task(deployment.client(http)) for _ in range(clients)]
        for number in range(1, rounds + 1):
            old = deployment.live
            threshold = round(0.5 + number / 100, 2)
            deployment.live = await stack.enter_async_context(endpoint(folder, threshold=threshold, delay_ms=2000))
            await asyncio.sleep(1)  # as long as whoever balances takes to send nothing more to the old one
            assert await old.drained() in (0, -signal.SIGTERM)
        await asyncio.sleep(3)
        deployment.over = True
        await asyncio.gather(*streams)
    print(f"\n{len(deployment.answers)} answers over {rounds} replacements, {len(deployment.broken)} broken")
    assert deployment.broken == []
    assert len(deployment.answers) > clients * rounds
    versions = {(decision["config_sha256"], decision["threshold"]) for _, decision in deployment.answers}
    assert len(versions) == len({sha for sha, _ in versions}) == rounds + 1
    assert all(decision["threshold"] == threshold for threshold, decision in deployment.answers)


async def test_no_stream_is_dropped_by_a_deploy_and_each_request_is_judged_by_one_configuration(tmp_path):
    await replaced(tmp_path, rounds=2)


@pytest.mark.skipif(
    "MOSLM_LONG" not in os.environ, reason="takes minutes; run: MOSLM_LONG=1 pytest tests/faults -k twenty"
)
async def test_the_same_over_twenty_deploys(tmp_path):
    await replaced(tmp_path, rounds=20)
