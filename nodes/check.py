"""The two checks: of the request, before anything is paid, and of the drafts, before anything is shown.

The same judgement stands twice, so an obvious escalation never pays for a small model's draft first. Verdicts are made
in `moslm.escalation.verdicts`; these steps gather the evidence and write the order down.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from moslm.decision import Check, Classification, Stopped
from moslm.escalation.confidence import Confidence, Gauge, lowest, measure
from moslm.escalation.signals import SignalFunction
from moslm.escalation.triggers import DraftEvidence, Evidence, Policy, Trigger
from moslm.escalation.verdicts import (
    as_they_are,
    ask_about_writes,
    for_the_caller,
    judge_drafts,
    judge_request,
    unread,
)
from moslm.nodes.node import Node, Run, Update
from moslm.state import Call, Draft, MoSLMState, Reply, Request
from moslm.statements.declining import declines
from moslm.telemetry import events

PolicyFor = Callable[[str], Policy]
"""Returns the policy in force, given how this caller wants several domains handled."""
PriceOf = Callable[[Request], float | None]
"""(request) -> the most that asking the large model can cost, US dollars; None where it would not be asked."""


def check_request(policy: PolicyFor, triggers: Sequence[Trigger], price: PriceOf) -> Node:
    """Return the step that decides who is asked.

    Args:
        policy: The policy in force.
        triggers: What is asked of the request.
        price: The most that going up can cost.
    """

    def step(state: MoSLMState, run: Run) -> Update:
        in_force = policy(state["request"]["multi_domain"])
        most = price(state["request"])
        if state.get("classification") is None:
            check = unread(state.get("unread") or "the request could not be classified", in_force, most)
        else:
            check = judge_request(Evidence(_classification(state), in_force, escalation_usd=most), triggers)
        run.emit(events.checked(state["request"]["id"], check, None))
        return {"checks": [check.model_dump(mode="json")]}

    return Node("check_request", step)


def check_draft(
    policy: PolicyFor,
    triggers: Sequence[Trigger],
    signals: Mapping[str, SignalFunction],
    gauges: Mapping[str, Gauge],
    required: Mapping[str, Callable[[float | None], float]],
    titles: Mapping[str, str],
    price: PriceOf,
) -> Node:
    """Return the step that holds every draft against its threshold, or sends its writes to a person first.

    Args:
        policy: The policy in force.
        triggers: What is asked of the drafts.
        signals: Signals to measure, by name.
        gauges: How each domain's signals become its confidence.
        required: By domain, the confidence a draft needs, given the threshold its caller asked for.
        titles: What to call each domain when several have answered.
        price: The most that going up can cost.
    """

    def step(state: MoSLMState, run: Run) -> Update:
        request, drafts = state["request"], dict(sorted(state["drafts"].items()))
        thresholds = {part: required[d["task"]["domain"]](request["threshold"]) for part, d in drafts.items()}
        if held := [(p, d["model"], wish["name"]) for p, d in drafts.items() for wish in d.get("pending", [])]:
            check = ask_about_writes(held)
            run.emit(events.checked(request["id"], check, None))
            return {"checks": [check.model_dump(mode="json")]}
        if _calls(drafts):
            run.emit(events.checked(request["id"], for_the_caller(), None))
            _retract(run, request, drafts, for_the_caller(), None)
            return _handed_to_the_caller(drafts, thresholds)
        found = {part: measure(draft, signals, gauges[draft["task"]["domain"]]) for part, draft in drafts.items()}
        evidence = Evidence(
            _classification(state),
            policy(request["multi_domain"]),
            tuple(_evidence(part, drafts[part], found[part], thresholds[part]) for part in drafts),
            price(request),
        )
        capped = _capped(state)
        check = as_they_are(capped, _are_answers(evidence)) if capped else judge_drafts(evidence, triggers)
        run.emit(events.checked(request["id"], check, lowest(each.confidence for each in evidence.drafts)))
        verdict = _Verdict(check, capped)
        _retract(run, request, drafts, check, verdict.standing(drafts))
        measured = {each.part: _measured(each, found[each.part], verdict.accepts) for each in evidence.drafts}
        return {"checks": [check.model_dump(mode="json")], "measured": measured, **verdict.reply(drafts, titles)}

    return Node("check_draft", step)


@dataclass(frozen=True, slots=True)
class _Verdict:
    """The order about the drafts, and why nobody above can be asked, where drafts are shown as they are then."""

    check: Check
    capped: str | None

    @property
    def accepts(self) -> bool:
        """Whether the gate took the drafts; at a cap they are shown without its word."""
        return self.check.action == "answer" and not self.capped

    def standing(self, drafts: Mapping[str, Draft]) -> str | None:
        """Return the id of the streamed message that holds the answer already, if one does."""
        return _standing(drafts) if self.accepts else None

    def reply(self, drafts: Mapping[str, Draft], titles: Mapping[str, str]) -> Update:
        """Return what the user is to see; nothing where somebody else answers."""
        if self.check.action == "answer":
            stands = self.standing(drafts)
            words = reply_of(list(drafts.values()), titles)
            return {"reply": {**words, "shown": stands, "first_token_ms": _streamed_since(drafts, stands)}}
        if self.capped:
            return {"reply": Reply(text="", outcome="handed_over", answered_by=None, refusal=self.capped)}
        return {}


def _capped(state: MoSLMState) -> str | None:
    """Return why nobody above can be asked, where drafts are shown as they are then."""
    budget = state.get("budget") or {}
    return str(budget["why"]) if budget.get("at_cap") == "answer_locally" else None


def _are_answers(evidence: Evidence) -> bool:
    return not any(draft.error or draft.declined or draft.stopped for draft in evidence.drafts)


def _classification(state: MoSLMState) -> Classification:
    return Classification.model_validate(state["classification"])


def _evidence(part: str, draft: Draft, confidence: Confidence, threshold: float) -> DraftEvidence:
    error = draft.get("error")
    message = error["message"] if error else None
    return DraftEvidence(
        part=part,
        domain=draft["task"]["domain"],
        model=draft["model"],
        confidence=confidence.value,
        threshold=threshold,
        error=message,
        declined=declines(draft["text"]),
        calibration=confidence.calibration,
        stopped=Stopped.model_validate(draft["stopped"]) if draft.get("stopped") else None,
    )


def _measured(evidence: DraftEvidence, confidence: Confidence, accepted: bool) -> dict[str, Any]:
    return {
        "confidence": evidence.confidence,
        "calibration": confidence.calibration.model_dump(mode="json") if confidence.calibration else None,
        "threshold": evidence.threshold,
        "accepted": accepted,
        "declined": evidence.declined,
        "signals": [signal.model_dump(mode="json") for signal in confidence.signals],
    }


def _standing(drafts: Mapping[str, Draft]) -> str | None:
    """Return the id of the streamed message that holds the answer already; None where several make up the answer."""
    shown = [draft.get("shown", []) for draft in drafts.values()]
    return shown[0][-1] if len(shown) == 1 and shown[0] else None


def _streamed_since(drafts: Mapping[str, Draft], stands: str | None) -> float | None:
    """Return when the first words of the streamed message that stands came; None where none does."""
    return next(iter(drafts.values())).get("first_token_ms") if stands else None


def _retract(run: Run, request: Request, drafts: Mapping[str, Draft], check: Check, stands: str | None) -> None:
    """Take back what was streamed and is no answer."""
    for part, draft in drafts.items():
        if gone := [each for each in draft.get("shown", []) if each != stands]:
            run.emit(events.retracted(request["id"], part, gone, check))


def _calls(drafts: Mapping[str, Draft]) -> list[Call]:
    """Return what the drafts call of the caller's tools; nothing where one of them failed, for then all go up."""
    if any(draft.get("error") for draft in drafts.values()):
        return []
    return [call for draft in drafts.values() for call in draft.get("calls", [])]


def _handed_to_the_caller(drafts: Mapping[str, Draft], thresholds: Mapping[str, float]) -> Update:
    calling = {part: draft for part, draft in drafts.items() if draft.get("calls")}
    models = ", ".join(dict.fromkeys(draft["model"] for draft in calling.values()))
    return {
        "checks": [for_the_caller().model_dump(mode="json")],
        "measured": {part: {"threshold": thresholds[part], "accepted": part in calling} for part in drafts},
        "reply": Reply(text="", outcome="answered", answered_by=models, calls=_calls(drafts)),
    }


def reply_of(drafts: list[Draft], titles: Mapping[str, str]) -> Reply:
    """Return the drafts as an answer.

    Args:
        drafts: In the order of their parts.
        titles: What to call each domain when several have answered.
    """
    if len(drafts) == 1:
        return Reply(text=drafts[0]["text"], outcome="answered", answered_by=drafts[0]["model"])
    sections = [f"**{titles[d['task']['domain']]}**\n{d['text']}" for d in drafts]
    models = ", ".join(dict.fromkeys(draft["model"] for draft in drafts))
    return Reply(text="\n\n".join(sections), outcome="answered", answered_by=models)
