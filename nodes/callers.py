"""The caller's own tools: binds them to whoever answers, and tells their calls from those of the domain's own tools.

A call of such a tool ends the request; the caller runs it and asks again with its result. Nothing of the caller's runs
here, and no domain is known here.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Collection, Sequence
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, messages_from_dict
from langchain_core.runnables import Runnable

from moslm.errors import BackendError
from moslm.state import Call, Request

Offer = Callable[[Sequence[dict[str, Any]], str | None], Runnable[Any, Any]]
"""(the caller's tools in OpenAI's form, ``tool_choice``) -> the model with those tools bound."""


def names_of(request: Request) -> frozenset[str]:
    """Return the names of the caller's own tools."""
    return frozenset(each["function"]["name"] for each in request.get("tools", []))


def with_tools(
    model: Runnable[Any, Any], offer: Offer | None, request: Request, who: str, own: Collection[str] = ()
) -> Runnable[Any, Any]:
    """Return the model as it answers this caller: as it is, or with the caller's tools beside its own.

    Args:
        model: The model as it answers a caller without tools.
        offer: Binds the caller's tools; None for a model that calls none.
        request: The opened request.
        who: The model's name, for the reason when it cannot.
        own: Names of the domain's own tools.

    Raises:
        BackendError: The caller demands a call and the model calls no tools; or two tools bear one name.
    """
    tools, choice = request.get("tools", []), request.get("tool_choice")
    if not tools or choice == "none":
        return model
    if doubled := sorted(names_of(request) & set(own)):
        raise BackendError(who, f"{who} already has a tool of its own that is called {doubled[0]}")
    if offer is not None:
        return offer(tools, choice)
    if choice not in (None, "auto"):
        raise BackendError(who, f"{who} calls no tools, and the caller demands that one is called")
    return model


def calls_of(reply: AIMessage, request: Request) -> list[Call]:
    """Return the calls of the caller's tools in a model's reply."""
    names = names_of(request)
    return [
        Call(id=call["id"] or f"call-{uuid.uuid4().hex}", name=call["name"], args=call["args"])
        for call in reply.tool_calls
        if call["name"] in names
    ]


def how_to_call(name: str, request: Request) -> str | None:
    """Return what to tell a model whose call of a caller's tool could not be read; None if no such tool is theirs."""
    for each in request.get("tools", []):
        if each["function"]["name"] == name:
            schema = json.dumps(each["function"].get("parameters", {}))
            return f"The arguments of {name} must be one JSON object of this schema: {schema}"
    return None


def results(request: Request) -> list[AnyMessage]:
    """Return the calls of the caller's tools so far, with their results, as messages."""
    found: list[AnyMessage] = messages_from_dict(request.get("rounds", []))  # type: ignore[assignment]
    return found


def instructed(prompt: str, request: Request) -> str:
    """Return the system prompt with what the caller adds to it."""
    return "\n\n".join(filter(None, (prompt, request.get("instructions"))))
