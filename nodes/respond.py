"""Closes the request: one AI message, one Decision, audited before it is acknowledged.

The record is assembled here from what the steps wrote and from nowhere else. An audit log that cannot be written fails
the run: an answer without its record is not given.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol

from langchain_core.messages import AIMessage, HumanMessage, ToolCall

from moslm.decision import CalibrationUse, Check, Cost, Decision, DraftRecord, Latency, Recalled, Usage
from moslm.errors import AlreadyClosed
from moslm.escalation.confidence import lowest
from moslm.models.calls import Aside
from moslm.models.chat.accepted import AcceptedAnswer, is_heard
from moslm.nodes.node import Node, Run, Update
from moslm.recall.memory import Memory
from moslm.state import Draft, MoSLMState, Reply, Request
from moslm.telemetry import events, tracing


class AuditTrail(Protocol):
    """Where closed decisions are kept."""

    def append(self, decision: Decision) -> None:
        """Keep the record durably, or raise; `AlreadyClosed` where another one stands under its id."""


Counting = Callable[[Request, "str | None"], None]
"""(request, its domain) -> nothing; counts it among all requests."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What stood in force, for the record.

    Attributes:
        config_sha256: Hash of the settings.
        thresholds: Every threshold but those of confidence, by name.
        confidence: Confidence threshold of each domain.
        default_threshold: Confidence threshold where no domain was settled.
        latency_ms: Latency budget of each domain, and of ``large_model``.
        baseline_model: The model that "large model for everything" is priced on.
        baseline: (input tokens, output tokens) -> US dollars on that model.
    """

    config_sha256: str
    thresholds: Mapping[str, float]
    confidence: Mapping[str, float]
    default_threshold: float
    latency_ms: Mapping[str, float]
    baseline_model: str
    baseline: Callable[[int, int], float]


def respond(
    audit: AuditTrail, memory: Memory, terms: Terms, watch: Callable[[Decision], None], count: Counting | None
) -> Node:
    """Return the step that gives the answer and closes the record.

    Args:
        audit: Where the record is kept.
        memory: Where the answer is remembered.
        terms: What stood in force.
        watch: Told of each decision once, after it was kept.
        count: Counts a request for the caps on the share that may go up; None where there are none.
    """

    def step(state: MoSLMState, run: Run) -> Generator[Aside, Any, Update]:
        started = time.perf_counter()
        reply = state["reply"] or Reply(text="", outcome="handed_over", answered_by=None, refusal="nobody answered")
        closed = _closed(state, reply, terms, started)
        decision: Decision = yield Aside(partial(_kept, closed, audit, watch))
        if memory.enabled:
            yield Aside(partial(memory.closed, state["request"], run.store, decision, reply["text"]))
        if count is not None:
            yield Aside(partial(count, state["request"], decision.domain))
        tracing.label_run(decision, run.config)
        message = AIMessage(
            _words(reply, decision),
            id=reply.get("shown") or f"moslm-{decision.id}",
            response_metadata={"decision_id": decision.id},
            tool_calls=[ToolCall(**call, type="tool_call") for call in reply.get("calls", [])],
        )
        if not reply.get("shown") and is_heard(run.config):
            # streamed only now, when it is accepted: whoever listens to tokens sees these and no others
            yield Aside(partial(AcceptedAnswer(accepted=message).invoke, [HumanMessage("")], run.config))
        run.emit(_answered(decision))
        last = decision.steps[-1].model_dump(mode="json")
        return {"messages": [message], "decision": decision.plain(), "steps": [last], "closed": True}

    return Node("respond", step)


def _closed(state: MoSLMState, reply: Reply, terms: Terms, started: float) -> Decision:
    request, found = state["request"], state.get("classification")
    checks = [Check.model_validate(each) for each in state.get("checks", [])]
    drafts = _drafts(state)
    usage = [Usage.model_validate(each) for each in _usage(state, reply)]
    domain = found["domain"] if found else reply.get("domain")
    own = {"name": "respond", "ms": round((time.perf_counter() - started) * 1000, 3)}
    total_ms = round((time.time() - request["started"]) * 1000, 3)
    reasons = [reason for check in checks for reason in check.reasons]
    return Decision(
        id=request["id"],
        opened_at=request["opened_at"],
        closed_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        tenant=request["tenant"],
        user=request["user"],
        role=request["role"],
        thread_id=request["thread_id"],
        config_sha256=terms.config_sha256,
        request_sha256=hashlib.sha256(request["text"].encode(errors="replace")).hexdigest(),
        request_chars=len(request["text"]),
        turns=sum(1 for role, _ in request["turns"] if role == "user"),
        outcome=reply["outcome"],
        action=checks[-1].action if checks else "answer",
        domain=domain,
        answered_by=reply["answered_by"],
        recalled=_recalled(reply),
        classification=found,
        checks=checks,
        reasons=reasons,
        confidence=lowest(draft.confidence for draft in drafts),
        calibration=_behind_the_lowest(drafts),
        threshold=_threshold(state.get("measured", {}), request["threshold"], terms, domain),
        thresholds=dict(terms.thresholds),
        drafts=drafts,
        reviews=state.get("reviews", []),
        usage=usage,
        cost=_cost(usage, reply, terms),
        budget=state.get("budget"),
        egress=_egress(state, reply),
        latency=_latency(state, reply, terms),
        steps=[*state.get("steps", []), own],
        total_ms=total_ms,
        first_token_ms=_first_token(reply, total_ms),
        calls=[call["name"] for call in reply.get("calls", [])],
        refusal=reply.get("refusal"),
    )


def _first_token(reply: Reply, closed_ms: float) -> float | None:
    """Return when the first words of the answer came, in milliseconds; what says why there is none is no answer."""
    if not reply["text"] or reply["outcome"] not in ("answered", "recalled", "escalated"):
        return None
    streamed = reply.get("first_token_ms")
    return max(closed_ms if streamed is None else streamed, 0.0)  # clocks that were set back do not make it negative


def _kept(decision: Decision, audit: AuditTrail, watch: Callable[[Decision], None]) -> Decision:
    """Keep the record and return the one that stands.

    A run that is repeated from a checkpoint, after a crash or by a person, closes a request that was closed before.
    Where nothing but the clock differs the first record stands; otherwise it is another decision, under its own id.
    """
    try:
        audit.append(decision)
    except AlreadyClosed as error:
        first = Decision.model_validate_json(error.record)
        if _but_for_the_clock(first) == _but_for_the_clock(decision):
            return first
        decision = decision.model_copy(update={"id": str(uuid.uuid4())})
        audit.append(decision)
    watch(decision)
    return decision


def _but_for_the_clock(decision: Decision) -> dict[str, Any]:
    return decision.model_dump(exclude={"closed_at", "total_ms", "first_token_ms", "steps"})


def _drafts(state: MoSLMState) -> list[DraftRecord]:
    measured = state.get("measured", {})
    return [_draft(part, draft, measured.get(part, {})) for part, draft in sorted(state.get("drafts", {}).items())]


def _draft(part: str, draft: Draft, measured: dict[str, Any]) -> DraftRecord:
    error = draft.get("error")
    return DraftRecord(
        part=part,
        domain=draft["task"]["domain"],
        model=draft["model"],
        confidence=measured.get("confidence"),
        calibration=measured.get("calibration"),
        threshold=measured.get("threshold", 1.0),
        accepted=measured.get("accepted", False),
        declined=measured.get("declined", False),
        stopped=draft.get("stopped"),
        signals=measured.get("signals", []),
        tools=draft.get("tools", []),
        passages=draft.get("passages", []),
        error=error["kind"] if error else None,
        replicas=draft.get("replicas", []),
    )


def _behind_the_lowest(drafts: list[DraftRecord]) -> CalibrationUse | None:
    measured = [draft for draft in drafts if draft.calibration is not None]
    return min(measured, key=lambda d: -1.0 if d.confidence is None else d.confidence).calibration if measured else None


def _threshold(measured: Mapping[str, Any], own: float | None, terms: Terms, domain: str | None) -> float:
    if measured:
        return float(max(each["threshold"] for each in measured.values()))
    return terms.confidence.get(domain or "", terms.default_threshold) if own is None else own


def _usage(state: MoSLMState, reply: Reply) -> list[dict[str, Any]]:
    small = [each for _, draft in sorted(state.get("drafts", {}).items()) for each in draft.get("usage", [])]
    return [*small, *reply.get("usage", [])]


def _egress(state: MoSLMState, reply: Reply) -> list[dict[str, Any]]:
    small = [each for _, draft in sorted(state.get("drafts", {}).items()) for each in draft.get("egress", [])]
    return [*small, *reply.get("egress", [])]


def _cost(usage: list[Usage], reply: Reply, terms: Terms) -> Cost:
    """Price what ran, and what the baseline would have cost: the final answer's tokens, asked once."""
    spent = sum(each.cost_usd for each in usage)
    final = [each for each in usage if each.role == "large"] or usage
    answered = reply["outcome"] in ("answered", "escalated") and reply["answered_by"] != "person"
    baseline = sum(terms.baseline(each.input_tokens, each.output_tokens) for each in final) if answered else 0.0
    earlier = reply.get("recalled", {}).get("cost_usd", 0.0)
    return Cost(
        spent_usd=spent,
        baseline_usd=baseline,
        baseline_model=terms.baseline_model,
        saved_usd=baseline - spent,
        recalled_usd=earlier,
    )


