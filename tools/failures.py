"""What a model is told when a tool call fails: short, safe, and enough to try again.

What kind of error it was and where it rose goes to the log ``moslm.tools``, without its text, which may quote.
Nothing of it reaches the model but the names of arguments and what pydantic says about them.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from langchain_core.tools import BaseTool
from langgraph.prebuilt.tool_node import ToolInvocationError
from pydantic import TypeAdapter, ValidationError

from moslm.errors import BackendError, ConfigError, wordless

_log = logging.getLogger("moslm.tools")
_MOST_MISTAKES = 3
_NOT_NOW = "The tool failed. Answer without it, or say that it is not available now."
_UNQUOTABLE = ("value_error", "assertion_error")
"""Kinds of mistake whose text is that of an exception somebody raised in a validator."""


def safe_tool_error(error: Exception) -> str:
    """Turn a failed tool call into one or two sentences for the model, and log what failed where.

    For ``ToolNode(handle_tool_errors=safe_tool_error)``.
    """
    if isinstance(error, ToolInvocationError):
        _log.info("tool %s was called with arguments that do not fit", error.tool_name)
        mistakes = error.filtered_errors or error.source.errors()
        return f"{error.tool_name} was not run. {_mistakes_in_words(mistakes)} Mend the arguments and call it again."
    if isinstance(error, ConfigError):
        _log.error("a tool cannot work: %s", error)  # names its own mend; where it was raised mends nothing
        return _NOT_NOW
    _log.warning("a tool failed: %s", wordless(error))
    if isinstance(error, ValidationError):
        return f"The tool was not run. {_mistakes_in_words(error.errors())} Mend the arguments and call it again."
    if isinstance(error, TimeoutError):
        return "The tool took too long and was stopped. Answer without it, or say that it is not available now."
    if isinstance(error, BackendError):
        return f"{error} Answer without it, or say that it is not available now."
    return _NOT_NOW


def how_to_call(tool: BaseTool) -> str:
    """Say in one sentence which arguments a tool takes, for a model that sent none that could be read.

    Models write a bare text or broken JSON now and then; LangChain keeps those as ``invalid_tool_calls``.
    """
    schema = _schema_of(tool)
    required = schema.get("required", [])
    arguments = [
        f"{name} ({_kind(details)}{'' if name in required else ', optional'})"
        for name, details in schema.get("properties", {}).items()
    ]
    if not arguments:
        return f"{tool.name} takes no arguments: call it with an empty JSON object."
    return f"{tool.name} takes a JSON object with {', '.join(arguments)}."


def _schema_of(tool: BaseTool) -> dict[str, Any]:
    schema: Any = tool.tool_call_schema
    return schema if isinstance(schema, dict) else dict(TypeAdapter(schema).json_schema())


def _kind(details: dict[str, Any]) -> str:
    choices = details.get("enum")
    if choices:
        return " or ".join(map(str, choices))
    kinds = [details.get("type")] if "type" in details else [each.get("type") for each in details.get("anyOf", [])]
    words = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}
    named = [words.get(kind, str(kind)) for kind in kinds if kind not in (None, "null")]
    return " or ".join(dict.fromkeys(named)) or "any value"


def _mistakes_in_words(mistakes: Sequence[Any]) -> str:
    sentences = []
    for mistake in mistakes[:_MOST_MISTAKES]:
        name = ".".join(str(part) for part in mistake["loc"]) or "the arguments"
        if mistake["type"] == "missing":
            sentences.append(f"{name} is missing.")
        elif mistake["type"] in _UNQUOTABLE:
            sentences.append(f"{name} is not valid.")
        else:
            text = mistake["msg"][:120].rstrip(".")
            sentences.append(f"{name}: {text[:1].lower()}{text[1:]}.")
    return " ".join(sentences)
