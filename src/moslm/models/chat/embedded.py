"""`ChatEmbedded`: a small model that runs inside this process, as a LangChain chat model (extra ``local``).

Turns messages into requests and pieces into messages. Knows nothing of the engine's threads and memory.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LangSmithParams, LanguageModelInput
from langchain_core.language_models.chat_models import agenerate_from_stream, generate_from_stream
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, convert_to_openai_messages
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import ToolCallChunk, tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import ConfigDict, Field, PrivateAttr

from moslm.errors import BackendGarbled
from moslm.models.chat.engine import Engine, EngineSpec, engine_for
from moslm.models.halting import HALTED, halt
from moslm.models.weights.shelf import find

PROVIDER = "moslm-embedded"

_PASSED_ON = ("tools", "tool_choice", "grammar", "response_format", "seed", "logit_bias", "top_p", "top_k", "min_p")
"""Fields of a request that a caller may bind (``model.bind(grammar=...)``)."""


class ChatEmbedded(BaseChatModel):
    """A GGUF model in this process.

    The weights are loaded at the first call, or by `load`; models with the same weights and sizes share one engine.
    Calls may come from any thread or task. Beside the usual arguments a call takes ``grammar`` (GBNF) and
    ``response_format`` (JSON Schema), which constrain the answer; log-probabilities are then those before the
    constraint. ``tool_choice`` is not enforced by the engine. With tools bound the answer comes in one piece and cannot
    be stopped half-way, because the engine gives log-probabilities only so.
    """

    weights: str = "smollm2-135m-instruct"
    """Name of pinned weights, or path of a GGUF file."""
    context: int = Field(default=4096, ge=128)
    """Tokens of context for each call."""
    parallel: int = Field(default=2, ge=1)
    """Calls that run side by side."""
    threads: int | None = Field(default=None, ge=1)
    """Processor threads; by default one less than there are cores."""
    max_tokens: int = Field(default=160, ge=1)
    temperature: float = Field(default=0.0, ge=0)
    top_logprobs: int = Field(default=5, ge=0)
    """Alternatives asked for beside each token."""
    deadline_ms: float = Field(default=30_000.0, gt=0)
    """When a call is given up, loading included."""
    stop: list[str] | None = None

    in_process: ClassVar[bool] = True
    """It asks nobody."""
    halts: ClassVar[bool] = True
    """Whether it ends an answer that is no longer wanted (`moslm.models.halting`)."""

    model_config = ConfigDict(protected_namespaces=())

    _engine: Engine | None = PrivateAttr(default=None)

    @property
    def model_name(self) -> str:
        """Name of the weights, never their path."""
        return Path(self.weights).name.removesuffix(".gguf")

    def load(self) -> Engine:
        """Load the weights now, if they are not loaded yet.

        Raises:
            WeightsError: They are not there (names the command that pulls them), or cannot be loaded.
            MissingExtraError: The extra ``local`` is not installed.
        """
        if self._engine is None:
            spec = EngineSpec(find(self.weights), self.context, self.parallel, self.threads)
            self._engine = engine_for(spec, self.model_name)
        return self._engine

    @property
    def _llm_type(self) -> str:
        return PROVIDER

    @property
    def _identifying_params(self) -> dict[str, Any]:
        names = ("model_name", "context", "max_tokens", "temperature", "top_logprobs")
        return {name: getattr(self, name) for name in names}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop, **kwargs)
        params["ls_provider"], params["ls_model_name"] = "moslm", self.model_name
        return params

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | dict[str, Any] | bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Offer tools to the model; small models call them unreliably."""
        formatted = [convert_to_openai_tool(tool) for tool in tools]
        choice = {"tool_choice": "required" if tool_choice in ("any", True) else tool_choice} if tool_choice else {}
        return self.bind(tools=formatted, **choice, **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return generate_from_stream(self._stream(messages, stop, run_manager, **kwargs))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return await agenerate_from_stream(self._astream(messages, stop, run_manager, **kwargs))

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        deadline = time.monotonic() + self.deadline_ms / 1000
        request, wanted, tally = self._request(messages, stop, kwargs), halt(), _Tally()
        with closing(self.load().stream(request, deadline)) as pieces:
            for piece in pieces:
                chunk = self._chunk(piece)
                tally.take(piece)
                if chunk is not None:
                    yield chunk
                if wanted.asked:
                    break
        if wanted.asked:
            yield self._ended(tally)

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        deadline = time.monotonic() + self.deadline_ms / 1000
        request, wanted, tally = self._request(messages, stop, kwargs), halt(), _Tally()
        engine = await asyncio.to_thread(self.load) if self._engine is None else self._engine
        # A generator left to the garbage collector would let the engine run on until then.
        async with aclosing(engine.astream(request, deadline)) as pieces:
            async for piece in pieces:
                chunk = self._chunk(piece)
                tally.take(piece)
                if chunk is not None:
                    yield chunk
                if wanted.asked:
                    break
        if wanted.asked:
            yield self._ended(tally)

    def _request(self, messages: list[BaseMessage], stop: list[str] | None, kwargs: dict[str, Any]) -> dict[str, Any]:
        if any(_is_no_text(message) for message in messages):
            raise BackendGarbled(self.model_name, f"{self.model_name} takes text alone")
        request = {
            "messages": convert_to_openai_messages(messages, text_format="string"),
            "max_tokens": kwargs.get("max_tokens", self.max_tokens),
            "temperature": kwargs.get("temperature", self.temperature),
            "logprobs": True,
            "top_logprobs": kwargs.get("top_logprobs", self.top_logprobs),
            "stop": stop or self.stop or [],
            **{name: kwargs[name] for name in _PASSED_ON if kwargs.get(name) is not None},
        }
        if "tools" not in request:
            request |= {"stream": True, "stream_options": {"include_usage": True}, "return_progress": True}
        return request

    def _ended(self, tally: _Tally) -> ChatGenerationChunk:
        """Return the last chunk of an answer that was ended before its time."""
        metadata = {"finish_reason": HALTED, "model_name": self.model_name, "model_provider": PROVIDER}
        usage = _usage({"prompt_tokens": tally.read, "completion_tokens": tally.written})
        message = AIMessageChunk(content="", response_metadata=metadata, usage_metadata=usage)
        return ChatGenerationChunk(message=message)

    def _chunk(self, piece: dict[str, Any]) -> ChatGenerationChunk | None:
        """Turn a piece of an answer, or a whole one, into a chunk; None for mere progress."""
        choice: dict[str, Any] = next(iter(piece.get("choices") or ()), {})
        delta = choice.get("delta") or choice.get("message") or {}
        logprobs, finished, usage = choice.get("logprobs"), choice.get("finish_reason"), piece.get("usage")
        said = delta.get("content") or delta.get("tool_calls") or delta.get("reasoning_content")
        if not (said or logprobs or finished or usage):
            return None
        metadata: dict[str, Any] = {"logprobs": logprobs} if logprobs else {}
        if finished:
            metadata |= {"finish_reason": finished, "model_name": self.model_name, "model_provider": PROVIDER}
        reasoning = delta.get("reasoning_content")
        message = AIMessageChunk(
            content=delta.get("content") or "",
            additional_kwargs={"reasoning_content": reasoning} if reasoning else {},
            response_metadata=metadata,
            tool_call_chunks=_tool_calls(delta),
            usage_metadata=_usage(usage),
        )
        return ChatGenerationChunk(message=message)


@dataclass(slots=True)
class _Tally:
    """Tokens read and written so far; the engine itself counts them at the end alone."""

    read: int = 0
    written: int = 0

    def take(self, piece: dict[str, Any]) -> None:
        """Count what a piece brings."""
        progress = piece.get("prompt_progress") or {}
        self.read = progress.get("total", self.read)
        choice: dict[str, Any] = next(iter(piece.get("choices") or ()), {})
        self.written += len((choice.get("logprobs") or {}).get("content") or ())


def _is_no_text(message: BaseMessage) -> bool:
    blocks = message.content if isinstance(message.content, list) else []
    return any(isinstance(block, dict) and block.get("type", "text") not in ("text", "tool_use") for block in blocks)


def _tool_calls(delta: dict[str, Any]) -> list[ToolCallChunk]:
    return [
        tool_call_chunk(
            name=call["function"].get("name"),
            args=call["function"].get("arguments"),
            id=call.get("id") or f"call_{uuid.uuid4().hex[:24]}",
            index=call.get("index", index),
        )
        for index, call in enumerate(delta.get("tool_calls") or ())
    ]


def _usage(usage: dict[str, Any] | None) -> UsageMetadata | None:
    if not usage:
        return None
    asked, said = usage.get("prompt_tokens", 0), usage.get("completion_tokens", 0)
    return UsageMetadata(input_tokens=asked, output_tokens=said, total_tokens=asked + said)
