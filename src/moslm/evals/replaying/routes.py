"""Which way a recorded request would have gone under changes; or that its record does not say.

Mirrors what the checks do with drafts (`moslm.escalation.verdicts`), on the numbers that stand in the record.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from moslm.decision import Decision, DraftRecord
from moslm.evals.replaying.changes import Changes

Way = Literal["local", "escalated", "handed_over", "recalled", "refused"]

_WAYS: dict[str, Way] = {
    "answered": "local",
    "escalated": "escalated",
    "handed_over": "handed_over",
    "recalled": "recalled",
    "refused": "refused",
}
_OF_CONFIDENCE = {"low_confidence", "stopped_early", "declined", "backend_failed", "high_risk", "at_cap"}
"""Reasons about drafts that follow from what the record measured, and are judged anew here."""


class Unsupported(Exception):
    """The record does not say which way the request would have gone; the text is the reason, without the request."""


@dataclass(frozen=True, slots=True)
class Route:
    """Which way a request went, and would have gone.

    Attributes:
        was: As recorded.
        now: Under the changes. ``escalated`` for what goes up; whether a cap lets it is not asked again.
        drafted: Whether a small model drafts an answer now.
    """

    was: Way
    now: Way
    drafted: bool

    @property
    def changed(self) -> bool:
        """Whether it goes another way."""
        return self.was != self.now


def route(decision: Decision, changes: Changes) -> Route:
    """Return which way a request would have gone.

    Raises:
        Unsupported: Its record does not say.
    """
    was = _WAYS[decision.outcome]
    if was in ("recalled", "refused"):
        return Route(was, was, False)
    if not decision.drafts:
        return _without_drafts(decision, was, changes)
    if _becomes_unfamiliar(decision, changes):
        return Route(was, "escalated" if was == "local" else was, False)
    passes = _passes(decision, changes)
    if passes == _passed(decision):
        return Route(was, was, True)
    if decision.reviews:
        raise Unsupported("a person decided about it, and nobody knows what they would have said otherwise")
    if passes:
        return Route(was, "local", True)
    # a cap had the draft shown though it was below its threshold: it still would
    capped = any(reason.trigger == "at_cap" for reason in decision.reasons)
    return Route(was, "local" if capped else "escalated", True)


def _without_drafts(decision: Decision, was: Way, changes: Changes) -> Route:
    fired = {reason.trigger for check in decision.checks if check.stage == "request" for reason in check.reasons}
    found, alpha = decision.classification, changes.novelty_alpha
    strange = found.novelty_p if found is not None else None
    if alpha is not None and fired == {"unfamiliar"} and strange is not None and strange >= alpha:
        raise Unsupported("it went up before any draft, so nobody knows what its small model would have said")
    return Route(was, was, False)


def _becomes_unfamiliar(decision: Decision, changes: Changes) -> bool:
    found, alpha = decision.classification, changes.novelty_alpha
    return alpha is not None and found is not None and found.novelty_p is not None and found.novelty_p < alpha


def _passed(decision: Decision) -> bool:
    """Tell whether the drafts passed as recorded, by the same reading that judges them anew."""
    return all(_reaches(draft, draft.threshold) for draft in decision.drafts) and not _other_reasons(decision)


def _passes(decision: Decision, changes: Changes) -> bool:
    reaching = [_reaches(draft, changes.threshold_of(draft.domain, draft.threshold)) for draft in decision.drafts]
    return all(reaching) and not _other_reasons(decision)


def _other_reasons(decision: Decision) -> bool:
    fired = {reason.trigger for check in decision.checks if check.stage == "draft" for reason in check.reasons}
    return bool(fired - _OF_CONFIDENCE - {"needs_approval"})


def _reaches(draft: DraftRecord, threshold: float) -> bool:
    stopped = draft.stopped
    if draft.error is not None or draft.declined or (stopped is not None and stopped.rule == "declined"):
        return False
    if stopped is not None:
        if threshold >= draft.threshold:
            return False
        if stopped.rule == "out_of_reach" and stopped.confidence is not None and stopped.confidence < threshold:
            return False
        raise Unsupported("its draft was stopped before it was finished, so its confidence is not known")
    # unknown counts as low
    return draft.confidence is not None and draft.confidence >= threshold
