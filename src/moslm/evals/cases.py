"""`Case`: one thing a system is asked, and what is known about a right answer to it. Plain data; grades nothing."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

ROUTING = "routing"
"""Grader of cases whose way is judged, and not their words; they are put to no model."""


class Message(BaseModel):
    """One turn of a conversation."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: Literal["user", "assistant"]
    content: str


class Case(BaseModel):
    """One case of a suite."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(min_length=1, max_length=200)
    """Unique in its suite."""
    question: str = ""
    """What is asked; or ``messages``, where it is asked in a conversation."""
    messages: list[Message] = []
    """The conversation, what is asked last."""
    context: str = ""
    """What the question is about, such as a document; it is put before the question."""
    expected: JsonValue = None
    """What the grader holds an answer against."""
    grader: str = "exact"
    """Name of the grader, or ``routing``."""
    options: dict[str, Any] = {}
    """What the grader is told besides, such as a tolerance."""
    group: str = ""
    """Cases of one group are resampled together; by default each is a group of its own."""
    domain: str | None = None
    """The domain it belongs to; None where it belongs to none."""
    escalate: bool | None = None
    """Whether it should go up; None where nothing is said about that."""
    tags: dict[str, str] = {}
    """What else it says about itself, such as ``task``."""

    @model_validator(mode="after")
    def _asks_something(self) -> Case:
        if bool(self.question.strip()) == bool(self.messages):
            raise ValueError("needs either a question or messages")
        if self.messages and self.messages[-1].role != "user":
            raise ValueError("the last message is what is asked, and must be the user's")
        return self

    @property
    def conversation(self) -> list[tuple[str, str]]:
        """The turns as (role, text), the request last, with the context before it."""
        turns: list[tuple[str, str]] = [(each.role, each.content) for each in self.messages] or [
            ("user", self.question)
        ]
        if self.context:
            turns[-1] = ("user", f"{self.context}\n\n{turns[-1][1]}")
        return turns

    @property
    def asked(self) -> str:
        """The words that are asked, without the context."""
        return self.messages[-1].content if self.messages else self.question

    @property
    def only_routed(self) -> bool:
        """Whether nothing but its way is judged."""
        return self.grader == ROUTING

    @property
    def labels(self) -> dict[str, str]:
        """What an outcome keeps of the case: its tags, its grader, and whether it should go up."""
        said = {} if self.escalate is None else {"escalate": "yes" if self.escalate else "no"}
        return {**self.tags, "grader": self.grader, **said}
