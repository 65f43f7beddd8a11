"""`ChatVLLM`: a model behind one or more vLLM servers, or others that speak OpenAI's protocol.

What `ChatOpenAI` leaves out for such servers: usage when streaming, the reasoning text, the provider's true name in
traces, a second address when the first is down, servers that refuse log-probabilities beside tools, and hosts that must
not be reached. Knows no prompt and no domain.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import openai
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import LangSmithParams
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_openai import ChatOpenAI
from pydantic import PrivateAttr, SecretStr

from moslm.config import VLLMModel
from moslm.errors import BackendDown, BackendTimeout, ConfigError
from moslm.models.chat.failures import as_backend_error
from moslm.privacy.egress import check_base_url, resolve_and_check

_CONNECT_S = 3.0
"""A server that does not take a connection by then is down: the next one is asked."""

_REASONING = ("reasoning_content", "reasoning")
"""Names under which servers send reasoning text; vLLM renamed it."""


class ChatVLLM(ChatOpenAI):
    """A served model; `build_vllm` builds it from settings.

    The reasoning text of a server with a reasoning parser is in ``additional_kwargs["reasoning_content"]``, also when
    streamed. The class raises what `ChatOpenAI` raises; `moslm.models.chat.failures` tells what it means.
    """

    allow_hosts: tuple[str, ...] = ("loopback", "private")
    """Hosts that the address may name; a name is resolved, and what it stands for checked, before each call."""
    deadline_s: float = 30.0
    """When a call is given up, however steadily its answer drips. (A synchronous call that does not stream is bounded
    between two bytes alone; the graph's own deadline ends that one.)"""

    _others: list[ChatVLLM] = PrivateAttr(default_factory=list)
    """The same model at its other addresses."""
    _first: int = PrivateAttr(default=0)
    """Which address answered last: it is asked first."""
    _refuses_logprobs: bool = PrivateAttr(default=False)
    """Whether the server was seen to refuse log-probabilities beside tools."""

    @property
    def _llm_type(self) -> str:
        return "moslm-vllm"

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop, **kwargs)
        params["ls_provider"] = "vllm"
        return params

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        attempts = _Attempts(self, kwargs)
        while True:
            server = attempts.next()
            try:
                server._check_host()
                result = super(ChatVLLM, server)._generate(messages, stop, run_manager, **kwargs)
            except Exception as error:
                attempts.failed(error)
            else:
                attempts.answered()
                return result

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        attempts = _Attempts(self, kwargs)
        async with asyncio.timeout(self.deadline_s):
            while True:
                server = attempts.next()
                try:
                    await asyncio.to_thread(server._check_host)
                    result = await super(ChatVLLM, server)._agenerate(messages, stop, run_manager, **kwargs)
                except Exception as error:
                    attempts.failed(error)
                else:
                    attempts.answered()
                    return result

    def _stream(self, *args: Any, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        attempts = _Attempts(self, kwargs)
        deadline = time.monotonic() + self.deadline_s
        while True:
            server = attempts.next()
            try:
                server._check_host()
                for chunk in super(ChatVLLM, server)._stream(*args, **kwargs):
                    attempts.answered()
                    yield chunk
                    if time.monotonic() > deadline:
                        raise self._late()
                return
            except Exception as error:
                attempts.failed(error)

    async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[ChatGenerationChunk]:
        attempts = _Attempts(self, kwargs)
        deadline = time.monotonic() + self.deadline_s
        while True:
            server = attempts.next()
            try:
                await asyncio.to_thread(server._check_host)
                async for chunk in super(ChatVLLM, server)._astream(*args, **kwargs):
                    attempts.answered()
                    yield chunk
                    if time.monotonic() > deadline:
                        raise self._late()
                return
            except Exception as error:
                attempts.failed(error)

    def _create_chat_result(
        self, response: dict[str, Any] | openai.BaseModel, generation_info: dict[str, Any] | None = None
    ) -> ChatResult:
        result = super()._create_chat_result(response, generation_info)
        choices = response.get("choices") if isinstance(response, dict) else getattr(response, "choices", None)
        for generation, choice in zip(result.generations, choices or (), strict=False):
            _keep_reasoning(generation.message, _plain(_plain(choice).get("message")))
        return result

    def _convert_chunk_to_generation_chunk(
        self,
        chunk: dict[str, Any],
        default_chunk_class: type[Any],
        base_generation_info: dict[str, Any] | None,
    ) -> ChatGenerationChunk | None:
        converted = super()._convert_chunk_to_generation_chunk(chunk, default_chunk_class, base_generation_info)
        choices = chunk.get("choices") or _plain(chunk.get("chunk")).get("choices")
        if converted and choices:
            _keep_reasoning(converted.message, _plain(_plain(choices[0]).get("delta")))
        return converted

    def _check_host(self) -> None:
        resolve_and_check(urlsplit(str(self.openai_api_base)).hostname or "", self.allow_hosts)

    def _late(self) -> BackendTimeout:
        return BackendTimeout(self.model_name, f"{self.model_name} did not answer before its deadline")


class _Attempts:
    """Whom one call asks in turn: each address, and one again without log-probabilities where it refuses them."""

    def __init__(self, model: ChatVLLM, arguments: Mapping[str, Any]) -> None:
        self._model = model
        self._servers = [model, *model._others]
        self._with_tools = bool(arguments.get("tools"))
        self._index, self._left = model._first % len(self._servers), len(self._servers)
        self._begun = False

    def next(self) -> ChatVLLM:
        """Return the model to ask now."""
        server = self._servers[self._index]
        if self._with_tools and server._refuses_logprobs:
            return server.model_copy(update={"logprobs": None, "top_logprobs": None})
        return server

    def answered(self) -> None:
        """Take note that something came: this address is good, and from here on nothing is tried again."""
        self._model._first, self._begun = self._index, True

    def failed(self, error: Exception) -> None:
        """Return if there is someone else to ask, else raise the error."""
        server = self._servers[self._index]
        if not self._begun and self._with_tools and not server._refuses_logprobs and _is_about_logprobs(error):
            server._refuses_logprobs = True
            return
        self._left -= 1
        if self._begun or not self._left or not isinstance(as_backend_error(error, "model"), BackendDown):
            raise error
        self._index = (self._index + 1) % len(self._servers)


def build_vllm(
    settings: VLLMModel, profile: dict[str, Any], deadline_ms: float, allow_hosts: Sequence[str]
) -> ChatVLLM:
    """Build a served model from its settings; nobody is asked yet.

    Raises:
        ConfigError: An address is not allowed, or the environment variable of the key is not set.
    """
    for url in settings.base_url:
        check_base_url(url, allow_hosts)
    key = _key(settings.api_key_env)
    first, *others = (_at(url, settings, profile, deadline_ms, tuple(allow_hosts), key) for url in settings.base_url)
    first._others = others
    return first


def _at(
    url: str,
    settings: VLLMModel,
    profile: dict[str, Any],
    deadline_ms: float,
    allow_hosts: tuple[str, ...],
    key: SecretStr,
) -> ChatVLLM:
    seconds = deadline_ms / 1000
    timeout = openai.Timeout(seconds, connect=min(seconds, _CONNECT_S))
    return ChatVLLM(
        model=settings.lora or settings.name,
        base_url=url,
        api_key=key,
        max_retries=0,
        timeout=timeout,
        deadline_s=seconds,
        allow_hosts=allow_hosts,
        max_tokens=settings.max_tokens,
        temperature=settings.temperature,
        logprobs=True,
        top_logprobs=settings.top_logprobs or None,
        stream_usage=True,
        use_responses_api=False,
        extra_body=settings.extra_body or None,
        profile=profile,
        openai_proxy=None,
        # A redirect would leave the hosts that were checked, and a proxy of the environment would see every request.
        http_client=openai.DefaultHttpxClient(timeout=timeout, follow_redirects=False, trust_env=False),
        http_async_client=_async_client(timeout),
    )


def _async_client(timeout: openai.Timeout) -> Any:
    # A kept connection belongs to the event loop that opened it, and the next call may come from another.
    limits = openai.DEFAULT_CONNECTION_LIMITS
    limits = type(limits)(max_connections=limits.max_connections, max_keepalive_connections=0)
    return openai.DefaultAsyncHttpxClient(timeout=timeout, follow_redirects=False, trust_env=False, limits=limits)


def _key(variable: str | None) -> SecretStr:
    if variable is None:
        return SecretStr("EMPTY")
    key = os.environ.get(variable)
    if not key:
        raise ConfigError(
            "the environment variable is not set", key="api_key_env", value=variable, mend=f"run: export {variable}=..."
        )
    return SecretStr(key)


def _keep_reasoning(message: BaseMessage, sent: Mapping[str, Any]) -> None:
    reasoning = next((sent[name] for name in _REASONING if isinstance(sent.get(name), str)), None)
    if reasoning and isinstance(message, AIMessage):
        message.additional_kwargs["reasoning_content"] = reasoning


def _plain(value: object) -> Mapping[str, Any]:
    if isinstance(value, openai.BaseModel):
        return value.model_dump(warnings=False)
    return value if isinstance(value, Mapping) else {}


def _is_about_logprobs(error: Exception) -> bool:
    return getattr(error, "status_code", None) in (400, 422) and "logprobs" in str(error).lower()