def _recalled(reply: Reply) -> Recalled | None:
    found = reply.get("recalled")
    return Recalled(**{name: found[name] for name in Recalled.model_fields}) if found else None


def _latency(state: MoSLMState, reply: Reply, terms: Terms) -> list[Latency]:
    taken = [(d["task"]["domain"], d.get("ms", 0.0)) for _, d in sorted(state.get("drafts", {}).items())]
    if "ms" in reply:
        taken.append(("large_model", reply["ms"]))
    budgets = terms.latency_ms
    return [Latency(what=w, budget_ms=budgets[w], measured_ms=ms, kept=ms <= budgets[w]) for w, ms in taken]


def _words(reply: Reply, decision: Decision) -> str:
    """Return what the user reads; where nobody answered, that and why, and nothing invented."""
    if reply["outcome"] != "handed_over":
        return reply["text"] + _unchecked(decision) + _writes_that_stand(decision)
    why = "; ".join(dict.fromkeys(reason.detail for check in decision.checks[-1:] for reason in check.reasons))
    because = f": {why}" if why else ""
    end = f" It has not been answered, because {reply['refusal']}." if reply.get("refusal") else ""
    return f"I have handed this request over{because}.{end}{_writes_that_stand(decision)}"


def _unchecked(decision: Decision) -> str:
    """Return the notice under a small model's words that nobody above could take the place of."""
    budget = decision.budget
    if budget is None or budget.at_cap != "answer_locally" or decision.outcome != "answered":
        return ""
    return f"\n\nThis answer has not been checked: it should have gone to a larger model, but {budget.why}."


def _writes_that_stand(decision: Decision) -> str:
    """Return what was written before a draft was given up: whoever answers instead does not know of it."""
    writes = [use for draft in decision.drafts if not draft.accepted for use in draft.tools if use.effect == "write"]
    told = {"done": "Already done", "unknown": "Perhaps done, please check"}
    named = {end: dict.fromkeys(use.name for use in writes if use.outcome == end) for end in told}
    return "".join(f"\n\n{told[end]}: {', '.join(names)}." for end, names in named.items() if names)


def _answered(decision: Decision) -> events.Answered:
    return {
        "type": "moslm.answered",
        "request": decision.id,
        "outcome": decision.outcome,
        "answered_by": decision.answered_by,
        "spent_usd": decision.cost.spent_usd,
        "total_ms": decision.total_ms,
        "first_token_ms": decision.first_token_ms,
    }
