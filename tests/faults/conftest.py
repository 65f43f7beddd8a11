"""Fault tools: replicas that can be killed, and a proxy that breaks what passes through it."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import langchain_openai  # noqa: F401 - takes a second, which no deadline of a test should pay
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from fault_proxy import FaultProxy
from played_replica import PlayedReplica
from replica_process import ReplicaProcess

from moslm import Config, create_moslm
from moslm.config import Defaults, DomainSettings, LargeModelSettings, RecallSettings, ScriptedModel, VLLMModel

WORDS = {"budget": "finance", "laptop": "it_support", "refund": "customer_service"}


@pytest.fixture
async def replicas() -> AsyncIterator[Callable[..., Any]]:
    """Start played replicas in this process: ``await replicas(2, drip_s=0.01)``."""
    started: list[PlayedReplica] = []

    async def start(count: int = 1, **behaviour: Any) -> list[PlayedReplica]:
        fresh = [PlayedReplica() for _ in range(count)]
        started.extend(fresh)
        for each in fresh:
            await each.open()
            for name, value in behaviour.items():
                setattr(each, name, value)
        return fresh

    yield start
    for each in started:
        await each.close()


@pytest.fixture
async def processes() -> AsyncIterator[Callable[..., Any]]:
    """Start played replicas that are processes of their own, and can be killed."""
    started: list[ReplicaProcess] = []

    async def start(count: int, drip_s: float) -> list[ReplicaProcess]:
        fresh = [ReplicaProcess(drip_s) for _ in range(count)]
        started.extend(fresh)
        for each in fresh:
            each.start()
        for each in fresh:
            await each.healthy()
        return fresh

    yield start
    for each in started:
        each.kill()


@pytest.fixture
async def proxies() -> AsyncIterator[Callable[..., Any]]:
    """Put fault proxies before replicas: ``await proxies(replica)``."""
    opened: list[FaultProxy] = []

    async def before(replica: PlayedReplica) -> FaultProxy:
        proxy = FaultProxy(replica.port)
        await proxy.open()
        opened.append(proxy)
        return proxy

    yield before
    for each in opened:
        await each.close()


@pytest.fixture
def company(chosen: Any) -> Callable[..., Any]:
    """Build a graph whose domains are served at addresses: ``company({"finance": [url, url]})``."""

    def build(urls: dict[str, list[str]], *, large: Any = "From above.", tools: Any = (), **defaults: Any) -> Any:
        domains = {
            name: DomainSettings(
                model=VLLMModel(kind="vllm", name=f"{name}-7b", base_url=at, max_tokens=200),
                use_tools="always" if tools else "never",
                tools=[each.name for each in tools] if tools else None,
            )
            for name, at in urls.items()
        }
        above = large if isinstance(large, VLLMModel) else ScriptedModel(kind="scripted", replies=[large])
        unbounded = {"requests_per_minute": 1e6, "max_calls_per_day": 10**6, "max_usd_per_day": 1e6}
        config = Config(
            defaults=Defaults(confidence="mean", passages=0, **defaults),
            domains=domains,
            large_model=LargeModelSettings(model=above, deadline_ms=5000, **unbounded),
            recall=RecallSettings(enabled=False),  # what is tried is who answers
        )
        graph = create_moslm(config, classifier=chosen(WORDS), tools=tools)
        return graph.compile(name="moslm")

    return build
