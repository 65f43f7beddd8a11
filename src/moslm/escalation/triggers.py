"""Reasons to ask the large model: each trigger looks at the evidence and returns a reason, or nothing.

Pure functions; the order of the tables is the order in which reasons are told. To add one: a function here and its line
in a table, or pass it to ``create_moslm(triggers=[...])``. What follows from a reason is decided in
`moslm.escalation.verdicts`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from moslm.decision import CalibrationUse, Classification, Reason, Stopped


@dataclass(frozen=True, slots=True)
class Policy:
    """The thresholds and wishes in force for one request."""

    served: frozenset[str]
    """Domains that have a small model here."""
    large_only: frozenset[str]
    """Domains that only the large model answers, such as complex_reasoning."""
    novelty_alpha: float
    reasoning: float
    multi_domain: str
    """``escalate`` or ``fan_out``."""
    review_escalations: bool = False
    """Whether a person approves each call of the large model."""
    review_above_usd: float | None = None
    """What such a call may cost without a person's approval; None for any price."""
    high_risk: frozenset[str] = frozenset()
    """Domains whose doubtful drafts go to a person."""
    ask_when: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By domain, the moods of a customer in which a person is asked."""
    mood: float = 0.5
    """Probability of a mood from which it counts."""


@dataclass(frozen=True, slots=True)
class DraftEvidence:
    """What is known of one finished draft."""

    part: str
    domain: str
    model: str
    confidence: float | None
    threshold: float
    error: str | None
    """Safe sentence about a backend failure; None when the model answered."""
    declined: bool = False
    """Whether the draft says that it does not know."""
    calibration: CalibrationUse | None = None
    """What stands behind the confidence."""
    stopped: Stopped | None = None
    """Where it was stopped while it was being written."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All a trigger may look at."""

    classification: Classification
    policy: Policy
    drafts: tuple[DraftEvidence, ...] = ()
    """Empty while only the request is judged."""
    escalation_usd: float | None = None
    """The most that asking the large model can cost; None where it would not be asked."""


Trigger = Callable[[Evidence], Reason | None]


def asked_for(evidence: Evidence) -> Reason | None:
    """The user asked for advanced reasoning in so many words."""
    words = evidence.classification.asked_for
    if words is None:
        return None
    return Reason(trigger="asked_for", detail="the request asks for advanced reasoning")


def needs_reasoning(evidence: Evidence) -> Reason | None:
    """The request is of a kind that no small model here answers, such as multi-step reasoning."""
    found, policy = evidence.classification, evidence.policy
    measured = sum(found.probabilities.get(name, 0.0) for name in policy.large_only)
    if not policy.large_only or (measured < policy.reasoning and found.domain not in policy.large_only):
        return None
    likeliest = max(policy.large_only, key=lambda name: found.probabilities.get(name, 0.0)).replace("_", " ")
    return Reason(
        trigger="needs_reasoning",
        detail=f"{likeliest} has probability {measured:.2f} (large model from {policy.reasoning:.2f})",
        measured=measured,
        threshold=policy.reasoning,
    )


def unfamiliar(evidence: Evidence) -> Reason | None:
    """The request is unlike those the classifier knows, or belongs to a domain that is not served."""
    found, policy = evidence.classification, evidence.policy
    if found.novelty_p is not None and found.novelty_p < policy.novelty_alpha:
        return Reason(
            trigger="unfamiliar",
            detail=f"of familiar requests only {found.novelty_p:.1%} look this strange"
            f" (limit {policy.novelty_alpha:.1%})",
            measured=found.novelty_p,
            threshold=policy.novelty_alpha,
        )
    if found.domain not in policy.served | policy.large_only:
        return Reason(trigger="unfamiliar", detail=f"no model here serves the domain {found.domain}")
    return None


def several_domains(evidence: Evidence) -> Reason | None:
    """Parts of the request belong to different domains."""
    domains = evidence.classification.domains
    if len(domains) < 2:
        return None
    return Reason(trigger="several_domains", detail=f"it spans {_listed(domains)}", measured=float(len(domains)))


def upset_customer(evidence: Evidence) -> Reason | None:
    """Whoever asks is upset, in a domain that has a person look at that."""
    return _mood("upset", evidence)


def vulnerable_customer(evidence: Evidence) -> Reason | None:
    """Whoever asks may be in a vulnerable position, in a domain that has a person look at that."""
    return _mood("vulnerable", evidence)


