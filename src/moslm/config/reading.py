"""How a request is read and judged before any model answers, and how large it may be."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from moslm.config.models import ModelSettings
from moslm.config.settings import Probability, Settings


class ClassifierSettings(Settings):
    """Layer 1: which classifier looks at each request."""

    kind: Literal["encoder", "chat"] = "encoder"
    """``encoder``: sentence encoder with a fitted head, on the CPU. ``chat``: a small chat model with a
    choice-constrained answer, read from its log-probabilities."""
    head: Path | None = None
    """Folder of a fitted head (``moslm fit``); by default the shipped one."""
    model: ModelSettings | None = None
    """The chat model; needed for ``kind = "chat"``."""

    @model_validator(mode="after")
    def _chat_needs_a_model(self) -> ClassifierSettings:
        if self.kind == "chat" and self.model is None:
            raise ValueError('kind = "chat" needs a model; add a [classifier.model] section')
        return self


class TriggerSettings(Settings):
    """Layer 3: the thresholds that are not a domain's own."""

    novelty_alpha: Probability = 0.02
    """A request whose novelty p-value is below this is unfamiliar: the share of familiar requests that is escalated by
    mistake."""
    reasoning: Probability = 0.5
    """Probability of complex_reasoning from which the large model is asked."""
    several_alpha: Probability = 0.05
    """Share of requests about one domain that may be taken for several; it fixes when a second domain counts."""
    part: Probability = 0.6
    """The same as a fixed probability, for classifiers without a yardstick (``kind = "chat"``, or passed in code)."""
    most_domains: int = Field(default=3, ge=2)
    """Domains above which a request is not shared out but goes up whole."""
    mood: Probability = 0.5
    """Probability of a mood from which a domain that names it in ``ask_when`` has a person asked."""


class Limits(Settings):
    """How large a request may be."""

    max_chars: int = Field(default=32_000, ge=1)
    """Longest message, in characters."""
    max_turns: int = Field(default=40, ge=1)
    """Messages of the conversation that are looked at, from the last one back."""
