"""Streams words that have already been accepted, so that they reach whoever listens to tokens.

LangGraph's ``messages`` stream shows tokens of chat models alone. Drafts are made under ``nostream``; once one is
accepted, this model says it again, word by word, under the same message id, which LangGraph then does not show twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult


class AcceptedAnswer(BaseChatModel):
    """A chat model that can say one thing."""

    accepted: AIMessage
    """The message to stream; its id becomes the id of every chunk."""

    @property
    def _llm_type(self) -> str:
        return "moslm-accepted"

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
