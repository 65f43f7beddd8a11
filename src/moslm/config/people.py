"""When a person is asked, and how long a question to one stands."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from moslm.config.settings import Settings

Mood = Literal["upset", "vulnerable"]
"""A mood of whoever asks that a domain may have a person look at; see docs/guides/review.md."""
Risk = Literal["normal", "high"]
"""What a wrong answer of a domain may do."""


class ReviewSettings(Settings):
    """Questions to people: where they are kept while they wait, and for how long they stand."""

    file: Path | None = None
    """SQLite file of the questions, shared by every process that asks or resumes; by default ``reviews.sqlite`` in
    `home`."""
    expires_minutes: float = Field(default=1440, gt=0)
    """How long after it was asked a question may be decided; a later decision is not carried out."""
