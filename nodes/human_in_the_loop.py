"""The shape of a question to a person and of the answer, as LangChain's HumanInTheLoopMiddleware has them.

Agent Chat UI and the LangGraph front-end kits render it. Knows neither what is asked nor what follows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError


@dataclass(frozen=True, slots=True)
class Asking:
    """One question.

    Attributes:
        requests: The actions a person is shown, each with ``name``, ``args`` and ``description``.
        allowed: What may be decided about each.
        once: Whether an approval must not be carried out a second time, because it does something in the world.
        words: Argument that an edit must leave with words in it; empty where any will do.
    """

    requests: Sequence[dict[str, Any]]
    allowed: Sequence[str]
    once: bool = False
    words: str = ""

    @property
    def names(self) -> list[str]:
        """The actions, each once."""
        return list(dict.fromkeys(request["name"] for request in self.requests))

    @property
    def shown(self) -> dict[str, Any]:
        """What a person is shown."""
        allowed = list(self.allowed)
        configs = [{"action_name": name, "allowed_decisions": allowed} for name in self.names]
        return {"action_requests": list(self.requests), "review_configs": configs}


class EditedAction(BaseModel):
    """An action as the person wants it."""

    name: str
    args: dict[str, Any]


class Decision(BaseModel):
    """What was decided about one action."""

    model_config = ConfigDict(extra="ignore")

    type: str
    message: str | None = None
    why: str | None = None
    """The reason, for the record."""
    edited_action: EditedAction | None = None


class Resume(BaseModel):
    """What a run is resumed with."""

    decisions: list[Decision] = Field(min_length=1)
    by: str | None = None
    """Who decides, where neither the server nor the context says it."""
    why: str | None = None
    shown_sha256: str | None = None
    """Hash of what the decision is about, for front ends that bind it themselves."""


def read_answer(answer: Any, asking: Asking) -> tuple[Resume | None, str | None]:
    """Return an answer as it was read, and what is wrong with it; a wrong one is asked again and never guessed."""
    try:
        resume = Resume.model_validate(answer)
    except ValidationError:
        return None, 'resume with {"decisions": [{"type": ...}]}'
    if len(resume.decisions) != len(asking.requests):
        return None, f"{len(asking.requests)} decisions are needed, {len(resume.decisions)} were given"
    pairs = zip(resume.decisions, asking.requests, strict=True)
    problem = next(filter(None, (_problem(each, request["name"], asking) for each, request in pairs)), None)
    return (None, problem) if problem else (resume, None)


def response_schema(asking: Asking) -> dict[str, Any]:
    """Return the JSON Schema of what a run may be resumed with."""
    args: dict[str, Any] = {"type": "object"}
    if asking.words:
        args |= {"properties": {asking.words: {"type": "string", "minLength": 1}}, "required": [asking.words]}
    action = {
        "type": "object",
        "properties": {"name": {"enum": asking.names}, "args": args},
        "required": ["name", "args"],
    }
    needed: dict[str, dict[str, Any]] = {
        "edit": {"edited_action": action},
        "respond": {"message": {"type": "string", "minLength": 1}},
    }
    choices = [
        {
            "type": "object",
            "properties": {"type": {"const": each}, "message": _TEXT, "why": _TEXT, **needed.get(each, {})},
            "required": ["type", *needed.get(each, {})],
        }
        for each in asking.allowed
    ]
    many = len(asking.requests)
    decisions = {"type": "array", "items": {"oneOf": choices}, "minItems": many, "maxItems": many}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {"decisions": decisions, "by": _TEXT, "why": _TEXT, "shown_sha256": _TEXT},
        "required": ["decisions"],
    }


_TEXT = {"type": ["string", "null"]}


def _problem(decision: Decision, name: str, asking: Asking) -> str | None:
    if decision.type not in asking.allowed:
        return f"{decision.type!r} is not one of {', '.join(asking.allowed)}"
    if decision.type == "respond" and not decision.message:
        return "respond needs a message"
    if decision.type == "edit":
        if decision.edited_action is None:
            return "edit needs an edited_action"
        if decision.edited_action.name != name:
            return f"an edit may change the arguments of {name}, not call another tool"
        text = decision.edited_action.args.get(asking.words) if asking.words else "any"
        if not isinstance(text, str) or not text.strip():
            return f"an edit needs words in the argument {asking.words}"
    return None