def backend_failed(evidence: Evidence) -> Reason | None:
    """A domain's model was down, late or answered garbage."""
    for draft in evidence.drafts:
        if draft.error is not None:
            return Reason(trigger="backend_failed", detail=draft.error, part=draft.part)
    return None


def declined(evidence: Evidence) -> Reason | None:
    """A small model said that it does not know."""
    for draft in evidence.drafts:
        if draft.declined:
            where = f" ({_stopped_at(draft.stopped)})" if draft.stopped else ""
            return Reason(trigger="declined", detail=f"{draft.model} does not know the answer{where}", part=draft.part)
    return None


def stopped_early(evidence: Evidence) -> Reason | None:
    """A draft was stopped while it was being written: its confidence could, or would hardly, reach the threshold."""
    for draft in evidence.drafts:
        stopped = draft.stopped
        if stopped is not None and stopped.rule != "declined":
            return Reason(
                trigger="stopped_early",
                detail=f"the {draft.domain} draft was {_stopped_at(stopped)}: {_why_stopped(stopped, draft.threshold)}",
                measured=stopped.confidence,
                threshold=draft.threshold,
                part=draft.part,
            )
    return None


def low_confidence(evidence: Evidence) -> Reason | None:
    """A draft's confidence is below its domain's threshold, or unknown."""
    whole = [draft for draft in evidence.drafts if draft.error is None and draft.stopped is None]
    unsure = [draft for draft in whole if draft.confidence is None or draft.confidence < draft.threshold]
    if not unsure:
        return None
    worst = min(unsure, key=lambda d: -1.0 if d.confidence is None else d.confidence - d.threshold)
    measured, needed = _apart(worst.confidence, worst.threshold)
    return Reason(
        trigger="low_confidence",
        detail=f"confidence of the {worst.domain} draft is {measured}{_unknown_because(worst)} (needs {needed})",
        measured=worst.confidence,
        threshold=worst.threshold,
        part=worst.part,
    )


MOODS: tuple[Trigger, ...] = (vulnerable_customer, upset_customer)
"""Reasons to ask a person about whoever asks; they say nothing of who could answer."""
REQUEST_TRIGGERS: tuple[Trigger, ...] = (asked_for, needs_reasoning, unfamiliar, several_domains, *MOODS)
DRAFT_TRIGGERS: tuple[Trigger, ...] = (backend_failed, declined, stopped_early, low_confidence)


def _mood(mood: str, evidence: Evidence) -> Reason | None:
    found, policy = evidence.classification, evidence.policy
    asking = [name for name in dict.fromkeys([found.domain, *found.domains]) if mood in policy.ask_when.get(name, ())]
    measured = (found.mood or {}).get(mood, 0.0)
    if not asking or measured < policy.mood:
        return None
    reads, needed = _apart(measured, policy.mood)
    return Reason(
        trigger=f"{mood}_customer",
        detail=f"whoever asks {asking[0]} reads as {mood} with probability {reads} (a person is asked from {needed})",
        measured=measured,
        threshold=policy.mood,
    )


def _stopped_at(stopped: Stopped) -> str:
    most = "" if stopped.at_most is None else f" of at most {stopped.at_most}"
    return f"stopped early at token {stopped.token}{most}"


def _why_stopped(stopped: Stopped, threshold: float) -> str:
    if stopped.rule == "out_of_reach":
        reached, needed = _apart(stopped.confidence, threshold)
        return f"its confidence could reach {reached} at most (needs {needed})"
    measured, least = _apart(stopped.confidence, stopped.least or threshold)
    return f"its running confidence was {measured}, and drafts that reach {threshold:.2f} seldom have less than {least}"


def _unknown_because(draft: DraftEvidence) -> str:
    use = draft.calibration
    if draft.confidence is not None or use is None or use.state in ("in_force", "uncalibrated"):
        return ""
    return f", its calibration being {use.state}: {use.why}" if use.why else f", its calibration being {use.state}"


def _apart(measured: float | None, needed: float) -> tuple[str, str]:
    """Write two figures with as many decimals as tell them apart: 0.7996 is not the 0.80 it failed to reach."""
    if measured is None:
        return "unknown", f"{needed:.2f}"
    digits = next((n for n in (2, 3, 4, 6) if f"{measured:.{n}f}" != f"{needed:.{n}f}"), 9)
    return f"{measured:.{digits}f}", f"{needed:.{digits}f}"


def _listed(domains: list[str]) -> str:
    return ", ".join(domains[:-1]) + " and " + domains[-1]
