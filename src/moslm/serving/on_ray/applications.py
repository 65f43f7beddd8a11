"""What a configured server becomes on Ray: one application of Ray Serve, as its configuration file names them.

A vLLM server on GPUs becomes what Ray Serve LLM makes of it. What that does not do (the CPU, LoRA adapters from a
folder or a hub under names of one's own, a key, a vLLM of another environment) becomes a deployment whose replicas each
run the very server that ``moslm serve`` runs without Ray; an embedded server, one whose replicas each own an engine.
Pure: neither Ray nor vLLM has to be installed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from moslm.config import RaySettings, ServerSettings
from moslm.errors import ConfigError, WeightsError
from moslm.models.weights.shelf import can_be_found, find
from moslm.serving.launching import is_here
from moslm.serving.machine import has_gpu

_LLM = "ray.serve.llm:build_openai_app"
_EMBEDDED = "moslm.serving.on_ray.deployments:embedded"
_PROCESS = "moslm.serving.on_ray.deployments:process"
_EMBEDDED_PARALLEL, _VLLM_PARALLEL = 2, 64
_EMBEDDED_CONTEXT = 4096
_HEALTH = {"health_check_period_s": 2, "health_check_timeout_s": 30, "graceful_shutdown_timeout_s": 60}


@dataclass(frozen=True, slots=True)
class Application:
    """One server as an application of Ray Serve."""

    name: str
    """The server's; it is asked below ``/NAME``."""
    import_path: str
    """The function that builds it."""
    args: dict[str, Any]
    """Its argument, of plain values."""
    cpus: float
    """Processors of each replica."""
    gpus: int
    """GPUs of each replica."""
    fewest: int
    """Replicas it has at least."""

    @property
    def through_llm(self) -> bool:
        """Whether it is built by Ray Serve LLM, which must then be installed."""
        return self.import_path == _LLM

    def plain(self) -> dict[str, Any]:
        """Return it as Ray Serve's configuration file has it."""
        address = {"name": self.name, "route_prefix": f"/{self.name}", "import_path": self.import_path}
        return {**address, "args": self.args}


def applications(
    servers: Iterable[tuple[str, ServerSettings]], ray: RaySettings, file: str | None = None
) -> list[Application]:
    """Return the application of each server.

    Args:
        servers: Name and section of each.
        ray: The ``[ray]`` section. A cluster that runs already is taken to have GPUs where a device is ``auto``; one
            that is started here has what this machine has.
        file: File they stand in, for messages.

    Raises:
        ConfigError: A server cannot be run on the cluster.
        WeightsError: Weights are not on this machine, where the cluster is.
    """
    built = []
    for name, server in servers:
        try:
            built.append(_application(name, server, ray))
        except ConfigError as error:
            raise error.at(file, f"servers.{name}") from None
    if ray.address is None:
        _fits_here(built, file)
    return built


def as_config(built: Sequence[Application], ray: RaySettings) -> dict[str, Any]:
    """Return Ray Serve's configuration (its ``ServeDeploySchema``), as ``serve deploy`` takes it."""
    return {
        "proxy_location": "EveryNode",
        "http_options": {"host": ray.host, "port": ray.port},
        "applications": [each.plain() for each in built],
    }


def _application(name: str, server: ServerSettings, ray: RaySettings) -> Application:
    gpus = _gpus(server, gpu_there=ray.address is not None or has_gpu())
    if gpus and ray.address is None and not has_gpu():
        mend = 'set device = "cpu", or [ray] address to a cluster that has some'
        raise ConfigError("this machine has no GPU", key="device", value=server.device, mend=mend)
    if server.engine == "embedded":
        return _embedded(name, server, gpus, here=ray.address is None)
    if server.model.endswith(".gguf") or ("/" not in server.model and can_be_found(server.model)):
        mend = 'set engine = "embedded", or name a folder of safetensors or a hub name'
        raise ConfigError("is GGUF weights, which vLLM does not load", key="model", value=server.model, mend=mend)
    own = server.adapters or server.command or server.api_key_env
    return _process(name, server, gpus) if own or not gpus else _llm(name, server, gpus)


def _embedded(name: str, server: ServerSettings, gpus: int, *, here: bool) -> Application:
    if gpus and server.device != "auto":
        raise ConfigError("the embedded engine runs on the CPU", key="device", value=server.device, mend="remove it")
    if server.args:
        mend = "remove it; context, parallel and threads are settings"
        raise ConfigError("the embedded engine has no command on Ray", key="args", value=server.args, mend=mend)
    if here:
        try:
            find(server.model)
        except WeightsError as error:
            raise ConfigError(str(error), key="model", value=server.model) from None
    parallel, threads = server.parallel or _EMBEDDED_PARALLEL, server.threads or 1
    engine = {"name": server.name or name, "model": server.model, "context": server.context or _EMBEDDED_CONTEXT}
    engine |= {"parallel": parallel, "threads": threads, "api_key_env": server.api_key_env}
    options = _options(name, server, parallel) | _actor(threads, 0, server)
    return Application(name, _EMBEDDED, {"engine": engine, "deployment": options}, threads, 0, server.replicas)


