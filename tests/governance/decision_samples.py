"""Decisions for the tests: some typical ones, and a hypothesis strategy for any."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from moslm.decision import (
    Check,
    Classification,
    Cost,
    Decision,
    DraftRecord,
    Latency,
    Reason,
    Review,
    Signal,
    Span,
    Step,
    ToolUse,
    Usage,
)

REQUEST_TRIGGERS = ["several_domains", "needs_reasoning", "asked_for", "unfamiliar"]
DRAFT_TRIGGERS = ["backend_failed", "low_confidence"]


def a_decision(**changes: Any) -> Decision:
    """Finance's own model answered with 0.91, well within its budget."""
    values: dict[str, Any] = {
        "id": "0b8f2c4e",
        "opened_at": "2026-11-23T20:44:00.000+00:00",
        "closed_at": "2026-11-23T20:44:00.412+00:00",
        "tenant": "acme",
        "role": "user",
        "config_sha256": "c" * 64,
        "request_sha256": "d" * 64,
        "request_chars": 52,
        "turns": 1,
        "outcome": "answered",
        "action": "answer",
        "domain": "finance",
        "answered_by": "smollm2",
        "classification": Classification(
            classifier="encoder-1",
            domain="finance",
            probabilities={"finance": 0.91, "it_support": 0.05, "customer_service": 0.03, "complex_reasoning": 0.01},
            domains=["finance"],
            novelty_p=0.43,
        ),
        "checks": [
            Check(stage="request", action="answer", considered=REQUEST_TRIGGERS, reasons=[]),
            Check(stage="draft", action="answer", considered=DRAFT_TRIGGERS, reasons=[]),
        ],
        "confidence": 0.91,
        "threshold": 0.8,
        "thresholds": {"novelty_alpha": 0.02, "reasoning": 0.5, "part": 0.6},
        "drafts": [
            DraftRecord(
                part="0",
                domain="finance",
                model="smollm2",
                confidence=0.91,
                threshold=0.8,
                accepted=True,
                signals=[Signal(name="mean", value=0.91)],
            )
        ],
        "usage": [Usage(model="smollm2", role="small", input_tokens=812, output_tokens=74)],
        "cost": Cost(spent_usd=0.0, baseline_usd=0.00277, baseline_model="gpt-4o", saved_usd=0.00277),
        "latency": [Latency(what="finance", budget_ms=500, measured_ms=312, kept=True)],
        "steps": [Step(name="screen", ms=1.2), Step(name="classify", ms=0.6), Step(name="answer", ms=312.0)],
        "total_ms": 412.0,
    }
    return Decision.model_validate({**values, **changes})


def an_unsure_decision(**changes: Any) -> Decision:
    """Finance's draft reached 0.62 against 0.80 and the large model answered."""
    low = Reason(
        trigger="low_confidence", detail="Confidence 0.62 is below 0.80.", measured=0.62, threshold=0.8, part="0"
    )
    values: dict[str, Any] = {
        "outcome": "escalated",
        "action": "escalate",
        "answered_by": "gpt-4o",
        "checks": [
            Check(stage="request", action="answer", considered=REQUEST_TRIGGERS, reasons=[]),
            Check(stage="draft", action="escalate", considered=DRAFT_TRIGGERS, reasons=[low]),
        ],
        "reasons": [low],
        "confidence": 0.62,
        "drafts": [
            DraftRecord(part="0", domain="finance", model="smollm2", confidence=0.62, threshold=0.8, accepted=False)
        ],
    }
    return a_decision(**{**values, **changes})


_names = st.sampled_from(["finance", "it_support", "customer_service", "complex_reasoning", "tresorerie", "x"])
_words = st.text(max_size=40).filter(lambda text: not set(["none", "nan", "inf"]) & set(text.lower().split()))
_share = st.none() | st.floats(0, 1)
_any_number = st.floats(allow_nan=False, allow_infinity=False)
_ms = st.floats(0, 1e7)
_usd = st.floats(0, 1e5)
_triggers = st.sampled_from([*REQUEST_TRIGGERS, *DRAFT_TRIGGERS, "of_a_stranger", "cap_reached"])
_actions = st.sampled_from(["answer", "fan_out", "escalate", "review", "refuse"])
_outcomes = st.sampled_from(["answered", "recalled", "escalated", "handed_over", "refused"])
_moments = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)).map(
    lambda moment: moment.isoformat(timespec="milliseconds")
)
_parts = st.sampled_from(["0", "1", "2"])

