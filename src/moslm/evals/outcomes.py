"""`Outcome`: what one system made of one case. Metrics, comparisons, gates, replays and reports read nothing else.

A system is whatever answers a case: ``moslm`` with a configuration, ``large`` (the large model for everything),
``small`` (the best single small model), ``ungated`` (the small models, whatever their confidence). Rows are plain JSON,
one a line, so that a run is readable without this library.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Ending = Literal["right", "wrong", "partly", "declined", "refused", "unparsed", "failed"]
"""How a case ended. ``partly``: a grader gave a part of the points. ``declined``: an honest "I do not know", or handed
to a person. ``refused``: turned away by a cap, a rule or a screen. ``unparsed``: there was an answer, and the grader
could not read it. ``failed``: no answer came."""

Way = Literal["local", "escalated", "recalled", "handed_over", "refused", "none"]
"""Which way a case was answered; ``none`` where nothing answered it."""


class Outcome(BaseModel):
    """One case, one system, what came of it."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    suite: str
    case: str
    """Id of the case, unique in its suite."""
    group: str
    """Cases of one group (a page, a template, a conversation) are resampled together."""
    system: str
    domain: str | None = None
    """The domain the case belongs to; None where it belongs to none."""
    routed_to: str | None = None
    """The domain the system took it for; None where it did not say."""

    ending: Ending
    score: float | None = Field(default=None, ge=0, le=1)
    """Points of the grader; None where there was nothing to grade. `worth` is what metrics average."""
    answer: str | None = None
    """The words the user would have seen. Left out where a run keeps no texts."""
    why: str = ""
    """One sentence of the grader, or what failed."""

    way: Way = "none"
    confidence: float | None = Field(default=None, ge=0, le=1)
    """Calibrated confidence of the small model's draft; None when unknown."""
    threshold: float | None = Field(default=None, ge=0, le=1)
    """What it was held against."""
    draft_score: float | None = Field(default=None, ge=0, le=1)
    """Points of the small model's draft, kept or not, where it was graded; says whether escalating was needed."""

    usd: float | None = Field(default=None, ge=0)
    """What answering cost; None where a price is missing, which is never the same as nothing."""
    graded_usd: float = Field(default=0.0, ge=0)
    """What grading it cost, which is no part of ``usd``."""
    total_ms: float | None = Field(default=None, ge=0)
    classify_ms: float | None = Field(default=None, ge=0)
    first_token_ms: float | None = Field(default=None, ge=0)
    input_tokens: int | None = Field(default=None, ge=0)
    output_tokens: int | None = Field(default=None, ge=0)
    tags: dict[str, str] = {}
    """What the case says about itself, such as ``task`` or ``escalate`` (``yes`` or ``no``)."""
    decision: dict[str, Any] | None = None
    """The `moslm.Decision` of the request, as plain JSON; None for systems that make none."""

    @property
    def worth(self) -> float:
        """Points that count: those of the grader, and none where there was nothing to grade."""
        return self.score or 0.0

    @property
    def answered(self) -> bool:
        """Whether the user got an answer in words."""
        return self.ending in {"right", "wrong", "partly", "unparsed"}
