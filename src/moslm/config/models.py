"""Which chat model answers, and how its servers are treated: one class for each ``kind``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from moslm.config.settings import HttpUrl, Milliseconds, Probability, Settings

Premises = Literal["auto", "inside", "outside"]


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


class TlsSettings(Settings):
    """Whose certificates count at an address with https, and who asks."""

    ca_file: Path | None = None
    """Certificates of whoever signs the servers' (PEM), in the place of the system's."""
    cert_file: Path | None = None
    """Own certificate (PEM), for servers that ask who calls."""
    key_file: Path | None = None
    """Its private key; by default in ``cert_file``."""

    @model_validator(mode="after")
    def _key_has_a_certificate(self) -> TlsSettings:
        if self.key_file is not None and self.cert_file is None:
            raise ValueError("key_file needs cert_file, the certificate that it belongs to")
        return self


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
    tls: TlsSettings = TlsSettings()
    """Certificates, where an address begins with https."""
    max_tokens: int = Field(default=512, ge=1)
    temperature: float = Field(default=0.0, ge=0, le=2)
    top_logprobs: int = Field(default=5, ge=0, le=20)
    extra_body: dict[str, Any] = {}
    """Further fields of the request, passed through unchanged (``chat_template_kwargs`` ...)."""
    revision: str = ""
    """Your name for the weights behind it, such as their hash. Change it when they change: a calibration of another
    revision is stale."""
    premises: Premises = "auto"
    """As in a hosted model."""
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
    premises: Premises = "auto"
    """Whether asking it takes data off the premises; ``auto`` tells by its address, and without one it is outside."""
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


def deadline_of(latency_ms: float, deadline_ms: float | None) -> float:
    """Return when a model is given up, in milliseconds.

    The latency budget bounds it: a hundred budgets, 30 s at most, unless the settings name a deadline. A hundred,
    because the embedded model on a slow core takes seconds for what the budgets of the reference design allow a GPU.
    """
    return min(100 * latency_ms, 30_000.0) if deadline_ms is None else deadline_ms
