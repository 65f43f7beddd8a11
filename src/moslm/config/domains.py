"""What a domain may set, and what holds for those that say nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from moslm.config.models import EmbeddedModel, ModelSettings
from moslm.config.people import Mood, Risk
from moslm.config.settings import Milliseconds, Probability, Settings
from moslm.config.spending import AtCapAction
from moslm.config.trust import SecondOpinionSettings


class DomainSettings(Settings):
    """What a domain may set, in its ``domain.toml`` or under ``[domains.NAME]``."""

    model: ModelSettings | None = None
    """The domain's small model; by default ``[defaults.model]``."""
    server: str | None = None
    """Name of the server under ``[servers.NAME]`` that its model runs on, in the place of ``model``."""
    threshold: Probability | None = None
    """Confidence below which a draft goes up; by default ``[defaults] threshold``."""
    latency_ms: Milliseconds | None = None
    """Latency budget: measured and shown."""
    deadline_ms: Milliseconds | None = None
    """When the domain's model and tools are given up; by default `deadline_of` the latency budget."""
    use_tools: Literal["auto", "always", "never"] | None = None
    """``auto``: tools for models whose profile says they call them, passages in the prompt for the others."""
    tools: list[str] | None = None
    """Names of the tools its model may use."""
    passages: int | None = Field(default=None, ge=0, le=20)
    """Handbook passages put into the prompt of a model that calls no tools."""
    max_tool_rounds: int | None = Field(default=None, ge=0, le=20)
    confidence: str | None = None
    """As in ``[defaults]``."""
    calibration: Path | None = None
    """As in ``[defaults]``."""
    second_opinion: SecondOpinionSettings | None = None
    """As in ``[defaults]``."""
    at_cap: AtCapAction | None = None
    """As in ``[defaults]``."""
    remember: bool | None = None
    """As in ``[defaults]``."""
    risk: Risk | None = None
    """As in ``[defaults]``."""
    ask_when: list[Mood] | None = None
    """As in ``[defaults]``."""

    @model_validator(mode="after")
    def _one_model(self) -> DomainSettings:
        _refuse_two_models(self)
        return self


class Defaults(Settings):
    """What holds for every domain that says nothing of its own."""

    model: ModelSettings = EmbeddedModel(kind="embedded")
    server: str | None = None
    """Name of the server under ``[servers.NAME]`` that the models run on, in the place of ``model``."""
    threshold: Probability = 0.8
    latency_ms: Milliseconds = 500
    deadline_ms: Milliseconds | None = None
    use_tools: Literal["auto", "always", "never"] = "auto"
    passages: int = Field(default=1, ge=0, le=20)
    """Handbook passages before a model that calls no tools; a second one confuses the embedded model."""
    max_tool_rounds: int = Field(default=4, ge=0, le=20)
    confidence: str = "calibrated"
    """``calibrated``: the probability of being right that a calibration gives; without one in force the confidence is
    unknown, which counts as low. The name of a signal (``mean`` ...) takes that signal as it is: the Decision then says
    that the confidence is uncalibrated."""
    calibration: Path | None = None
    """File made by ``moslm calibrate``; by default the shipped one, if it is of this model and these weights."""
    second_opinion: SecondOpinionSettings = SecondOpinionSettings()
    at_cap: AtCapAction = "hand_over"
    """What happens to a request that must go up when a cap does not allow it: ``hand_over`` it; ``answer_locally`` with
    a notice that nobody has checked the answer; ``wait`` until there is room, then hand it over; ``ask`` a person; or
    ``refuse`` it."""
    remember: bool | None = None
    """Whether answers are remembered. Where nobody says so they are, but for those of a domain whose risk is high."""
    risk: Risk = "normal"
    """``high``: a draft whose confidence is too low goes to a person, who sees it, and not to the large model."""
    ask_when: list[Mood] = []
    """Moods of whoever asks in which a person is asked before any model answers."""

    @model_validator(mode="after")
    def _one_model(self) -> Defaults:
        _refuse_two_models(self)
        return self


def _refuse_two_models(section: DomainSettings | Defaults) -> None:
    if section.server and "model" in section.model_fields_set:
        raise ValueError("names both a model and a server; leave one of them out")
