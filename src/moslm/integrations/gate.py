"""The gate apart from the graph: is this request for a small model, and is this draft good enough?

Holds what `create_moslm` would build, for a model that somebody else calls. Measures and judges; calls no model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage

from moslm.config import Config, LargeModelSettings, deadline_of, load
from moslm.decision import Check, Classification, ToolUse
from moslm.domains import load_domains
from moslm.errors import BackendError, ConfigError, RequestError
from moslm.escalation.confidence import measure
from moslm.escalation.triggers import DraftEvidence, Evidence
from moslm.escalation.verdicts import judge_drafts, unread
from moslm.graph.agents import chat_model, model_name
from moslm.graph.parts import Overrides, Parts, build_parts
from moslm.models.chat.logprobs import token_logprobs
from moslm.models.leaving import Door
from moslm.nodes.escalate import LargeModel
from moslm.nodes.screen import conversation
from moslm.privacy.boundary import Labels
from moslm.state import Draft, Task, Turn
from moslm.statements.declining import declines
from moslm.tools.emptiness import found_nothing


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate says, and what it measured."""

    check: Check
    found: Classification | None
    """None where the request could not be read."""
    confidence: float | None = None
    threshold: float | None = None

    @property
    def kept(self) -> bool:
        """Whether the small model may answer, or has answered well enough."""
        return self.check.action == "answer"


@dataclass(frozen=True, slots=True)
class Gate:
    """The gate around one small model."""

    parts: Parts
    model: str
    """The small model's name."""
    large: BaseChatModel | None
    threshold: float | None
    """The confidence a draft needs, where it is not each domain's own."""

    def door(self, found: Classification | None, request: str) -> Door:
        """Return the door that one call leaves through.

        Args:
            found: What the request is about.
            request: An id of the call; its placeholders are its own.
        """
        labels = Labels("default", found.domain if found else None, "internal", None)
        return self.parts.doors(labels, request)

    @property
    def guard(self) -> LargeModel | None:
        """What bounds the large model: its cap, its throttle, its deadline and its price."""
        return self.parts.large_model

    def of_request(self, messages: Sequence[AnyMessage]) -> Verdict:
        """Judge a conversation before anybody answers: what cannot be read goes up, for nobody knows its domain."""
        try:
            turns = conversation(messages, self.parts.config.limits)
            found, check = self.parts.judge([Turn(cast(Any, role), text) for role, text in turns], "escalate")
        except (RequestError, BackendError) as problem:
            return Verdict(unread(str(problem), self.parts.policy("escalate")), None)
        return Verdict(check, found)

    def of_draft(
        self, draft: AIMessage | BackendError, found: Classification, messages: Sequence[AnyMessage]
    ) -> Verdict:
        """Judge a draft, or the failure that stands in its place.

        Args:
            draft: What the small model said, or how it failed.
            found: What Layer 1 measured about the request.
            messages: The conversation, with the results of tools since the last user message.
        """
        trust = self.parts.trusted[found.domain]
        written = _written(draft, found, messages, self.model)
        measured = measure(written, self.parts.signals, trust.gauge)
        evidence = DraftEvidence(
            part="0",
            domain=found.domain,
            model=self.model,
            confidence=measured.value,
            threshold=trust.required(self.threshold),
            error=str(draft) if isinstance(draft, BackendError) else None,
            declined=declines(written["text"]),
            calibration=measured.calibration,
        )
        check = judge_drafts(Evidence(found, self.parts.policy("escalate"), (evidence,)), self.parts.draft_triggers)
        return Verdict(check, found, measured.value, evidence.threshold)


def settings_of_gate(config: str | Path | Config | None) -> Config:
    """Read the settings of a gate.

    Raises:
        ConfigError: They cannot stand, or ask for what only the graph can do.
    """
    settings = config if isinstance(config, Config) else load(config)
    for key in ("review", "review_above_usd"):
        value = getattr(settings.large_model, key, None)
        if value is not None and value is not False:  # 0 is a limit
            raise ConfigError(
                "asks a person before an escalation, which an agent's middleware cannot",
                key=f"large_model.{key}",
                value=value,
                mend="leave it out, or use the graph",
            )
    return settings


def build_gate(
    settings: Config, small: BaseChatModel, large: BaseChatModel | None, threshold: float | None, **own: Any
) -> Gate:
    """Build the gate around a small model.

    Args:
        settings: The settings; every domain that is served is answered by this model.
        small: The model.
        large: The large model; by default that of the settings.
        threshold: The confidence a draft needs; by default each domain's own.
        **own: Further fields of `moslm.graph.parts.Overrides`.

    Raises:
        ConfigError: A setting cannot stand.
    """
    served = [name for name, domain in load_domains(settings).items() if not domain.large_model_only]
    parts = build_parts(settings, Overrides(models=dict.fromkeys(served, small), large_model=large, **own))
    return Gate(parts, model_name(small), large or _configured(settings.large_model, settings), threshold)


def _configured(section: LargeModelSettings | None, config: Config) -> BaseChatModel | None:
    if section is None:
        return None
    deadline_ms = deadline_of(section.latency_ms, section.deadline_ms)
    return chat_model(section.model, deadline_ms, config, None, "large_model.model")


def _written(
    draft: AIMessage | BackendError, found: Classification, messages: Sequence[AnyMessage], model: str
) -> Draft:
    failed, said = isinstance(draft, BackendError), draft if isinstance(draft, AIMessage) else AIMessage("")
    last = max((i for i, each in enumerate(messages) if isinstance(each, HumanMessage)), default=0)
    results = [each for each in messages[last:] if isinstance(each, ToolMessage)]
    return Draft(
        task=Task(part="0", domain=found.domain, text=messages[last].text if messages else ""),
        model=model,
        text=said.text.strip(),
        logprobs=token_logprobs(said),
        tools=[_use(each).model_dump(mode="json") for each in results],
        evidence=[each.text for each in results if each.status != "error"],
        passages=[],
        cut_off=said.response_metadata.get("finish_reason") == "length",
        classification=found.model_dump(mode="json"),
        opinions={},
        error={"kind": draft.kind, "message": str(draft)} if failed else None,  # type: ignore[union-attr]
    )


def _use(result: ToolMessage) -> ToolUse:
    outcome: Any = "failed" if result.status == "error" else "done"
    return ToolUse(name=result.name or "tool", effect="read", outcome=outcome, empty=found_nothing(result.text))


def told(verdict: Verdict, answered_by: str | None, rejected: str | None) -> Mapping[str, Any]:
    """Return what is written beside an answer about how it came about."""
    return {
        "action": verdict.check.action,
        "answered_by": answered_by,
        "domain": verdict.found.domain if verdict.found else None,
        "novelty_p": verdict.found.novelty_p if verdict.found else None,
        "confidence": verdict.confidence,
        "threshold": verdict.threshold,
        "reasons": [reason.model_dump(mode="json") for reason in verdict.check.reasons],
        "rejected": rejected,
    }
