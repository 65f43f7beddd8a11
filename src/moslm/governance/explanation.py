"""Why a request went the way it went, in sentences, from its record alone.

It reads a Decision and nothing else: no configuration, no text of the request, no clock; what the record does not say,
the explanation does not say. What else could have happened is `moslm.governance.alternatives`'s.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from moslm.decision import (
    Check,
    Classification,
    Decision,
    DraftRecord,
    Latency,
    Reason,
    Signal,
    Stopped,
    ToolUse,
    Usage,
)
from moslm.governance.alternatives import alternatives
from moslm.governance.wording import (
    counted,
    dollars,
    listed,
    milliseconds,
    number,
    pair,
    printable,
    sentence,
    stopped_at,
)

_ORDERS = {
    ("request", "answer"): "one small model was to answer",
    ("request", "fan_out"): "each domain's own model was to answer its part",
    ("request", "escalate"): "the large model was to answer, without a small model's draft",
    ("draft", "answer"): "what the small models wrote was shown",
    ("draft", "escalate"): "the large model was to answer instead",
}
_ANY_STAGE = {
    "answer": "a small model was to answer",
    "fan_out": "each domain's own model was to answer its part",
    "escalate": "the large model was to answer",
    "review": "a person was asked first",
    "refuse": "it was turned away",
}
_FAILURES = {
    "down": "nothing answered at its address",
    "timeout": "no answer came before the deadline",
    "garbled": "what came back was no answer",
    "busy": "it had as much to do as it could",
}
_SAID = {"approve": "approved it", "edit": "changed it", "reject": "rejected it", "respond": "answered in its place"}
_TOO_LATE = "decided too late, so it was not carried out"
_TOOL_ENDS = {
    "done": "done",
    "failed": "failed",
    "unknown": "given up, and perhaps done all the same",
    "rejected": "rejected by a person",
    "answered": "answered by a person instead",
}


def explain(decision: Decision) -> str:
    """Tell in plain sentences why this request went this way.

    Args:
        decision: The closed record; any figure in it may be missing.

    Returns:
        Paragraphs, separated by blank lines: the outcome, what was measured, what was considered and fired, what the
        small models wrote, what people decided, what else could have happened, the money, the time.
    """
    told = (_outcome, _measured, _checked, _drafted, _reviewed, _alternatives, _money, _time)
    paragraphs = (" ".join(part for part in tell(decision) if part) for tell in told)
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def _outcome(decision: Decision) -> Iterator[str]:
    closed = printable(decision.closed_at)[:19].replace("T", " ")
    yield f"Decision {printable(decision.id)} of {closed} UTC, tenant {printable(decision.tenant)}."
    why = sentence(decision.refusal or "")
    if decision.outcome == "answered":
        yield f"It was answered by {_who_answered(decision)}."
    elif decision.outcome == "recalled":
        yield _remembered(decision)
    elif decision.outcome == "escalated":
        yield f"It was answered by the large model{_named(decision.answered_by)}."
    elif decision.outcome == "handed_over":
        yield "It was handed over to a person and carries no model's answer."
        yield why and f"The reason given: {why}"
    else:
        yield "It was turned away."
        yield why and f"The reason given: {why}"
    if decision.budget is not None and decision.budget.at_cap is not None:
        yield f"It should have gone to the large model, but {sentence(decision.budget.why or 'a cap is reached')}"
        yield _AT_CAP[decision.budget.at_cap]


def _remembered(decision: Decision) -> str:
    found = decision.recalled
    if found is None:
        return "The answer was remembered from an earlier request; no model was asked."
    how = "" if found.how == "exact" else f" in other filler, {number(found.similarity)} alike"
    return (
        f"The answer was remembered from decision {printable(found.decision)}, which answered the same request{how}; no"
        " model was asked."
        f" Answering had cost {dollars(decision.cost.recalled_usd)} then."
    )


_AT_CAP = {
    "hand_over": "",
    "answer_locally": "Its domain is set to answer with its own model then, and to say that nobody has checked it.",
    "wait": "Its domain is set to wait for room then, which would have lasted too long.",
    "ask": "Its domain is set to ask a person then.",
    "refuse": "Its domain is set to refuse then.",
}
"""What its domain does at a cap, in a sentence."""


def _who_answered(decision: Decision) -> str:
    accepted = [draft for draft in decision.drafts if draft.accepted]
    if decision.answered_by == "person":
        return "a person"
    if len(accepted) > 1:
        return f"the own models of {listed([f'{each.domain}{_named(each.model)}' for each in accepted])}"
    if accepted:
        return f"{accepted[0].domain}'s own model{_named(accepted[0].model)}"
    return f"a small model{_named(decision.answered_by)}"


def _named(model: str | None) -> str:
    name = printable(model or "")
    return f" ({name})" if name else ""


def _measured(decision: Decision) -> Iterator[str]:
    found = decision.classification
    if found is None:
        yield "The request was not classified." if decision.outcome != "recalled" else ""
        return
    ranked = sorted(found.probabilities.items(), key=lambda item: _or_zero(item[1]), reverse=True)
    figures = ", ".join(f"{name} {number(value)}" for name, value in ranked)
    yield f"The classifier{_named(found.classifier)} took it for {found.domain}" + (
        f" ({figures})." if figures else "."
    )
    if found.continued:
        yield "The last message alone does not say so; the earlier turns settled it."
    yield _parts(found)
    yield _novelty(found, decision.thresholds.get("novelty_alpha"))
    yield _mood(found)
    if found.asked_for is not None:
        yield f'It asked for advanced reasoning in the words "{printable(found.asked_for)}".'


def _mood(found: Classification) -> str:
    figures = [f"{name} {number(value)}" for name, value in (found.mood or {}).items()]
    return f"Whoever asks reads as {listed(figures)}." if figures else ""


def _parts(found: Classification) -> str:
    if found.spans:
        parts = [f"{s.domain} {number(s.probability)} (characters {s.start} to {s.end})" for s in found.spans]
        return f"Part by part it is about {listed(parts)}."
    return f"It spans {listed(found.domains)}." if len(found.domains) > 1 else ""


def _novelty(found: Classification, limit: float | None) -> str:
    if found.novelty_p is None:
        return "Whether it is like the requests the classifier knows could not be measured."
    if limit is None or not math.isfinite(limit):
        return f"Its novelty p-value is {number(found.novelty_p, 3)}."
    side = "which counts as unfamiliar" if found.novelty_p < limit else "so it counts as familiar"
    measured, needed = pair(found.novelty_p, limit, 3)
    return f"Its novelty p-value is {measured} against a limit of {needed}, {side}."


def _or_zero(value: float) -> float:
    return value if math.isfinite(value) else 0.0


def _checked(decision: Decision) -> Iterator[str]:
    for check in decision.checks:
        yield from _one_check(check)


def _one_check(check: Check) -> Iterator[str]:
    moment = "Before any small model was asked" if check.stage == "request" else "Once the drafts were there"
    fired = [reason.trigger for reason in check.reasons]
    quiet = [printable(name) for name in dict.fromkeys(check.considered) if name not in fired]
    order = _ORDERS.get((check.stage, check.action), _ANY_STAGE[check.action])
    if check.considered:
        names = listed([printable(name) for name in dict.fromkeys(check.considered)])
        yield f"{moment}, {counted(len(set(check.considered)), 'trigger')} could fire: {names}."
    if not fired:
        yield f"No trigger fired, so {order}." if check.considered else f"{moment}, {order}."
        return
    yield from (_fired(reason) for reason in check.reasons)
    yield f"Did not fire: {listed(quiet)}." if quiet else ""
    yield f"So {order}."


def _fired(reason: Reason) -> str:
    detail = printable(reason.detail).rstrip(".")
    return f"{printable(reason.trigger)} fired" + (f": {detail}." if detail else ".")


def _drafted(decision: Decision) -> Iterator[str]:
    for draft in decision.drafts:
        yield _one_draft(draft)
        yield _signals(draft.signals)
        yield _put_before(draft.passages)
        yield _used(draft.tools)


def _one_draft(draft: DraftRecord) -> str:
    who = f"{draft.domain}'s own model{_named(draft.model)}"
    if draft.error is not None:
        return f"There is no draft of {who}: {_FAILURES.get(draft.error, 'it failed')}."
    if draft.stopped is not None:
        return f"The draft of {who} was stopped early, {_why_stopped(draft, draft.stopped)}; it was not shown."
    verdict = "it was accepted" if draft.accepted else "it was not shown"
    return f"The draft of {who} had {_held(draft)}; {verdict}."


def _why_stopped(draft: DraftRecord, stopped: Stopped) -> str:
    where = f"at token {stopped_at(stopped)}"
    needed = number(draft.threshold)
    if stopped.rule == "declined":
        return f"{where}, because it had said that it does not know"
    if stopped.confidence is None or not math.isfinite(stopped.confidence):
        return f"{where}, because its confidence would not have reached its threshold of {needed}"
    if stopped.rule == "out_of_reach":
        most, needed = pair(stopped.confidence, draft.threshold)
        return f"{where}, because its confidence could have reached {most} at most and its threshold is {needed}"
    now, least = pair(stopped.confidence, stopped.least if stopped.least is not None else draft.threshold)
    return (
        f"{where}, because its running confidence was {now}, and nearly all labelled drafts that reach its threshold of"
        f" {needed} run at {least} or more"
    )


def _held(draft: DraftRecord) -> str:
    if draft.confidence is None or not math.isfinite(draft.confidence):
        return f"an unknown confidence, which counts as below its threshold of {number(draft.threshold)}"
    measured, needed = pair(draft.confidence, draft.threshold)
    side = "below" if draft.confidence < draft.threshold else "not below"
    return f"a confidence of {measured}, {side} its threshold of {needed}"


def _signals(signals: list[Signal]) -> str:
    if not signals:
        return ""
    return f"Its signals: {listed([f'{printable(each.name)} {number(each.value)}' for each in signals])}."


def _put_before(passages: list[str]) -> str:
    names = [name for name in map(printable, passages) if name]
    return f"It was given {listed(names)} from the handbook." if names else ""


def _used(tools: list[ToolUse]) -> str:
    return f"It used {listed([_one_tool(each) for each in tools])}." if tools else ""


def _one_tool(tool: ToolUse) -> str:
    allowed = f", allowed by {printable(tool.approved_by)}" if tool.approved_by else ""
    return f"{printable(tool.name)} ({tool.effect}, {_TOOL_ENDS[tool.outcome]}{allowed})"


def _reviewed(decision: Decision) -> Iterator[str]:
    for review in decision.reviews:
        who = printable(review.by or "") or "A person"
        role = f" ({printable(review.role)})" if review.role else ""
        why = f" The reason given: {sentence(review.why)}" if review.why else ""
        when = f" at {printable(review.decided_at)[:19].replace('T', ' ')} UTC" if review.decided_at else ""
        said = _SAID.get(review.decision, _TOO_LATE)
        yield f"{who}{role} was shown {printable(review.what)} and {said}{when}.{why}"


def _alternatives(decision: Decision) -> Iterator[str]:
    yield from alternatives(decision)


def _money(decision: Decision) -> Iterator[str]:
    for usage in decision.usage:
        yield _one_usage(usage)
    cost = decision.cost
    if math.isfinite(cost.saved_usd) and cost.saved_usd < 0:
        balance = f"it cost {dollars(-cost.saved_usd)} more"
    else:
        balance = f"{dollars(cost.saved_usd)} was saved"
    yield (
        f"It cost {dollars(cost.spent_usd)}; a large model for everything ({printable(cost.baseline_model)}) would have"
        f" cost {dollars(cost.baseline_usd)}, so {balance}."
    )


def _one_usage(usage: Usage) -> str:
    guess = "" if usage.known else ", estimated because the server reported none"
    return (
        f"The {usage.role} model{_named(usage.model)} read {counted(usage.input_tokens, 'token')} and wrote"
        f" {counted(usage.output_tokens, 'token')} in {counted(usage.calls, 'call')}{guess}."
    ).replace("The classifier model", "The classifier's model")


def _time(decision: Decision) -> Iterator[str]:
    known = math.isfinite(decision.total_ms)
    waited = ", the time a person took to decide included" if decision.reviews else ""
    yield f"It took {milliseconds(decision.total_ms)} in all{waited}." if known else "How long it took is unknown."
    if decision.first_token_ms is not None:
        yield f"The first words of the answer came after {milliseconds(decision.first_token_ms)}."
    for each in decision.latency:
        yield _one_budget(each)


def _one_budget(latency: Latency) -> str:
    who = "the large model" if latency.what == "large_model" else f"{printable(latency.what)}'s own model"
    verdict = "was kept" if latency.kept else "was not kept"
    budget, measured = milliseconds(latency.budget_ms), milliseconds(latency.measured_ms)
    return f"The latency budget of {who}, {budget}, {verdict}: {measured}."
