"""Outcomes to report: one case, and one request of a system that is gated by its confidence."""

from moslm.evals.outcomes import Outcome

DOMAINS = ("finance", "it_support")


def outcome(number, system="moslm", right=True, **fields):
    return Outcome.model_validate(
        {
            "suite": "office" if number % 2 else "desk",
            "case": str(number),
            "group": str(number),
            "system": system,
            "domain": DOMAINS[number % 2],
            "ending": "right" if right else "wrong",
            "score": float(right),
            "answer": f"answer {number}",
            "way": "local",
            "usd": 0.001,
            "total_ms": 100.0 + number,
            **fields,
        }
    )


def gated(number, draw):
    """One request of the judged system: kept from a confidence of 0.6 on, as often right as it says."""
    confidence = draw.random()
    fine, up = draw.random() < confidence, confidence < 0.6
    usage = [{"role": "small", "cost_usd": 0.001}, {"role": "large", "cost_usd": 0.01}]
    return outcome(
        number,
        right=up or fine,
        way="escalated" if up else "local",
        confidence=confidence,
        threshold=0.6,
        draft_score=float(fine),
        usd=0.011 if up else 0.001,
        classify_ms=2.0 + number / 10,
        routed_to=DOMAINS[number % 2 if number % 9 else 0],
        decision={"usage": usage, "closed_at": "2026-11-01"},
    )
