"""From reasons to an order: who answers, or who is asked first.

The one place where triggers become an action. Edges and nodes read the `Check`; they never judge.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from moslm.decision import Check, Reason
from moslm.escalation.triggers import MOODS, DraftEvidence, Evidence, Policy, Trigger

Stage = Literal["request", "draft"]
Onward = Literal["answer", "fan_out", "escalate"]
Asks = Literal["escalation", "draft", "customer"] | None

_MOODS = frozenset(trigger.__name__ for trigger in MOODS)


def judge_request(evidence: Evidence, triggers: Sequence[Trigger]) -> Check:
    """Judge a request before any model has answered.

    Spanning several domains is a reason to escalate, unless the policy is to fan out, they are few and nothing else
    fired. The mood of whoever asks is a reason to ask a person first, whoever would answer.
    """
    asked = triggers if _asks_about_moods(evidence) else [each for each in triggers if each not in MOODS]
    fired = _fired(evidence, asked)
    reasons = [reason for reason in fired if reason.trigger not in _MOODS]
    onward: Onward = "answer"
    if reasons:
        only_spans = {reason.trigger for reason in reasons} == {"several_domains"}
        shared = evidence.policy.multi_domain == "fan_out" and evidence.classification.spread != "too_many"
        onward = "fan_out" if shared and only_spans and _all_served(evidence) else "escalate"
    asks: Asks = "customer" if len(fired) > len(reasons) else None
    return _ordered("request", onward, asks, _names(asked), fired, evidence)


def judge_drafts(evidence: Evidence, triggers: Sequence[Trigger]) -> Check:
    """Judge the finished drafts of a request: all are accepted, or the whole request goes up.

    Where nothing but low confidence speaks against a draft of a domain of high risk, a person decides about it instead.
    """
    reasons = _fired(evidence, triggers)
    if {reason.trigger for reason in reasons} == {"low_confidence"} and (risky := _unsure_at_high_risk(evidence)):
        detail = f"a wrong answer about {risky.domain} is of high risk, so a person decides about its doubtful draft"
        reasons.append(Reason(trigger="high_risk", detail=detail, part=risky.part))
        return _ordered("draft", "answer", "draft", [*_names(triggers), "high_risk"], reasons, evidence)
    return _ordered("draft", "escalate" if reasons else "answer", None, _names(triggers), reasons, evidence)


def unread(failure: str, policy: Policy, escalation_usd: float | None = None) -> Check:
    """Return the verdict on a request whose classifier failed: nobody knows its domain, so it goes up."""
    reason = Reason(trigger="backend_failed", detail=failure)
    return _priced("request", "escalate", None, ["backend_failed"], [reason], policy, escalation_usd)


def ask_about_writes(wishes: Sequence[tuple[str, str, str]]) -> Check:
    """Return the verdict on drafts that want to write: a person is asked before anything is judged.

    Args:
        wishes: (part, model, tool) of each write that waits.
    """
    reasons = [
        Reason(trigger="needs_approval", detail=f"{model} wants to {tool}, which writes", part=part)
        for part, model, tool in wishes
    ]
    considered = ["needs_approval"]
    return Check(stage="draft", action="review", considered=considered, reasons=reasons, asks="writes", then="answer")


def for_the_caller() -> Check:
    """Return the verdict on drafts that call the caller's own tools: there are no words to judge yet."""
    return Check(stage="draft", action="answer", considered=[], reasons=[])


def as_they_are(why: str, usable: bool) -> Check:
    """Return the verdict on drafts that nobody above can take the place of, because a cap is reached.

    Args:
        why: The cap, and when there is room again.
        usable: Whether every draft is an answer at all.
    """
    reason = Reason(trigger="at_cap", detail=f"the large model cannot be asked, because {why}")
    return Check(stage="draft", action="answer" if usable else "escalate", considered=["at_cap"], reasons=[reason])


def refusal(code: str, detail: str) -> Check:
    """Return the verdict on a request that nobody can answer as it stands."""
    return Check(stage="request", action="refuse", considered=[], reasons=[Reason(trigger=code, detail=detail)])


def _fired(evidence: Evidence, triggers: Sequence[Trigger]) -> list[Reason]:
    return [reason for trigger in triggers if (reason := trigger(evidence)) is not None]


def _names(triggers: Sequence[Trigger]) -> list[str]:
    return [getattr(trigger, "__name__", type(trigger).__name__) for trigger in triggers]


def _ordered(
    stage: Stage, onward: Onward, asks: Asks, considered: list[str], reasons: list[Reason], evidence: Evidence
) -> Check:
    return _priced(stage, onward, asks, considered, reasons, evidence.policy, evidence.escalation_usd)


def _priced(
    stage: Stage,
    onward: Onward,
    asks: Asks,
    considered: list[str],
    reasons: list[Reason],
    policy: Policy,
    usd: float | None,
) -> Check:
    """Order what follows; or that a person is asked first, about what was found or about the price of going up."""
    limit = policy.review_above_usd
    if onward == "escalate" and limit is not None:
        considered = [*considered, "dear_escalation"]
        if usd is not None and usd > limit:
            detail = f"asking the large model may cost up to ${usd:.3g} (a person is asked above ${limit:.3g})"
            reasons = [*reasons, Reason(trigger="dear_escalation", detail=detail, measured=usd, threshold=limit)]
            asks = asks or "escalation"
    if onward == "escalate" and policy.review_escalations:
        asks = asks or "escalation"
    if asks is None:
        return Check(stage=stage, action=onward, considered=considered, reasons=reasons)
    return Check(stage=stage, action="review", considered=considered, reasons=reasons, asks=asks, then=onward)


def _unsure_at_high_risk(evidence: Evidence) -> DraftEvidence | None:
    unsure = [each for each in evidence.drafts if each.confidence is None or each.confidence < each.threshold]
    return next((each for each in unsure if each.domain in evidence.policy.high_risk), None)


def _asks_about_moods(evidence: Evidence) -> bool:
    found = evidence.classification
    return any(evidence.policy.ask_when.get(name) for name in (found.domain, *found.domains))


def _all_served(evidence: Evidence) -> bool:
    return set(evidence.classification.domains) <= evidence.policy.served
