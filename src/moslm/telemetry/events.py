"""What happens, told while it happens: the custom events of a run (``stream_mode="custom"``).

Every event is plain JSON with a ``type`` and the ``request`` id. They carry measurements and names, never the text of a
draft, so a rejected draft cannot leak through them.
"""

from __future__ import annotations

from typing import Literal, TypedDict

from moslm.decision import Check, Classification


class Classified(TypedDict):
    """Layer 1 has measured the request."""

    type: Literal["moslm.classified"]
    request: str
    domain: str
    domains: list[str]
    probability: float
    novelty_p: float | None


class Drafted(TypedDict):
    """A domain's model has finished a draft, good or bad, or was stopped before it had."""

    type: Literal["moslm.drafted"]
    request: str
    part: str
    domain: str
    model: str
    output_tokens: int
    ms: float
    stopped: str | None
    """By which rule it was stopped early (`moslm.decision.Stopped`); None for a draft that was finished."""
    error: str | None


class Checked(TypedDict):
    """A check has given its order."""

    type: Literal["moslm.checked"]
    request: str
    stage: str
    action: str
    reasons: list[str]
    confidence: float | None


class Retracted(TypedDict):
    """Words that were streamed before they were judged (``optimistic_streaming``) do not stand."""

    type: Literal["moslm.retracted"]
    request: str
    part: str
    messages: list[str]
    """Ids of the streamed messages to take back."""
    reasons: list[str]
    """Triggers that fired; empty for words beside a tool call, or words that will stand in another message."""


class Escalated(TypedDict):
    """The request has gone up; ``outcome`` says whether the large model answered."""

    type: Literal["moslm.escalated"]
    request: str
    model: str | None
    outcome: str


class Answered(TypedDict):
    """The record is closed and kept; the answer is the user's."""

    type: Literal["moslm.answered"]
    request: str
    outcome: str
    answered_by: str | None
    spent_usd: float
    total_ms: float
    first_token_ms: float | None
    """As in the Decision: when the first accepted words came; None where nobody's words answered."""


Event = Classified | Drafted | Checked | Retracted | Escalated | Answered


def classified(request: str, found: Classification) -> Classified:
    """Tell what Layer 1 measured."""
    return {
        "type": "moslm.classified",
        "request": request,
        "domain": found.domain,
        "domains": found.domains,
        "probability": found.probabilities[found.domain],
        "novelty_p": found.novelty_p,
    }


def retracted(request: str, part: str, messages: list[str], check: Check) -> Retracted:
    """Tell which streamed messages do not stand."""
    reasons = [reason.trigger for reason in check.reasons]
    return {"type": "moslm.retracted", "request": request, "part": part, "messages": messages, "reasons": reasons}


def checked(request: str, check: Check, confidence: float | None) -> Checked:
    """Tell a check's order."""
    return {
        "type": "moslm.checked",
        "request": request,
        "stage": check.stage,
        "action": check.action,
        "reasons": [reason.trigger for reason in check.reasons],
        "confidence": confidence,
    }
