"""Streams words that have already been accepted, so that they reach whoever listens to tokens.

LangGraph's ``messages`` stream shows tokens of chat models alone. Drafts are made under ``nostream``; once one is
accepted, this model says it again, word by word, under the same message id, which LangGraph then does not show twice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import RunnableConfig


class AcceptedAnswer(BaseChatModel):
    """A chat model that can say one thing."""

    accepted: AIMessage
    """The message to stream; its id becomes the id of every chunk."""

    @property
    def _llm_type(self) -> str:
        return "moslm-accepted"

    @property
    def _serialized(self) -> dict[str, Any]:
        """What callbacks are told of it: LangChain would describe every field of each new one, its words included."""
        return _SERIALIZED

    def _get_invocation_params(self, stop: list[str] | None = None, **kwargs: Any) -> dict[str, Any]:
        return {"_type": self._llm_type, "stop": stop, **kwargs}

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self.accepted)])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        for word in re.findall(r"\s*\S+\s*$|\s*\S+|\s+", self.accepted.text):
            chunk = ChatGenerationChunk(message=AIMessageChunk(content=word, id=self.accepted.id))
            if run_manager:
                run_manager.on_llm_new_token(word, chunk=chunk)
            yield chunk
        # without a last chunk of ours LangChain adds an empty one, under an id of its own
        last = ChatGenerationChunk(message=_last(self.accepted))
        if run_manager:
            run_manager.on_llm_new_token("", chunk=last)
        yield last


def is_heard(config: RunnableConfig) -> bool:
    """Tell whether anybody listens to this run, so that saying the answer again is of any use."""
    callbacks = config.get("callbacks")
    return bool(getattr(callbacks, "handlers", callbacks))


_SERIALIZED = {
    "lc": 1,
    "type": "not_implemented",
    "id": [*AcceptedAnswer.__module__.split("."), AcceptedAnswer.__name__],
    "name": AcceptedAnswer.__name__,
}


def _last(message: AIMessage) -> AIMessageChunk:
    """Return the chunk that ends the message and carries its tool calls."""
    chunks = [
        tool_call_chunk(name=call["name"], args=json.dumps(call["args"]), id=call["id"], index=index)
        for index, call in enumerate(message.tool_calls)
    ]
    return AIMessageChunk(content="", id=message.id, tool_call_chunks=chunks, chunk_position="last")
