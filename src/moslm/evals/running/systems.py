"""`System`: whatever answers cases, and `Answered`: what came of one. Grades nothing."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from moslm.evals.cases import Case
from moslm.evals.outcomes import Way
from moslm.state import Request
from moslm.turn import Turn

TENANT = "evaluation"
"""The tenant whose requests an evaluation's are: in the ledger, the audit log and the boundary's rules."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What a system made of a case; fields that mean what those of `moslm.evals.outcomes.Outcome` mean."""

    ending: Literal["answered", "declined", "refused", "failed", "routed"]
    """``answered``: in words, which are to be graded. ``routed``: it was judged, and put to nobody."""
    text: str | None = None
    why: str = ""
    way: Way = "none"
    routed_to: str | None = None
    confidence: float | None = None
    threshold: float | None = None
    draft: str | None = None
    """The small model's whole draft, kept or not; None where there is none, or not one alone."""
    usd: float | None = None
    total_ms: float | None = None
    classify_ms: float | None = None
    first_token_ms: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    tags: dict[str, str] = field(default_factory=dict)
    decision: dict[str, Any] | None = None


class System(Protocol):
    """Whatever answers cases."""

    @property
    def name(self) -> str:
        """Its name in outcomes."""

    @property
    def routes(self) -> bool:
        """Whether it says where a request goes: cases that are only routed are put to no other."""

    def answer(self, suite: str, case: Case) -> Answered:
        """Answer a case, or say why not.

        Raises:
            MoSLMError: Nothing more can be asked: something it stands on cannot be kept.
        """


def key_of(run: str, system: str, suite: str, case: str) -> str:
    """Return the idempotency key of a case: a run that goes on has the same, and does not pay twice."""
    return "eval " + hashlib.sha256("\n".join([run, system, suite, case]).encode()).hexdigest()


def request_of(case: Case, key: str) -> Request:
    """Return a case as the request that the graph's steps know."""
    turns = case.conversation
    return Request(
        id=key,
        key=key,
        opened_at="",
        started=0.0,
        tenant=TENANT,
        user=None,
        role="user",
        thread_id=None,
        text=turns[-1][1],
        turns=turns,
        threshold=None,
        multi_domain="escalate",
        may_escalate=True,
    )


def turns_of(case: Case) -> list[Turn]:
    """Return a case as classifiers read it."""
    return [Turn(role, text) for role, text in case.conversation]  # type: ignore[arg-type]