def _process(name: str, server: ServerSettings, gpus: int) -> Application:
    cpus = server.threads or 1
    # Ray says which GPUs a replica sees: it is told how many there are, and not which
    tensor_parallel = ["--tensor-parallel-size", str(gpus)] if gpus > 1 else []
    own = {"device": "cuda" if gpus else "cpu", "args": [*tensor_parallel, *server.args], "replicas": 1}
    settings = {**server.model_dump(mode="json", exclude={"scaling"}, exclude_defaults=True), **own}
    settings["name"] = server.name or name
    options = _options(name, server, server.parallel or _VLLM_PARALLEL) | _actor(cpus, gpus, server)
    return Application(name, _PROCESS, {"server": settings, "deployment": options}, cpus, gpus, server.replicas)


def _llm(name: str, server: ServerSettings, gpus: int) -> Application:
    kwargs: dict[str, Any] = {"tensor_parallel_size": gpus} if gpus > 1 else {}
    kwargs |= {"max_model_len": server.context} if server.context else {}
    kwargs |= {"max_num_seqs": server.parallel} if server.parallel else {}
    if server.tool_parser:
        kwargs |= {"enable_auto_tool_choice": True, "tool_call_parser": server.tool_parser}
    env = {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"} | ({"HF_HUB_OFFLINE": "1"} if is_here(server) else {})
    options = _options(name, server, server.parallel or _VLLM_PARALLEL)
    config: dict[str, Any] = {
        "model_loading_config": {"model_id": server.name or name, "model_source": server.model},
        "engine_kwargs": kwargs | _keywords(server.args),
        "deployment_config": {key: value for key, value in options.items() if key != "name"},
        "runtime_env": {"env_vars": {**env, **server.env}},
    }
    if server.accelerator:
        config["accelerator_type"] = server.accelerator
    return Application(name, _LLM, {"llm_configs": [config]}, 1, gpus, server.replicas)


def _options(name: str, server: ServerSettings, parallel: int) -> dict[str, Any]:
    """Return what Ray Serve is told of a deployment."""
    # as many again stand ready at the replica, so that it never waits for work; the rest waits where any may take it
    options: dict[str, Any] = {"name": name, "max_ongoing_requests": 2 * parallel, **_HEALTH}
    if server.scaling is None:
        return {**options, "num_replicas": server.replicas}
    scaling = server.scaling
    how = {
        "min_replicas": server.replicas,
        "max_replicas": scaling.max_replicas,
        "target_ongoing_requests": scaling.target_requests,
        "upscale_delay_s": scaling.upscale_delay_s,
        "downscale_delay_s": scaling.downscale_delay_s,
        "look_back_period_s": scaling.look_back_s,
    }
    return {**options, "autoscaling_config": how}


def _actor(cpus: float, gpus: int, server: ServerSettings) -> dict[str, Any]:
    options: dict[str, Any] = {"num_cpus": cpus, **({"num_gpus": gpus} if gpus else {})}
    if server.accelerator:
        options["accelerator_type"] = server.accelerator
    return {"ray_actor_options": options}


def _gpus(server: ServerSettings, *, gpu_there: bool) -> int:
    """Return how many GPUs a replica takes."""
    devices = [server.device] if isinstance(server.device, str) else server.device
    if not devices:
        raise ConfigError("names no device", key="device", value=server.device, mend="name one or remove it")
    counts = {_count(device, gpu_there) for device in devices}
    if len(counts) > 1:
        mend = "name one; Ray chooses where each replica runs"
        raise ConfigError("the replicas of a cluster are all alike", key="device", value=server.device, mend=mend)
    return counts.pop()


def _count(device: str, gpu_there: bool) -> int:
    if device == "cpu" or (device == "auto" and not gpu_there):
        return 0
    numbers = device.partition(":")[2]
    return len(numbers.split(",")) if numbers else 1


def _keywords(args: Sequence[str]) -> dict[str, Any]:
    """Return arguments of vLLM's command as those of its engine: ``--max-model-len 4096`` is ``max_model_len=4096``."""
    keywords: dict[str, Any] = {}
    words = list(args)
    while words:
        word = words.pop(0)
        if not word.startswith("--"):
            mend = 'Ray Serve LLM takes "--name", "value"; set command to run vLLM in a process of each replica\'s own'
            raise ConfigError("is no option with one value", key="args", value=word, mend=mend)
        key, given, value = word[2:].partition("=")
        key = key.replace("-", "_")
        if given or (words and not words[0].startswith("--")):
            keywords[key] = _value(value if given else words.pop(0))
        else:
            keywords[key.removeprefix("no_")] = not key.startswith("no_")
    return keywords


def _value(word: str) -> Any:
    try:
        return json.loads(word)
    except ValueError:
        return word


def _fits_here(built: Sequence[Application], file: str | None) -> None:
    """Refuse replicas for which this machine has no processors: Ray would wait for them for ever."""
    there = len(os.sched_getaffinity(0))
    wanted = sum(each.cpus * each.fewest for each in built)
    if wanted > there:
        mend = "lower replicas or threads, name fewer servers, or set [ray] address to a larger cluster"
        problem = f"all replicas together take {wanted:g} processors, and this machine has {there}"
        raise ConfigError(problem, file=file, key="servers", mend=mend)
