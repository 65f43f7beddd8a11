"""Requests and the decisions that close them, for the tests of memory."""

from __future__ import annotations

from typing import Any

from moslm.decision import Cost, Decision
from moslm.state import Request


def a_request(text: str, tenant: str = "acme", role: str = "user", id: str = "r", **more: Any) -> Request:
    turns = more.pop("before", [])
    return Request(  # type: ignore[typeddict-item]
        id=id,
        opened_at="2026-11-26T12:00:00.000+00:00",
        started=0.0,
        tenant=tenant,
        user=None,
        role=role,
        thread_id=None,
        text=text,
        turns=[*turns, ("user", text)],
        threshold=more.pop("threshold", None),
        multi_domain=more.pop("multi_domain", "escalate"),
        may_escalate=True,
        **more,
    )


def a_decision(id: str = "d", **more: Any) -> Decision:
    values: dict[str, Any] = {
        "outcome": "answered",
        "domain": "finance",
        "answered_by": "small",
        "cost": Cost(spent_usd=0.02, baseline_usd=0.1, baseline_model="gpt-4o", saved_usd=0.08),
        **more,
    }
    return Decision(
        id=id,
        opened_at="2026-11-26T12:00:00.000+00:00",
        closed_at="2026-11-26T12:00:01.000+00:00",
        tenant="acme",
        role="user",
        config_sha256="0",
        request_sha256="0",
        request_chars=1,
        turns=1,
        action="answer",
        threshold=0.8,
        total_ms=1.0,
        **values,
    )
