"""From reasons to an order: who answers, or who is asked first.

The one place where triggers become an action. Edges and nodes read the `Check`; they never judge.
"""

from __future__ import annotations

from collections.abc import Sequence

from moslm.decision import Action, Check, Reason
from moslm.escalation.triggers import Evidence, Policy, Trigger


def judge_request(evidence: Evidence, triggers: Sequence[Trigger]) -> Check:
    """Judge a request before any model has answered.

    Spanning several domains is a reason to escalate, unless the policy is to fan out, they are few and nothing else
    fired.
    """
    reasons = _fired(evidence, triggers)
    action: Action = "answer"
    if reasons:
        only_spans = {reason.trigger for reason in reasons} == {"several_domains"}
        shared = evidence.policy.multi_domain == "fan_out" and evidence.classification.spread != "too_many"
        fans_out = shared and only_spans and _all_served(evidence)
        action = "fan_out" if fans_out else _upward(evidence.policy)
    return Check(stage="request", action=action, considered=_names(triggers), reasons=reasons)


def judge_drafts(evidence: Evidence, triggers: Sequence[Trigger]) -> Check:
    """Judge the finished drafts of a request: all are accepted, or the whole request goes up."""
    reasons = _fired(evidence, triggers)
    action: Action = _upward(evidence.policy) if reasons else "answer"
    return Check(stage="draft", action=action, considered=_names(triggers), reasons=reasons)


def unread(failure: str, policy: Policy) -> Check:
    """Return the verdict on a request whose classifier failed: nobody knows its domain, so it goes up."""
    reason = Reason(trigger="backend_failed", detail=failure)
    return Check(stage="request", action=_upward(policy), considered=["backend_failed"], reasons=[reason])


def ask_about_writes(wishes: Sequence[tuple[str, str, str]]) -> Check:
    """Return the verdict on drafts that want to write: a person is asked before anything is judged.

    Args:
        wishes: (part, model, tool) of each write that waits.
    """
    reasons = [
        Reason(trigger="needs_approval", detail=f"{model} wants to {tool}, which writes", part=part)
        for part, model, tool in wishes
    ]
    return Check(stage="draft", action="review", considered=["needs_approval"], reasons=reasons)


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


def _upward(policy: Policy) -> Action:
    return "review" if policy.review_escalations else "escalate"


def _all_served(evidence: Evidence) -> bool:
    return set(evidence.classification.domains) <= evidence.policy.served
