"""`ChatMoSLM`: the whole graph behind one chat model.

For whatever takes a LangChain chat model: ``create_agent(model=ChatMoSLM(...), tools=[...])``, a chain, an evaluation.
Knows the chat-model protocol; how a request is answered is the graph's.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LangSmithParams, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import ConfigDict, Field, SkipValidation, model_validator

from moslm.config import Config
from moslm.context import MoSLMContext
from moslm.errors import ConfigError
from moslm.graph.builder import create_moslm
from moslm.integrations.asking import Answer, Graph, aasked, asked, question

PROVIDER = "moslm"


class ChatMoSLM(BaseChatModel):
    """A chat model that is a whole MoSLM graph.

    The words of an answer arrive once they are accepted: streamed word by word, and no token of a rejected draft.
    ``usage_metadata`` sums the tokens of every model that ran; ``response_metadata`` holds the Decision under
    ``decision`` and its id under ``decision_id``. System messages stand after the domain's own prompt. Bound tools
    reach the domain's model and the large model; their calls come back as ``tool_calls``, ungated, and the answer made
    from their results is held against its threshold as any other.

    Sampling is the domains' own matter: a calibration holds for the temperature it was fitted with, so LangChain's
    ``temperature``, ``max_tokens`` and the like change nothing here. ``stop`` cuts the accepted words.

    Nobody can be asked in the middle of a call: where a person has to decide (a write under the role ``user``, an
    escalation with ``review = true``) it raises `RequestError`.
    """

    config: Annotated[str | Path | Config | None, SkipValidation] = None
    """A ``moslm.toml``, settings made in code, or None for the embedded default."""
    graph: Annotated[Graph | None, SkipValidation] = None
    """A graph that is compiled already, without a checkpointer; takes the place of ``config``."""
    context: MoSLMContext = MoSLMContext()
    """Who asks, under which thresholds."""
    model_name: str = Field(default="moslm", alias="model")
    """The name in traces and in ``response_metadata``."""
    stop: list[str] | None = None
    """Words at which an answer ends."""

    model_config = ConfigDict(populate_by_name=True, arbitrary_types_allowed=True, protected_namespaces=())

    @model_validator(mode="after")
    def _build(self) -> ChatMoSLM:
        if self.graph is None:
            self.graph = create_moslm(self.config).compile(name="moslm")
        elif self.graph.checkpointer:
            raise ConfigError(
                "has a checkpointer, and a chat model gets the whole conversation with each call",
                key="graph",
                mend="compile it without one",
            )
        return self

    @property
    def _llm_type(self) -> str:
        return PROVIDER

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model_name": self.model_name, "context": self.context.model_dump(mode="json")}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop, **kwargs)
        params["ls_provider"], params["ls_model_name"] = PROVIDER, kwargs.get("model", self.model_name)
        return params

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | dict[str, Any] | bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Bind tools that reach whichever model answers.

        Args:
            tools: Tools in any form that LangChain knows.
            tool_choice: ``auto``, ``none``, ``any`` or ``required``, a tool's name, or OpenAI's form of these.
            **kwargs: Passed on to `bind`.
        """
        formatted = [convert_to_openai_tool(tool) for tool in tools]
        return self.bind(tools=formatted, tool_choice=tool_choice, **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        answer = self._ask(messages, run_manager, kwargs)
        return ChatResult(generations=[ChatGeneration(message=self._message(answer, stop))])

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        answer = await self._aask(messages, run_manager, kwargs)
        return ChatResult(generations=[ChatGeneration(message=self._message(answer, stop))])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        yield from _chunks(self._message(self._ask(messages, run_manager, kwargs), stop))

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        for chunk in _chunks(self._message(await self._aask(messages, run_manager, kwargs), stop)):
            yield chunk

    def _ask(self, messages: list[BaseMessage], run: CallbackManagerForLLMRun | None, given: Any) -> Answer:
        assert self.graph is not None
        wish = question(messages, given.get("tools") or (), given.get("tool_choice"))
        return asked(self.graph, wish, self.context, run)

    async def _aask(self, messages: list[BaseMessage], run: AsyncCallbackManagerForLLMRun | None, given: Any) -> Answer:
        assert self.graph is not None
        wish = question(messages, given.get("tools") or (), given.get("tool_choice"))
        return await aasked(self.graph, wish, self.context, run)

    def _message(self, answer: Answer, stop: list[str] | None) -> AIMessage:
        text = cut(answer.message.text, stop or self.stop or ())
        return AIMessage(
            text,
            id=answer.message.id,
            tool_calls=answer.message.tool_calls,
            usage_metadata=answer.usage,
            response_metadata={
                "model_name": self.model_name,
                "model_provider": PROVIDER,
                "finish_reason": "tool_calls" if answer.message.tool_calls else "stop",
                "decision_id": answer.decision.id,
                "decision": answer.decision.plain(),
            },
        )


def cut(text: str, stop: Sequence[str]) -> str:
    """Return the text up to the first of the stop words."""
    found = [at for word in stop if word and (at := text.find(word)) >= 0]
    return text[: min(found)] if found else text


def words(text: str) -> list[str]:
    """Divide an accepted text into the pieces it is streamed in; joined they give the text back."""
    return re.findall(r"\s*\S+\s*$|\s*\S+|\s+", text)


def _chunks(message: AIMessage) -> Iterator[ChatGenerationChunk]:
    for word in words(message.text):
        yield ChatGenerationChunk(message=AIMessageChunk(content=word, id=message.id))
    calls = [
        tool_call_chunk(name=call["name"], args=json.dumps(call["args"]), id=call["id"], index=index)
        for index, call in enumerate(message.tool_calls)
    ]
    last = AIMessageChunk(
        content="",
        id=message.id,
        tool_call_chunks=calls,
        usage_metadata=message.usage_metadata,
        response_metadata=message.response_metadata,
        chunk_position="last",
    )
    yield ChatGenerationChunk(
        message=last, generation_info={"finish_reason": message.response_metadata["finish_reason"]}
    )
