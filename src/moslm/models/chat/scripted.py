"""`ScriptedChatModel`: the shipped double, a chat model that answers from a script.

For tests, docs and Studio without a model. It behaves as a served model does where that matters to MoSLM: token
log-probabilities, usage, streaming, tool calls, delays, deadlines and failures. It knows nothing of any real model.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Annotated, Any, ClassVar

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LangSmithParams, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import ConfigDict, Field, PrivateAttr, SkipValidation

from moslm.errors import BackendTimeout
from moslm.models.halting import halt

Reply = str | AIMessage | BaseException | type[BaseException] | Callable[[list[BaseMessage]], str | AIMessage]
"""One line of the script: a text, a message (with tool calls, say), a failure to raise, a function of the messages."""

PROVIDER = "moslm-scripted"


class ScriptedChatModel(BaseChatModel):
    """Answers in turn from a script; the last line repeats.

    One instance may be shared between threads and tasks: the place in the script and the record of calls belong to the
    instance and its bindings (`bind_tools`), in the order the calls arrive.
    """

    replies: Annotated[Sequence[Reply], SkipValidation] = Field(default=("This is a scripted answer.",), min_length=1)
    """The script."""
    model_name: str = Field(default="scripted", alias="model")
    confidence: float | None = Field(default=0.9, ge=0, le=1)
    """Probability of every token; None leaves the log-probabilities out, as some servers do."""
    delay_ms: float = Field(default=0.0, ge=0)
    """Time each call takes before its first token."""
    deadline_ms: float | None = Field(default=None, gt=0)
    """A longer delay is given up after this time."""
    reports_usage: bool = True
    """Whether answers carry token counts (words are counted)."""

    in_process: ClassVar[bool] = True
    """It asks nobody."""
    halts: ClassVar[bool] = True
    """Whether it ends an answer that is no longer wanted (`moslm.models.halting`)."""

    model_config = ConfigDict(populate_by_name=True, arbitrary_types_allowed=True, protected_namespaces=())

    _lock: threading.Lock = PrivateAttr(default_factory=threading.Lock)
    _calls: list[list[BaseMessage]] = PrivateAttr(default_factory=list)
    _tools: list[list[dict[str, Any]]] = PrivateAttr(default_factory=list)

    @property
    def calls(self) -> list[list[BaseMessage]]:
        """The messages of each call so far, in order of arrival."""
        with self._lock:
            return list(self._calls)

    @property
    def tools_seen(self) -> list[list[dict[str, Any]]]:
        """The tools of each call so far, in OpenAI's form; an empty list where none were bound."""
        with self._lock:
            return list(self._tools)

    @property
    def _llm_type(self) -> str:
        return PROVIDER

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model_name": self.model_name, "confidence": self.confidence}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop, **kwargs)
        params["ls_provider"] = "moslm"
        return params

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | Any],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Bind tools; the script decides whether they are called, `tools_seen` tells that they were offered."""
        formatted = [convert_to_openai_tool(tool) for tool in tools]
        return self.bind(tools=formatted, tool_choice=tool_choice, **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        reply = self._take(messages, kwargs)
        time.sleep(self._wait_s)
        return self._result(reply, messages)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        reply = self._take(messages, kwargs)
        await asyncio.sleep(self._wait_s)
        return self._result(reply, messages)

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        reply = self._take(messages, kwargs)
        time.sleep(self._wait_s)
        yield from self._chunks(self._message(reply, messages))

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        reply = self._take(messages, kwargs)
        await asyncio.sleep(self._wait_s)
        for chunk in self._chunks(self._message(reply, messages)):
            yield chunk

    @property
    def _wait_s(self) -> float:
        return min(self.delay_ms, self.deadline_ms or math.inf) / 1000

    def _take(self, messages: list[BaseMessage], kwargs: dict[str, Any]) -> Reply:
        """Record the call and return its line of the script."""
        with self._lock:
            reply = self.replies[min(len(self._calls), len(self.replies) - 1)]
            self._calls.append(list(messages))
            self._tools.append(list(kwargs.get("tools") or []))
        return reply

    def _message(self, reply: Reply, messages: list[BaseMessage]) -> AIMessage:
        """Turn a line of the script into the finished message, or raise its failure."""
        if self.deadline_ms is not None and self.delay_ms > self.deadline_ms:
            raise BackendTimeout(self.model_name, f"{self.model_name} did not answer before its deadline")
        if isinstance(reply, BaseException | type):
            raise reply
        said = reply if isinstance(reply, str | AIMessage) else reply(messages)
        message = AIMessage(content=said) if isinstance(said, str) else said
        return message.model_copy(
            update={
                "response_metadata": {**self._metadata(message), **message.response_metadata},
                "usage_metadata": message.usage_metadata or self._usage(message, messages),
            }
        )

    def _metadata(self, message: AIMessage) -> dict[str, Any]:
        return {
            "model_name": self.model_name,
            "model_provider": PROVIDER,
            "finish_reason": "tool_calls" if message.tool_calls else "stop",
            "logprobs": self._logprobs(_tokens(message.text)),
        }

    def _logprobs(self, tokens: list[str]) -> dict[str, Any] | None:
        """Return log-probabilities in the form OpenAI's API has them; the rest of the mass goes to one alternative."""
        if self.confidence is None:
            return None
        own, rest = (math.log(max(p, 1e-12)) for p in (self.confidence, 1 - self.confidence))
        return {
            "content": [
                {
                    "token": token,
                    "logprob": own,
                    "top_logprobs": [{"token": token, "logprob": own}, {"token": "�", "logprob": rest}],
                }
                for token in tokens
            ]
        }

    def _usage(self, message: AIMessage, messages: list[BaseMessage]) -> dict[str, int] | None:
        if not self.reports_usage:
            return None
        asked = sum(len(_tokens(each.text)) for each in messages)
        said = len(_tokens(message.text)) + sum(1 + len(call["args"]) for call in message.tool_calls)
        return {"input_tokens": asked, "output_tokens": said, "total_tokens": asked + said}

    def _result(self, reply: Reply, messages: list[BaseMessage]) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self._message(reply, messages))])

    def _chunks(self, message: AIMessage) -> Iterator[ChatGenerationChunk]:
        """Yield the message word by word; tool calls, usage and names come with the last chunk, as from a server."""
        wanted = halt()
        for token in _tokens(message.text):
            metadata = {"logprobs": self._logprobs([token])} if self.confidence is not None else {}
            yield ChatGenerationChunk(message=AIMessageChunk(content=token, response_metadata=metadata))
            if wanted.asked:
                return
        metadata = {key: value for key, value in message.response_metadata.items() if key != "logprobs"}
        calls = [
            tool_call_chunk(name=call["name"], args=json.dumps(call["args"]), id=call["id"], index=index)
            for index, call in enumerate(message.tool_calls)
        ]
        last = AIMessageChunk(
            content="",
            additional_kwargs=message.additional_kwargs,
            response_metadata=metadata,
            usage_metadata=message.usage_metadata,
            tool_call_chunks=calls,
            chunk_position="last",
        )
        yield ChatGenerationChunk(message=last, generation_info={"finish_reason": metadata["finish_reason"]})


def _tokens(text: str) -> list[str]:
    """Split into words that keep the space before them, so that joining gives the text back."""
    return re.findall(r"\s*\S+|\s+$", text)
