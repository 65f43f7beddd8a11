"""Requests and the decisions that close them, for the tests of memory."""

from __future__ import annotations

from typing import Any

from moslm.config import RecallSettings
from moslm.decision import Cost, Decision
from moslm.models.encoders import load_encoder
from moslm.recall.checking import Checker
from moslm.recall.memory import Memory, Policy
from moslm.recall.stores import OwnStore
from moslm.state import Request

ENCODER = load_encoder("wordllama-l2-supercat-256")


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


def a_memory(
    own: OwnStore,
    version: str = "1",
    *,
    never: frozenset[str] = frozenset(),
    checker: Checker | None = None,
    sampled: float = 1.0,
    **settings: Any,
) -> Memory:
    policy = Policy(version, RecallSettings(**settings), never, sampled=lambda: sampled)
    return Memory(policy, ENCODER, own, checker)