_reasons = st.builds(
    Reason,
    trigger=_triggers,
    detail=_words,
    measured=st.none() | _any_number,
    threshold=_share,
    part=st.none() | _parts,
)
_checks = st.builds(
    Check,
    stage=st.sampled_from(["request", "draft"]),
    action=_actions,
    considered=st.lists(_triggers, max_size=5),
    reasons=st.lists(_reasons, max_size=3),
)
_spans = st.builds(Span, start=st.integers(0, 50), end=st.integers(50, 99), domain=_names, probability=st.floats(0, 1))
_classifications = st.builds(
    Classification,
    classifier=_words,
    domain=_names,
    probabilities=st.dictionaries(_names, _any_number, max_size=5),
    domains=st.lists(_names, max_size=3),
    spans=st.lists(_spans, max_size=3),
    novelty_p=_share,
    asked_for=st.none() | _words,
    mood=st.none() | st.dictionaries(st.sampled_from(["upset", "vulnerable"]), st.floats(0, 1), max_size=2),
    continued=st.booleans(),
)
_tools = st.builds(
    ToolUse,
    name=_names,
    effect=st.sampled_from(["read", "write"]),
    outcome=st.sampled_from(["done", "failed", "unknown", "rejected", "answered"]),
    approved_by=st.none() | _names,
    ms=_ms,
)
_drafts = st.builds(
    DraftRecord,
    part=_parts,
    domain=_names,
    model=_words,
    confidence=st.none() | _any_number,
    threshold=st.floats(0, 1),
    accepted=st.booleans(),
    signals=st.lists(st.builds(Signal, name=_names, value=_share, why=_words), max_size=3),
    tools=st.lists(_tools, max_size=3),
    passages=st.lists(_words, max_size=2),
    error=st.none() | st.sampled_from(["down", "timeout", "garbled", "failed"]),
)
_usages = st.builds(
    Usage,
    model=_words,
    role=st.sampled_from(["small", "large", "classifier"]),
    calls=st.integers(0, 9),
    input_tokens=st.integers(0, 10**6),
    output_tokens=st.integers(0, 10**6),
    cost_usd=_usd,
    known=st.booleans(),
)
any_decisions = st.builds(
    Decision,
    id=st.text("0123456789abcdef", min_size=8, max_size=8),
    opened_at=_moments,
    closed_at=_moments,
    tenant=_words,
    user=st.none() | _words,
    role=_names,
    thread_id=st.none() | _words,
    config_sha256=_words,
    request_sha256=_words,
    request_chars=st.integers(0, 10**6),
    turns=st.integers(0, 99),
    outcome=_outcomes,
    action=_actions,
    domain=st.none() | _names,
    answered_by=st.none() | st.sampled_from(["smollm2", "gpt-4o", "person", "memory"]),
    classification=st.none() | _classifications,
    checks=st.lists(_checks, max_size=3),
    reasons=st.lists(_reasons, max_size=4),
    confidence=st.none() | _any_number,
    threshold=_any_number,
    thresholds=st.dictionaries(st.sampled_from(["novelty_alpha", "reasoning", "part", "of_a_stranger"]), _any_number),
    drafts=st.lists(_drafts, max_size=3),
    reviews=st.lists(
        st.builds(
            Review,
            what=_names,
            decision=st.sampled_from(["approve", "edit", "reject", "respond", "expired"]),
            by=st.none() | _words,
            role=st.none() | _names,
            decided_at=st.none() | _moments,
            why=st.none() | _words,
        ),
        max_size=2,
    ),
    usage=st.lists(_usages, max_size=3),
    cost=st.builds(Cost, spent_usd=_usd, baseline_usd=_usd, baseline_model=_words, saved_usd=_any_number),
    latency=st.lists(
        st.builds(Latency, what=_names | st.just("large_model"), budget_ms=_ms, measured_ms=_ms, kept=st.booleans()),
        max_size=3,
    ),
    steps=st.lists(st.builds(Step, name=_names, ms=_ms), max_size=4),
    total_ms=_ms,
    first_token_ms=st.none() | _ms,
    refusal=st.none() | _words,
)
