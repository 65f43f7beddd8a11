"""`Domain`: one domain as loaded, with every setting resolved; knows no files."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from moslm.config import (
    AtCapAction,
    Defaults,
    DomainSettings,
    ModelSettings,
    Mood,
    Risk,
    SecondOpinionSettings,
    deadline_of,
)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a domain's handbook."""

    source: str
    """File name without its folder, such as ``returns-and-refunds.md``."""
    text: str
    """The page in Markdown."""


@dataclass(frozen=True, slots=True)
class ResolvedSettings:
    """What holds for one domain after every source has spoken; fields mean what `DomainSettings` says."""

    model: ModelSettings
    threshold: float
    latency_ms: float
    deadline_ms: float
    use_tools: Literal["auto", "always", "never"]
    tools: tuple[str, ...]
    passages: int
    max_tool_rounds: int
    confidence: str
    calibration: Path | None
    second_opinion: SecondOpinionSettings
    at_cap: AtCapAction
    remember: bool
    risk: Risk
    ask_when: tuple[Mood, ...]


@dataclass(frozen=True, slots=True)
class Domain:
    """One domain, ready to be used."""

    name: str
    """Name of its folder; the class that the classifier predicts."""
    title: str
    """For people, such as "Customer service"."""
    description: str
    """What it is about, in one sentence."""
    prompt: str
    """System prompt of its model."""
    examples: tuple[str, ...]
    """Requests that belong to it; the classifier is fitted on them."""
    knowledge: tuple[Page, ...]
    """The handbook, by file name; empty when it has none."""
    settings: ResolvedSettings
    large_model_only: bool = False
    """Whether it has no small model of its own: its requests go to the large model."""
    file: str = ""
    """The ``domain.toml`` it was read from, for messages to whoever wrote it."""


def resolve_settings(own: DomainSettings, defaults: Defaults, overrides: DomainSettings | None) -> ResolvedSettings:
    """Merge a domain's settings; the later source wins.

    The order is: what `Defaults` ships, the domain's own file, what ``[defaults]`` of the configuration says in so many
    words, and ``[domains.NAME]``.

    Args:
        own: Settings of the domain's ``domain.toml``.
        defaults: The ``[defaults]`` section.
        overrides: The ``[domains.NAME]`` section, if there is one.
    """
    names = [field.name for field in fields(ResolvedSettings)]
    values: dict[str, Any] = {name: getattr(defaults, name, ()) for name in names}
    values |= _given(own, names)
    values |= {name: getattr(defaults, name) for name in names if name in defaults.model_fields_set}
    values |= _given(overrides, names) if overrides else {}
    if values["remember"] is None:
        # what is wrong once would be wrong for as long as it is remembered
        values["remember"] = values["risk"] != "high"
    values["deadline_ms"] = deadline_of(values["latency_ms"], values["deadline_ms"])
    return ResolvedSettings(**values | {name: tuple(values[name]) for name in ("tools", "ask_when")})


def _given(settings: DomainSettings, names: list[str]) -> dict[str, Any]:
    return {name: value for name in names if (value := getattr(settings, name)) is not None}
