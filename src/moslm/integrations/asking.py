"""Asking the graph from outside of LangGraph: messages in, one message with its Decision and its usage out.

Knows neither LangChain's chat-model protocol nor HTTP; the ways in share it.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from langchain_core.callbacks import BaseCallbackHandler, CallbackManager
from langchain_core.callbacks.manager import BaseRunManager
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, SystemMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import var_child_runnable_config
from langchain_core.tracers.base import BaseTracer
from langgraph.graph.state import CompiledStateGraph

from moslm.context import MoSLMContext
from moslm.decision import Decision
from moslm.errors import RequestError

Graph = CompiledStateGraph[Any, Any, Any, Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Question:
    """One request to the graph, apart from who asks."""

    messages: list[BaseMessage]
    """The conversation, system messages left out."""
    instructions: str = ""
    """What the system messages said."""
    tools: tuple[dict[str, Any], ...] = ()
    """The caller's tools, in OpenAI's form."""
    tool_choice: str | None = None

    def context(self, caller: MoSLMContext) -> MoSLMContext:
        """Return the knobs of this run: the caller's own, with what this question brings.

        Raises:
            ValidationError: A tool cannot stand.
        """
        words = "\n\n".join(filter(None, (caller.instructions, self.instructions)))
        brought = {"instructions": words, "tools": [*caller.tools, *self.tools]}
        return MoSLMContext.model_validate({**caller.model_dump(), **brought, "tool_choice": self.tool_choice})


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    message: AIMessage
    """The accepted words, or the calls of the caller's tools."""
    decision: Decision

    @property
    def usage(self) -> UsageMetadata:
        """Tokens of every model that ran for this request, rejected drafts and second opinions included."""
        tokens_in = sum(each.input_tokens for each in self.decision.usage)
        tokens_out = sum(each.output_tokens for each in self.decision.usage)
        return UsageMetadata(input_tokens=tokens_in, output_tokens=tokens_out, total_tokens=tokens_in + tokens_out)


def question(
    messages: Sequence[AnyMessage] | Sequence[BaseMessage], tools: Sequence[dict[str, Any]] = (), choice: Any = None
) -> Question:
    """Divide a conversation into its turns and its instructions.

    Args:
        messages: The conversation with its system messages.
        tools: The caller's tools, in OpenAI's form.
        choice: ``tool_choice`` in any form that LangChain or OpenAI's protocol has.
    """
    turns = [each for each in messages if not isinstance(each, SystemMessage)]
    told = [each.text for each in messages if isinstance(each, SystemMessage)]
    return Question(turns, "\n\n".join(told), tuple(tools), _choice(choice))


def asked(graph: Graph, question: Question, caller: MoSLMContext, within: BaseRunManager | None) -> Answer:
    """Ask the graph.

    Args:
        graph: The compiled graph, without a checkpointer: the messages carry the conversation.
        question: What is asked.
        caller: Who asks, under which thresholds.
        within: The run this is part of; its tracers see the graph's steps.

    Raises:
        RequestError: A person has to decide first, and nobody can be asked here.
    """
    return _detached().run(_invoked, graph, question, caller, within)


async def aasked(graph: Graph, question: Question, caller: MoSLMContext, within: BaseRunManager | None) -> Answer:
    """Ask the graph; see `asked`."""
    return await _in_context(_ainvoked(graph, question, caller, within), _detached())


def _invoked(graph: Graph, question: Question, caller: MoSLMContext, within: BaseRunManager | None) -> Answer:
    given: Any = {"messages": question.messages}
    return _answer(graph.invoke(given, _config(within), context=question.context(caller)))


async def _ainvoked(graph: Graph, question: Question, caller: MoSLMContext, within: BaseRunManager | None) -> Answer:
    given: Any = {"messages": question.messages}
    return _answer(await graph.ainvoke(given, _config(within), context=question.context(caller)))


async def _in_context(work: Coroutine[Any, Any, T], context: contextvars.Context) -> T:
    return await asyncio.create_task(work, context=context)


def _detached() -> contextvars.Context:
    """Return a context in which no graph is running.

    Asked from within a node, LangGraph would take this graph for a subgraph of the node's: it would write into its
    checkpoints, stop it at its own interrupts and stream its tokens a second time.
    """
    context = contextvars.copy_context()
    context.run(var_child_runnable_config.set, None)
    for variable, value in context.items():
        if isinstance(value, BaseCallbackHandler) and not isinstance(value, BaseTracer):
            context.run(variable.set, None)  # such as `get_usage_metadata_callback`: it hears the sum, once
    return context


def _config(within: BaseRunManager | None) -> RunnableConfig:
    # tracers alone: whoever counts tokens or listens to them would have those of every model beside their sum
    tracers: list[BaseCallbackHandler] = [
        each for each in (within.inheritable_handlers if within else ()) if isinstance(each, BaseTracer)
    ]
    if within is None or not tracers:
        return {}
    return {"callbacks": CallbackManager(tracers, inheritable_handlers=tracers, parent_run_id=within.run_id)}


def _answer(result: dict[str, Any]) -> Answer:
    if waiting := result.get("__interrupt__"):
        names = [request["name"] for each in waiting for request in each.value["action_requests"]]
        raise RequestError(
            "needs_a_person", f"A person must decide about {', '.join(names)}; nobody can be asked here."
        )
    return Answer(result["messages"][-1], Decision.model_validate(result["decision"]))


def _choice(choice: Any) -> str | None:
    """Return which tool must be called: None, ``auto``, ``none``, ``required`` or a name."""
    if isinstance(choice, dict):
        return str(choice.get("function", choice).get("name"))
    if isinstance(choice, bool):
        return "required" if choice else None
    return "required" if choice == "any" else choice
