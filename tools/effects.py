"""What a tool does to the world: the one word that decides whether a person must allow it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from langchain_core.tools import BaseTool, StructuredTool
from pydantic import BaseModel

Effect = Literal["read", "write"]
"""``read`` changes nothing; ``write`` changes something and waits for a person unless the caller's role allows it."""


def effect_of(tool: BaseTool) -> Effect:
    """Return the effect a tool declares in ``metadata["effect"]``; one that declares none counts as a write."""
    return "read" if (tool.metadata or {}).get("effect") == "read" else "write"


def typed_tool(function: Callable[..., str], arguments: type[BaseModel], effect: Effect) -> BaseTool:
    """Make a tool of a function: its name and docstring are what the model reads, `arguments` what it may send.

    Args:
        function: Returns a short text for the model; may take ``runtime: ToolRuntime``, which the model never sees.
        arguments: Schema of the arguments, each with a description.
        effect: What calling it does.
    """
    return StructuredTool.from_function(
        function, description=function.__doc__, args_schema=arguments, metadata={"effect": effect}
    )


def declare_effect(tool: BaseTool, effect: Effect) -> BaseTool:
    """Return a copy of somebody's tool that declares its effect."""
    metadata: dict[str, Any] = {**(tool.metadata or {}), "effect": effect}
    return tool.model_copy(update={"metadata": metadata})
