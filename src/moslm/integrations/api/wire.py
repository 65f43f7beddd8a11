"""OpenAI's chat protocol as it is read and written here. Knows no HTTP and no graph.

Sampling settings (``temperature``, ``max_tokens`` ...) are read by nobody: they are the domains' own, because a
calibration holds for the settings it was fitted with. What would change the shape of the answer and is not offered is
refused, not ignored.
"""

from __future__ import annotations

import json
from typing import Any, Literal

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolCall, ToolMessage
from pydantic import BaseModel, ConfigDict, Field

from moslm.integrations.api.mistakes import CallError


class Wire(BaseModel):
    """Base of what clients send: fields that nobody here reads are let through."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Function(Wire):
    """A function that a model called."""

    name: str
    arguments: str = "{}"


class SentCall(Wire):
    """A tool call as the client repeats it."""

    id: str
    type: Literal["function"] = "function"
    function: Function


class Message(Wire):
    """One message of the conversation."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[dict[str, Any]] | None = None
    tool_calls: list[SentCall] | None = None
    tool_call_id: str | None = None


class ToolFunction(Wire):
    """What a tool is called and takes."""

    model_config = ConfigDict(extra="allow")

    name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")


class Tool(Wire):
    """A tool of the client's."""

    type: Literal["function"]
    function: ToolFunction


class NamedFunction(Wire):
    """The function a client demands."""

    name: str


class NamedTool(Wire):
    """The tool a client demands."""

    type: Literal["function"] = "function"
    function: NamedFunction


class StreamOptions(Wire):
    """What a stream carries besides its words."""

    include_usage: bool = False


class Own(BaseModel):
    """What a client may ask of MoSLM beyond the protocol, under ``moslm`` (``extra_body`` in OpenAI's client)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    decision: bool = False
    """Whether the Decision comes with the answer, under ``moslm``."""
    threshold: float | None = Field(default=None, ge=0, le=1)
    multi_domain: Literal["escalate", "fan_out"] | None = None
    may_escalate: bool = True
    """False keeps this request from the large model; true gives no more than the key does."""


class ChatRequest(Wire):
    """The body of ``POST /v1/chat/completions``."""

    model: str
    messages: list[Message] = Field(min_length=1)
    stream: bool = False
    stream_options: StreamOptions | None = None
    tools: list[Tool] = []
    tool_choice: Literal["auto", "none", "required"] | NamedTool | None = None
    stop: str | list[str] | None = None
    n: int | None = None
    logprobs: bool | None = None
    response_format: dict[str, Any] | None = None
    functions: list[Any] | None = None
    modalities: list[str] | None = None
    moslm: Own = Own()

    @property
    def stops(self) -> list[str]:
        """Words at which the answer ends."""
        return [self.stop] if isinstance(self.stop, str) else list(self.stop or ())

    def conversation(self) -> list[BaseMessage]:
        """Return the messages as LangChain has them.

        Raises:
            CallError: One of them cannot be read.
        """
        return [_read(message, f"messages.{i}") for i, message in enumerate(self.messages)]

    def refuse_what_is_not_offered(self) -> None:
        """Refuse what would change the shape of the answer and is not offered.

        Raises:
            CallError: Names the field.
        """
        format = (self.response_format or {}).get("type", "text")
        offered = {
            "n": self.n in (None, 1),
            "logprobs": not self.logprobs,
            "response_format": format == "text",
            "functions": not self.functions,
            "modalities": self.modalities in (None, ["text"]),
        }
        instead = {"response_format": "; give the schema as a tool and demand its call", "functions": "; use tools"}
        for name, fits in offered.items():
            if not fits:
                message = f"{name} is not offered here with this value{instead.get(name, '')}"
                raise CallError(400, message, "unsupported_value", name)


def _read(message: Message, where: str) -> BaseMessage:
    content: Any = message.content if message.content is not None else ""
    if message.role in ("system", "developer"):
        return SystemMessage(content)
    if message.role == "user":
        return HumanMessage(content)
    if message.role == "tool":
        if message.tool_call_id is None:
            raise CallError(400, "a tool's result needs tool_call_id", "invalid_value", f"{where}.tool_call_id")
        return ToolMessage(content, tool_call_id=message.tool_call_id)
    calls = [_call(each, f"{where}.tool_calls.{i}") for i, each in enumerate(message.tool_calls or ())]
    return AIMessage(content, tool_calls=calls)


def _call(sent: SentCall, where: str) -> ToolCall:
    try:
        args = json.loads(sent.function.arguments or "{}")
    except ValueError:
        args = None
    if not isinstance(args, dict):
        param = f"{where}.function.arguments"
        raise CallError(400, "the arguments of a tool call are one JSON object", "invalid_value", param)
    return ToolCall(name=sent.function.name, args=args, id=sent.id, type="tool_call")


def written_calls(message: AIMessage) -> list[dict[str, Any]]:
    """Return a message's tool calls as the protocol has them."""
    return [
        {
            "id": call["id"],
            "type": "function",
            "function": {"name": call["name"], "arguments": json.dumps(call["args"], ensure_ascii=False)},
        }
        for call in message.tool_calls
    ]
