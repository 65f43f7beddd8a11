"""One decision as a table: what was measured, what fired, who answered, at what price and in what time."""

from __future__ import annotations

import math

from moslm.cli.style import PLAIN, Style
from moslm.cli.table import items, labelled
from moslm.decision import Decision, DraftRecord, Latency, Review, Usage
from moslm.governance.wording import UNKNOWN, counted, dollars, milliseconds, number, pair, printable, stopped_at


def decision_table(decision: Decision, style: Style = PLAIN) -> str:
    """Return the decision table of one request, at most 100 columns wide."""
    lines = [
        ("outcome", outcome(decision)),
        ("domain", _domain(decision)),
        ("novelty", _novelty(decision)),
        ("confidence", _confidence(decision)),
        ("fired", _fired(decision)),
        ("tools", items([f"{each.name} ({each.outcome})" for draft in decision.drafts for each in draft.tools])),
        ("passages", items([printable(each) for draft in decision.drafts for each in draft.passages])),
        ("reviewed", items([_review(each) for each in decision.reviews])),
        ("tokens", items([_tokens(each) for each in decision.usage]) or "no model was asked"),
        ("cost", _cost(decision)),
        ("budget", _budget(decision)),
        ("latency", items([_latency(each) for each in decision.latency])),
        ("steps", items([f"{each.name} {milliseconds(each.ms)}" for each in decision.steps])),
        ("first word", "" if decision.first_token_ms is None else milliseconds(decision.first_token_ms)),
        ("total", milliseconds(decision.total_ms)),
        ("decision", printable(decision.id)),
    ]
    return labelled(lines, style, strong="outcome")


def outcome(decision: Decision) -> str:
    """Return in a few words how the request ended."""
    who = printable(decision.answered_by or "")
    if decision.outcome == "answered":
        accepted = list(dict.fromkeys(draft.domain for draft in decision.drafts if draft.accepted))
        if decision.answered_by == "person" or not accepted:
            return f"answered by {who or UNKNOWN}"
        return f"answered by {' and '.join(accepted)} ({who})"
    if decision.outcome == "recalled":
        return _remembered(decision)
    if decision.outcome == "escalated":
        return f"escalated to the large model ({who})"
    why = printable(decision.refusal or "")
    word = "handed over to a person" if decision.outcome == "handed_over" else "turned away"
    return f"{word}: {why}" if why else word


def _remembered(decision: Decision) -> str:
    found = decision.recalled
    if found is None:
        return "remembered from an earlier request"
    alike = "" if found.how == "exact" else f", {number(found.similarity)} alike"
    return f"remembered from decision {printable(found.decision)}{alike}"


def _review(review: Review) -> str:
    by = f" by {printable(review.by)}" if review.by else ""
    return f"{review.what}: {review.decision}{by}"


def _domain(decision: Decision) -> str:
    found = decision.classification
    if found is None:
        return "not classified"
    known = {name: value if math.isfinite(value) else 0.0 for name, value in found.probabilities.items()}
    ranked = sorted(known, key=lambda name: known[name], reverse=True)
    shown = items([f"{name} {number(found.probabilities[name])}" for name in ranked])
    if len(found.domains) > 1:
        return items([shown, f"spans {' and '.join(found.domains)}"])
    return items([shown, "settled by the earlier turns"]) if found.continued else shown


def _novelty(decision: Decision) -> str:
    found, limit = decision.classification, decision.thresholds.get("novelty_alpha")
    if found is None:
        return ""
    if found.novelty_p is None:
        return UNKNOWN
    if limit is None or not math.isfinite(limit):
        return f"p = {number(found.novelty_p, 3)}"
    measured, needed = pair(found.novelty_p, limit, 3)
    strange = found.novelty_p < limit
    return f"p = {measured} {'<' if strange else '≥'} {needed}, {'unfamiliar' if strange else 'familiar'}"


def _confidence(decision: Decision) -> str:
    several = len(decision.drafts) > 1
    return items([(f"{draft.domain} " if several else "") + _held(draft) for draft in decision.drafts]) or "no draft"


def _held(draft: DraftRecord) -> str:
    if draft.error is not None:
        return f"no draft, the model failed ({draft.error})"
    if draft.stopped is not None:
        return f"stopped early at token {stopped_at(draft.stopped)}, needed {number(draft.threshold)}"
    if draft.confidence is None or not math.isfinite(draft.confidence):
        return f"unknown, counts as below {number(draft.threshold)}"
    measured, needed = pair(draft.confidence, draft.threshold)
    verdict = "accepted" if draft.accepted else "not accepted"
    return f"{measured} {'<' if draft.confidence < draft.threshold else '≥'} {needed}, {verdict}"


def _fired(decision: Decision) -> str:
    reasons = [f"{printable(each.trigger)}: {printable(each.detail)}" for each in decision.reasons]
    if reasons:
        return items(reasons)
    considered = len({name for check in decision.checks for name in check.considered})
    return f"none of {counted(considered, 'trigger')}" if considered else "nothing was considered"


def _tokens(usage: Usage) -> str:
    guess = "" if usage.known else " (estimated)"
    calls = f", {counted(usage.calls, 'call')}" if usage.calls != 1 else ""
    return f"{printable(usage.model)} {usage.input_tokens:,} in, {usage.output_tokens:,} out{calls}{guess}"


def _cost(decision: Decision) -> str:
    cost = decision.cost
    lost = math.isfinite(cost.saved_usd) and cost.saved_usd < 0
    balance = f"{dollars(-cost.saved_usd)} more" if lost else f"{dollars(cost.saved_usd)} saved"
    everything = f"{printable(cost.baseline_model)} for everything {dollars(cost.baseline_usd)}"
    memory = f"{dollars(cost.recalled_usd)} saved by memory" if decision.outcome == "recalled" else ""
    return items([each for each in (dollars(cost.spent_usd), everything, balance, memory) if each])


def _budget(decision: Decision) -> str:
    """Return the cap that stood in the way and what was done; else the one with the least room."""
    budget = decision.budget
    if budget is None or not budget.caps:
        return ""
    if budget.at_cap is not None:
        return items([printable(budget.why or "a cap is reached"), _AT_CAP[budget.at_cap]])
    tightest = min(budget.caps, key=lambda each: each.left / each.limit if each.limit else 0.0)
    left = dollars(tightest.left) if tightest.unit == "usd" else f"{tightest.left:,.0f}"
    return f"{left} left of {printable(tightest.cap)}"


_AT_CAP = {
    "hand_over": "handed over",
    "answer_locally": "answered by the small model with a notice",
    "wait": "not waited for",
    "ask": "a person was asked",
    "refuse": "refused",
}


def _latency(latency: Latency) -> str:
    kept = "kept" if latency.kept else "not kept"
    measured, budget = milliseconds(latency.measured_ms), milliseconds(latency.budget_ms)
    return f"{printable(latency.what)} {measured} of {budget}, {kept}"
