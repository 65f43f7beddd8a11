"""When a person is asked, and how long a question to one stands."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from moslm.config.redis import RedisPlace

Mood = Literal["upset", "vulnerable"]
"""A mood of whoever asks that a domain may have a person look at; see docs/guides/review.md."""
Risk = Literal["normal", "high"]
"""What a wrong answer of a domain may do."""


class ReviewSettings(RedisPlace):
    """Questions to people: where they are kept while they wait, and for how long they stand."""

    what: ClassVar[str] = "questions to people are kept"
    file: Path | None = None
    """SQLite file of the questions, shared by every process that asks or resumes; by default ``reviews.sqlite`` in
    `home`."""
    redis_durable: bool = True
    """Whether a Redis that keeps nothing on its disk is refused: a restart of it would forget who decided what."""
    expires_minutes: float = Field(default=1440, gt=0)
    """How long after it was asked a question may be decided; a later decision is not carried out."""
