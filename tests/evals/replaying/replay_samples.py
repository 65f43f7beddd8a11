"""Decisions as a graph would have recorded them, for requests whose every outcome is known."""

from __future__ import annotations

from typing import Any

from moslm.decision import CalibrationUse, Check, Cost, Decision, DraftRecord, Reason, Stopped, Usage

SMALL, LARGE = "smollm2", "gpt-4o"


def decision(id: str, confidence: float | None, *, threshold: float = 0.8, **changes: Any) -> Decision:
    """Return one request of finance: kept where its confidence reaches the threshold, else escalated."""
    draft = DraftRecord(
        part="0",
        domain="finance",
        model=SMALL,
        confidence=confidence,
        threshold=threshold,
        accepted=confidence is not None and confidence >= threshold,
        calibration=CalibrationUse(state="in_force", version="1"),
    ).model_copy(update=changes.pop("draft", {}))
    kept = draft.accepted and not changes.get("reasons")
    reasons = changes.pop("reasons", [] if kept else [Reason(trigger="low_confidence", detail="low", part="0")])
    usage = [Usage(model=SMALL, role="small", input_tokens=100, output_tokens=20)]
    if not kept:
        usage.append(Usage(model=LARGE, role="large", input_tokens=200, output_tokens=60, cost_usd=0.0011))
    values: dict[str, Any] = {
        "id": id,
        "opened_at": "2026-11-23T20:44:00.000+00:00",
        "closed_at": "2026-11-23T20:44:00.412+00:00",
        "tenant": "acme",
        "role": "user",
        "thread_id": f"thread-{id}",
        "config_sha256": "c" * 64,
        "request_sha256": "d" * 64,
        "request_chars": 52,
        "turns": 1,
        "outcome": "answered" if kept else "escalated",
        "action": "answer" if kept else "escalate",
        "domain": "finance",
        "answered_by": SMALL if kept else LARGE,
        "checks": [
            Check(stage="request", action="answer", considered=[], reasons=[]),
            Check(stage="draft", action="answer" if kept else "escalate", considered=[], reasons=reasons),
        ],
        "reasons": reasons,
        "confidence": draft.confidence,
        "threshold": threshold,
        "drafts": [draft],
        "usage": usage,
        "cost": Cost(
            spent_usd=sum(use.cost_usd for use in usage), baseline_usd=0.001, baseline_model=LARGE, saved_usd=0.0
        ),
        "total_ms": 412.0,
    }
    return Decision.model_validate({**values, **changes})


def stopped(id: str, rule: str, confidence: float | None) -> Decision:
    """Return a request whose draft was stopped before it was finished, and went up."""
    early = Stopped.model_validate({"rule": rule, "token": 9, "confidence": confidence})
    reason = Reason(trigger="declined" if rule == "declined" else "stopped_early", detail="early", part="0")
    draft = {"stopped": early, "confidence": None, "calibration": None, "accepted": False}
    return decision(id, None, draft=draft, reasons=[reason])
