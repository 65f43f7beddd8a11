"""What else could have happened to a request, had a measurement or a setting been different.

Each trigger that fired is turned round: the sentence says what would have kept it quiet. A trigger this page does not
know, such as a stranger's own, is told by its name. Reads a Decision and nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from moslm.decision import Decision, DraftRecord, Reason
from moslm.governance.wording import listed, number, printable

_NOT_OWN = ("complex_reasoning",)
"""Domains that have no small model of their own in the shipped set-up."""

_REMEMBERED = "Had no answer been remembered, the request would have been classified and checked like any other."
_TURNED_AWAY = "What is turned away reaches no model, so no other threshold or budget could have changed that."
_NOBODY = (
    "Had a large model been there to answer (configured, allowed for this caller, within its cap and throttle, and not"
    " failing), it would have answered."
)


def alternatives(decision: Decision) -> Iterator[str]:
    """Yield what else could have happened, a sentence each."""
    if decision.outcome == "recalled":
        yield _REMEMBERED
    elif decision.outcome == "refused":
        yield _TURNED_AWAY
    elif decision.outcome == "answered":
        yield from _of_an_answer(decision)
    else:
        yield from _of_a_way_up(decision)
        if decision.outcome == "handed_over":
            yield _NOBODY


def _of_an_answer(decision: Decision) -> Iterator[str]:
    for draft in decision.drafts:
        if draft.accepted:
            whose = f"confidence of {draft.domain}'s draft" if len(decision.drafts) > 1 else "confidence"
            yield f"Had the {whose} been below {number(draft.threshold)}, the request would have gone up."
    found = decision.classification
    considered = {name for check in decision.checks for name in check.considered}
    if found is None:
        return
    limit = decision.thresholds.get("novelty_alpha")
    if "unfamiliar" in considered and found.novelty_p is not None and _known(limit):
        yield f"Had its novelty p-value been below {number(limit, 3)}, it would have gone up without a draft."
    limit = decision.thresholds.get("reasoning")
    if "needs_reasoning" in considered and _known(limit):
        yield f"Had the probability of complex reasoning reached {number(limit)}, likewise."


def _known(limit: float | None) -> bool:
    return limit is not None and math.isfinite(limit)


def _of_a_way_up(decision: Decision) -> Iterator[str]:
    for check in decision.checks:
        if check.stage == "request" and check.action in ("escalate", "review"):
            yield from _without_request_reasons(decision, _distinct(check.reasons))
        elif check.stage == "draft":
            yield from _without_draft_reasons(decision, _distinct(check.reasons))


def _distinct(reasons: list[Reason]) -> list[Reason]:
    """Return the reasons that decided the way, each once; a price says who is asked first, and not who answers."""
    return list({reason.trigger: reason for reason in reasons if reason.trigger != "dear_escalation"}.values())


def _without_request_reasons(decision: Decision, reasons: list[Reason]) -> Iterator[str]:
    if not reasons:
        return
    otherwise = [_WITHOUT.get(reason.trigger, _without_a_strangers)(decision, reason) for reason in reasons]
    domain = decision.classification.domain if decision.classification else decision.domain
    alone = [reason.trigger for reason in reasons] == ["several_domains"]
    asked = "a small model" if alone or not domain or domain in _NOT_OWN else f"{domain}'s own model"
    yield f"Had {listed(otherwise)}, {asked} would have been asked first."
    if alone:
        yield 'With multi_domain = "fan_out", each domain\'s own model would have answered its part.'


def _without_unfamiliar(decision: Decision, reason: Reason) -> str:
    limit = reason.threshold if reason.threshold is not None else decision.thresholds.get("novelty_alpha")
    if reason.measured is None or not _known(limit):
        return "the request been of a kind that is served here"
    return f"its novelty p-value been at least {number(limit, 3)}"


def _without_reasoning(decision: Decision, reason: Reason) -> str:
    limit = reason.threshold if reason.threshold is not None else decision.thresholds.get("reasoning")
    measured = reason.measured
    if not _known(limit) or (measured is not None and limit is not None and measured < limit):
        # it fired below its threshold: the kind itself was the most probable one
        return "another kind of request been more probable than complex reasoning"
    return f"the probability of complex reasoning been below {number(limit)}"


def _without_a_wish(decision: Decision, reason: Reason) -> str:
    return "it not asked for advanced reasoning"


def _without_a_second_domain(decision: Decision, reason: Reason) -> str:
    return "all of it been about one domain"


def _without_a_strangers(decision: Decision, reason: Reason) -> str:
    return f"{printable(reason.trigger)} not fired"


def _without_a_mood(decision: Decision, reason: Reason) -> str:
    return f"whoever asks read less {printable(reason.trigger.removesuffix('_customer'))}"


_WITHOUT: dict[str, Callable[[Decision, Reason], str]] = {
    "unfamiliar": _without_unfamiliar,
    "needs_reasoning": _without_reasoning,
    "asked_for": _without_a_wish,
    "several_domains": _without_a_second_domain,
    "upset_customer": _without_a_mood,
    "vulnerable_customer": _without_a_mood,
}


def _without_draft_reasons(decision: Decision, reasons: list[Reason]) -> Iterator[str]:
    failed = [draft for draft in decision.drafts if draft.error is not None]
    unsure = [each for each in decision.drafts if each.error is None and each.stopped is None and _is_unsure(each)]
    for draft in failed:
        yield (
            f"Had {draft.domain}'s own model not failed, its draft would have been held against the threshold of"
            f" {number(draft.threshold)}."
        )
    if unsure and not failed:
        yield _had_they_been_sure(unsure)
    for draft in decision.drafts:
        if draft.stopped is not None and draft.stopped.rule != "declined":
            needed = number(draft.threshold)
            yield f"Had {draft.domain}'s draft run higher, it would have been finished and held against {needed}."
    for reason in reasons:
        if reason.trigger not in ("low_confidence", "backend_failed", "stopped_early", "high_risk"):
            yield f"Had {printable(reason.trigger)} not fired, the draft could have been shown."


def _is_unsure(draft: DraftRecord) -> bool:
    return draft.confidence is None or not math.isfinite(draft.confidence) or draft.confidence < draft.threshold


def _had_they_been_sure(unsure: list[DraftRecord]) -> str:
    if len(unsure) == 1:
        needed, domain = number(unsure[0].threshold), unsure[0].domain
        return f"Had the confidence been at least {needed}, {domain}'s own model would have answered."
    needs = listed([f"{number(draft.threshold)} for {draft.domain}" for draft in unsure])
    return f"Had the confidence been at least {needs}, the domains' own models would have answered."
