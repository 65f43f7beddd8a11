"""`ChatVLLM`: a model behind one or more vLLM servers, or others that speak OpenAI's protocol.

How one of them is asked and read is `moslm.models.chat.served`'s; which one is asked, `moslm.models.replicas`'s. Here
a call goes from one to the next until it is answered whole, inside its deadline. Knows no prompt and no domain.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import time
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator, Mapping, Sequence
from contextlib import aclosing, closing
from typing import Any, ClassVar

import openai
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import LangSmithParams, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import RunnableConfig
from pydantic import PrivateAttr, SecretStr

from moslm.config import ResilienceSettings, VLLMModel
from moslm.errors import ConfigError
from moslm.models.chat.connections import async_client, client
from moslm.models.chat.continuing import Continuation, Diverged
from moslm.models.chat.served import ServedChat
from moslm.models.deadlines import deadline
from moslm.models.halting import HALTED, halt
from moslm.models.replicas.attempts import Attempts, out_of_time
from moslm.models.replicas.health import health_of
from moslm.models.replicas.pool import ReplicaPool
from moslm.models.replicas.replica import ReplicaState
from moslm.privacy.egress import check_base_url
from moslm.tls import context_of

_CONNECT_S = 3.0
"""A server that does not take a connection by then has failed: the next one is asked."""

_MADE_ANEW = 3
"""How often an answer is made anew whose beginning was already handed out and turned out differently elsewhere."""


class ChatVLLM(ServedChat):
    """A served model; `build_vllm` builds it from settings.

    The reasoning text of a server with a reasoning parser is in ``additional_kwargs["reasoning_content"]``, also when
    streamed; ``response_metadata["replica"]`` is a `moslm.decision.ReplicaUse` of the call. An answer that breaks off
    is made again by another server, and nothing of it is said twice; where that cannot be, a `BackendError` is raised:
    what was returned or streamed to its end is whole.
    """

    deadline_s: float = 30.0
    """When a call is given up, however steadily its answer drips. (A synchronous call that does not stream is bounded
    between two bytes alone; the graph's own deadline ends that one.)"""

    halts: ClassVar[bool] = True
    """Whether it ends an answer that is no longer wanted (`moslm.models.halting`)."""

    _servers: list[ChatVLLM] = PrivateAttr(default_factory=list)
    """The same model at each of its addresses, this one first."""
    _pool: ReplicaPool | None = PrivateAttr(default=None)
    """What is known of those servers."""

    @property
    def _llm_type(self) -> str:
        return "moslm-vllm"

    @property
    def base_urls(self) -> list[str]:
        """Where its servers are asked."""
        return [str(server.openai_api_base) for server in self._servers or [self]]

    def replicas(self) -> tuple[ReplicaState, ...]:
        """Return what is known of each of its servers."""
        return self._known().states()

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop, **kwargs)
        params["ls_provider"] = "vllm"
        return params

    def invoke(
        self, input: LanguageModelInput, config: RunnableConfig | None = None, *, stop: Any = None, **kwargs: Any
    ) -> AIMessage:
        """Answer; anew, where an answer that broke off turned out differently at another server."""
        for _ in range(_MADE_ANEW):
            try:
                return super().invoke(input, config, stop=stop, **kwargs)
            except Diverged:
                continue
        return super().invoke(input, config, stop=stop, **kwargs)

    async def ainvoke(
        self, input: LanguageModelInput, config: RunnableConfig | None = None, *, stop: Any = None, **kwargs: Any
    ) -> AIMessage:
        """Answer, as `invoke` does, on the event loop."""
        for _ in range(_MADE_ANEW):
            try:
                return await super().ainvoke(input, config, stop=stop, **kwargs)
            except Diverged:
                continue
        return await super().ainvoke(input, config, stop=stop, **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        call = self._call(messages)
        try:
            while True:
                server = self._servers[call.next()]
                try:
                    server._check_host()
                    result = super(ChatVLLM, server._as_asked(kwargs))._generate(
                        messages, stop, run_manager, **_limited(call, kwargs)
                    )
                except Exception as error:
                    self._failed(call, server, error, kwargs)
                else:
                    return _told(result, call)
        finally:
            call.left()

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        call = self._call(messages)
        try:
            while True:
                server = self._servers[await call.anext()]
                try:
                    async with asyncio.timeout(call.seconds()):
                        await server._acheck_host()
                        result = await super(ChatVLLM, server._as_asked(kwargs))._agenerate(
                            messages, stop, run_manager, **_limited(call, kwargs)
                        )
                except Exception as error:
                    self._failed(call, server, error, kwargs)
                else:
                    return _told(result, call)
        finally:
            call.left()

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        call, answer, wanted = self._call(messages), Continuation(self.model_name), halt()
        try:
            while not answer.finished:
                server = self._servers[call.next()]
                answer.begin_again()
                try:
                    server._check_host()
                    with closing(server._pieces(messages, stop, call, kwargs)) as pieces:
                        for piece in pieces:
                            if time.monotonic() > call.deadline:
                                raise out_of_time(self.model_name)
                            if chunk := _passed(piece, answer, call):
                                if run_manager:
                                    run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                                yield chunk
                            if wanted.asked:
                                break
                    if wanted.asked and not answer.finished:
                        yield _ended(call)  # the connection is closed by now, so the server has stopped
                        return
                    _check_whole(answer)
                except Diverged:
                    raise
                except Exception as error:
                    self._failed(call, server, error, kwargs, answer)
            call.answered(answer.tokens)
        finally:
            call.left()

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        call, answer, wanted = self._call(messages), Continuation(self.model_name), halt()
        try:
            while not answer.finished:
                server = self._servers[await call.anext()]
                answer.begin_again()
                try:
                    await server._acheck_host()
                    async with aclosing(server._apieces(messages, stop, call, kwargs)) as pieces:
                        async for piece in pieces:
                            if chunk := _passed(piece, answer, call):
                                if run_manager:
                                    await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                                yield chunk
                            if wanted.asked:
                                break
                    if wanted.asked and not answer.finished:
                        yield _ended(call)  # the connection is closed by now, so the server has stopped
                        return
                    _check_whole(answer)
                except Diverged:
                    raise
                except Exception as error:
                    self._failed(call, server, error, kwargs, answer)
            call.answered(answer.tokens)
        finally:
            call.left()

    def _pieces(
        self, messages: list[BaseMessage], stop: list[str] | None, call: Attempts, kwargs: dict[str, Any]
    ) -> Generator[ChatGenerationChunk, None, None]:
        yield from super(ChatVLLM, self._as_asked(kwargs))._stream(messages, stop, **_limited(call, kwargs))

    async def _apieces(
        self, messages: list[BaseMessage], stop: list[str] | None, call: Attempts, kwargs: dict[str, Any]
    ) -> AsyncGenerator[ChatGenerationChunk, None]:
        """Yield what one server says, and give it up when it falls silent for too long."""
        limited, silence = _limited(call, kwargs), call.seconds()
        stream = super(ChatVLLM, self._as_asked(kwargs))._astream(messages, stop, **limited)
        try:
            while True:
                async with asyncio.timeout(min(silence, call.deadline - time.monotonic())):
                    try:
                        chunk = await anext(stream)
                    except StopAsyncIteration:
                        return
                yield chunk
        finally:
            await stream.aclose()  # type: ignore[attr-defined]

    def _call(self, messages: Sequence[BaseMessage]) -> Attempts:
        return Attempts(self._known(), messages, deadline(time.monotonic() + self.deadline_s))

    def _known(self) -> ReplicaPool:
        """Return what is known of the servers; a model that was not built from settings has its one address."""
        if self._pool is None:
            is_well = health_of(self.allow_hosts)
            self._pool = ReplicaPool(self.model_name, [str(self.openai_api_base)], ResilienceSettings(), is_well)
            self._servers = [self]
        return self._pool

    def _failed(
        self,
        call: Attempts,
        server: ChatVLLM,
        error: Exception,
        arguments: Mapping[str, Any],
        answer: Continuation | None = None,
    ) -> None:
        """Return if there is someone to ask again, or nothing left to ask for; else raise."""
        begun = answer is not None and answer.begun
        if arguments.get("tools") and not begun and not server._refuses_logprobs and _is_about_logprobs(error):
            server._refuses_logprobs = True
            call.left()
        elif answer is None or not answer.finished:
            call.failed(error, begun=begun)


def _limited(call: Attempts, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of an attempt, with what is left of the call's time as its timeout."""
    seconds = call.seconds()
    return {**arguments, "timeout": openai.Timeout(seconds, connect=min(seconds, _CONNECT_S))}


def _told(result: ChatResult, call: Attempts) -> ChatResult:
    """Put on the answer who gave it, and return it."""
    message = result.generations[0].message if result.generations else None
    usage = message.usage_metadata if isinstance(message, AIMessage) else None
    use = call.answered(usage["output_tokens"] if usage else None)
    if message is not None:
        message.response_metadata["replica"] = use.model_dump(mode="json")
    return result


def _passed(piece: ChatGenerationChunk, answer: Continuation, call: Attempts) -> ChatGenerationChunk | None:
    """Return what of a piece is new; the one that ends the answer says who gave it."""
    before = answer.finished
    chunk = answer.let_through(piece)
    if chunk is not None and answer.finished and not before:
        chunk.message.response_metadata["replica"] = call.use().model_dump(mode="json")
    return chunk


def _ended(call: Attempts) -> ChatGenerationChunk:
    """Return the last chunk of an answer that was ended before its time; it says who gave it."""
    metadata = {"finish_reason": HALTED, "replica": call.use().model_dump(mode="json")}
    return ChatGenerationChunk(message=AIMessageChunk(content="", response_metadata=metadata))


def _check_whole(answer: Continuation) -> None:
    if not answer.finished:
        # a connection that is closed in good order says nothing about the answer: only a finish_reason does
        raise ConnectionError("the stream ended before the answer") if answer.begun else ValueError("nothing came")


def build_vllm(
    settings: VLLMModel, profile: dict[str, Any], deadline_ms: float, allow_hosts: Sequence[str]
) -> ChatVLLM:
    """Build a served model from its settings; nobody is asked yet.

    Raises:
        ConfigError: An address is not allowed, or the environment variable of the key is not set.
    """
    for url in settings.base_url:
        check_base_url(url, allow_hosts)
    key, tls = _key(settings.api_key_env), tls_of(settings)
    servers = [_at(url, settings, profile, deadline_ms, tuple(allow_hosts), key, tls) for url in settings.base_url]
    name = servers[0].model_name
    is_well = health_of(tuple(allow_hosts), tls)
    pool = ReplicaPool(name, settings.base_url, settings.resilience, is_well, balanced=settings.balanced)
    servers[0]._servers, servers[0]._pool = servers, pool
    return servers[0]


def tls_of(settings: VLLMModel) -> ssl.SSLContext | None:
    """Return the context of a model's own certificates; None where the system's count.

    Raises:
        ConfigError: A file cannot be read, or holds no such thing.
    """
    tls = settings.tls
    if tls.ca_file is None and tls.cert_file is None:
        return None
    return context_of(tls.ca_file, tls.cert_file, tls.key_file)


def _at(
    url: str,
    settings: VLLMModel,
    profile: dict[str, Any],
    deadline_ms: float,
    allow_hosts: tuple[str, ...],
    key: SecretStr,
    tls: ssl.SSLContext | None,
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
        http_client=client(timeout, tls),
        http_async_client=async_client(timeout, tls),
    )


def _key(variable: str | None) -> SecretStr:
    if variable is None:
        return SecretStr("EMPTY")
    key = os.environ.get(variable)
    if not key:
        raise ConfigError(
            "the environment variable is not set", key="api_key_env", value=variable, mend=f"run: export {variable}=..."
        )
    return SecretStr(key)


def _is_about_logprobs(error: Exception) -> bool:
    return getattr(error, "status_code", None) in (400, 422) and "logprobs" in str(error).lower()
