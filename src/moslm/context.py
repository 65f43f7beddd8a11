"""The knobs a caller may turn for one run, and the one way to read them.

LangGraph hands a subgraph its parent's context as it is: nothing, our type, a dict, or a stranger's object. Every node
goes through `resolve_context`, so defaults hold whoever embeds MoSLM.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, field_validator

from moslm.config import Sensitivity
from moslm.errors import ConfigError

Role = Literal["user", "operator", "reviewer", "auditor", "admin"]

_CHECKS: list[JsonValue] = ["check_request", "check_draft"]
_ANSWERING: list[JsonValue] = ["answer", "escalate"]
_OF_TOOLS = ("tools", "tool_choice")


class MoSLMContext(BaseModel):
    """What one run may set: who asks, and which thresholds hold for them."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    tenant: str = Field(
        default="default",
        min_length=1,
        max_length=128,
        description="Whose data this is; memory and caps are kept apart by it.",
        json_schema_extra={"langgraph_nodes": ["screen", "recall"]},
    )
    user: str | None = Field(
        default=None,
        max_length=256,
        description="Opaque id of who asks, for the audit log.",
        json_schema_extra={"langgraph_nodes": ["screen"]},
    )
    role: Role = Field(
        default="user",
        description="What the caller may do: as the rules on access say: by default operators and admins run writes"
        " without a person's approval, and whoever resumes a run that names a role must be a reviewer or an admin.",
        json_schema_extra={"langgraph_nodes": ["answer", "review"]},
    )
    idempotency_key: str | None = Field(
        default=None,
        min_length=1,
        max_length=256,
        description="Names this request for whoever sends it again: what was paid under it is not paid twice.",
        json_schema_extra={"langgraph_nodes": ["screen", "escalate"]},
    )
    fresh: bool = Field(
        default=False,
        description="Asks anew: neither a remembered answer nor one that was paid in this place of the thread is given"
        " again, and the new one is paid. An idempotency_key that is sent along still holds.",
        json_schema_extra={"langgraph_nodes": ["screen", "recall"]},
    )
    threshold: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="Confidence a draft needs to be shown; empty keeps each domain's own.",
        json_schema_extra={"langgraph_nodes": _CHECKS},
    )
    multi_domain: Literal["escalate", "fan_out"] | None = Field(
        default=None,
        description="Requests that span domains: to the large model, or to each domain its part.",
        json_schema_extra={"langgraph_nodes": ["check_request"]},
    )
    sensitivity: Sensitivity = Field(
        default="internal",
        description="How much harm the request would do elsewhere; rules on what may leave the premises read it.",
        json_schema_extra={"langgraph_nodes": _ANSWERING},
    )
    region: str | None = Field(
        default=None,
        max_length=64,
        description="Where the request's data belongs; rules on what may leave the premises read it.",
        json_schema_extra={"langgraph_nodes": _ANSWERING},
    )
    may_escalate: bool = Field(
        default=True,
        description="Whether this run may spend on the large model.",
        json_schema_extra={"langgraph_nodes": ["escalate"]},
    )
    remember: bool = Field(
        default=True,
        description="Whether an earlier answer may be given again, and this one remembered.",
        json_schema_extra={"langgraph_nodes": ["recall"]},
    )
    instructions: str = Field(
        default="",
        description="What the caller adds to the system prompt of whoever answers.",
        json_schema_extra={"langgraph_nodes": _ANSWERING},
    )
    tools: list[dict[str, JsonValue]] = Field(
        default=[],
        description="Tools of the caller's own, in OpenAI's form: a call of one ends the run, and the caller runs it.",
        json_schema_extra={"langgraph_nodes": _ANSWERING},
    )
    tool_choice: str | None = Field(
        default=None,
        description="auto, none, required (any), or the name of one of the caller's tools.",
        json_schema_extra={"langgraph_nodes": _ANSWERING},
    )

    @field_validator("tools")
    @classmethod
    def _each_has_a_name(cls, tools: list[dict[str, JsonValue]]) -> list[dict[str, JsonValue]]:
        for each in tools:
            function = each.get("function")
            if not isinstance(function, dict) or not isinstance(function.get("name"), str) or not function["name"]:
                raise ValueError('a tool needs {"type": "function", "function": {"name": ...}}')
        return tools


_DEFAULTS = MoSLMContext()
_OPEN_KNOBS = [name for name in MoSLMContext.model_fields if name not in ("role", "fresh", "instructions", *_OF_TOOLS)]


def resolve_context(given: object) -> MoSLMContext:
    """Read our knobs from whatever context the graph was run with.

    Args:
        given: ``runtime.context``: None, a `MoSLMContext`, a mapping, or any object. A mapping or object that serves
            several graphs may keep ours under the key or attribute ``moslm``; only there, or in our own type, does
            ``role``, ``fresh``, ``instructions`` and ``tools`` count: a stranger's "admin" need not be one of ours, and
            a stranger's "fresh" shall not pay again.

    Raises:
        ConfigError: A knob has a value that cannot stand; names the knob, the value and what is allowed.
    """
    if given is None:
        return _DEFAULTS
    if isinstance(given, MoSLMContext):
        return given
    nested = given.get("moslm") if isinstance(given, Mapping) else getattr(given, "moslm", None)
    if isinstance(nested, Mapping):
        return _validated(dict(nested))
    if nested is not None:
        return resolve_context(nested)
    values: dict[str, Any] = {}
    for name in _OPEN_KNOBS:
        value = given.get(name, None) if isinstance(given, Mapping) else getattr(given, name, None)
        if value is not None:
            values[name] = value
    return _validated(values)


def _validated(values: dict[str, Any]) -> MoSLMContext:
    try:
        return MoSLMContext.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(
            first["msg"],
            file="context",
            key=".".join(map(str, first["loc"])),
            value=first["input"],
            mend="keep MoSLM's knobs under the key 'moslm' if this one is not meant for it",
        ) from None
