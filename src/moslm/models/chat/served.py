"""`ServedChat`: a model at one address that speaks OpenAI's protocol, read as such servers speak it.

What `ChatOpenAI` leaves out for them: the reasoning text, hosts that must not be reached, servers that refuse
log-probabilities beside tools, and answers that are plain JSON to begin with. Knows of no other server.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any, Self
from urllib.parse import urlsplit

import openai
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_openai import ChatOpenAI
from pydantic import PrivateAttr, model_validator

from moslm.models.chat.plain_completions import AsyncPlainCompletions, PlainCompletions
from moslm.privacy.egress import resolve_and_check

_REASONING = ("reasoning_content", "reasoning")
"""Names under which servers send reasoning text; vLLM renamed it."""


class ServedChat(ChatOpenAI):
    """A model at one address. The reasoning text is in ``additional_kwargs["reasoning_content"]``, also streamed."""

    allow_hosts: tuple[str, ...] = ("loopback", "private")
    """Hosts that the address may name; a name is resolved, and what it stands for checked, before each call."""

    _refuses_logprobs: bool = PrivateAttr(default=False)
    """Whether the server was seen to refuse log-probabilities beside tools."""

    @model_validator(mode="after")
    def _hear_plain_answers(self) -> Self:
        self.client = PlainCompletions(self.root_client)
        self.async_client = AsyncPlainCompletions(self.root_async_client)
        return self

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

    def _as_asked(self, arguments: Mapping[str, Any]) -> Self:
        if arguments.get("tools") and self._refuses_logprobs:
            return self.model_copy(update={"logprobs": None, "top_logprobs": None})
        return self

    def _check_host(self) -> None:
        resolve_and_check(self._host, self.allow_hosts)

    async def _acheck_host(self) -> None:
        if _is_address(self._host):  # nothing to look up, so nothing to wait for
            self._check_host()
        else:
            await asyncio.to_thread(self._check_host)

    @property
    def _host(self) -> str:
        return urlsplit(str(self.openai_api_base)).hostname or ""


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _keep_reasoning(message: BaseMessage, sent: Mapping[str, Any]) -> None:
    reasoning = next((sent[name] for name in _REASONING if isinstance(sent.get(name), str)), None)
    if reasoning and isinstance(message, AIMessage):
        message.additional_kwargs["reasoning_content"] = reasoning


def _plain(value: object) -> Mapping[str, Any]:
    if isinstance(value, openai.BaseModel):
        return value.model_dump(warnings=False)
    return value if isinstance(value, Mapping) else {}
