"""Puts a question to a person and takes back the decision that belongs to it.

LangGraph runs a step again from its start when the run resumes, on whatever state the checkpoint holds by then, and
gives it every answer that came so far. So a decision is bound to the hash of what was shown, kept beside the run: the
question is made anew, and where its hash is another one, or the answer does not fit, comes too late or comes from
somebody who may not decide, it is not carried out. Knows nothing of what is asked.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from itertools import count
from typing import Any, Protocol

from langgraph.errors import GraphInterrupt
from langgraph.types import interrupt

from moslm.decision import Review
from moslm.errors import RequestError
from moslm.governance.access.permissions import Permissions
from moslm.governance.questions import Asked, Place
from moslm.nodes.human_in_the_loop import Asking, Decision, Resume, read_answer, response_schema
from moslm.nodes.node import Run
from moslm.nodes.reviewers import Reviewer, reviewer
from moslm.state import MoSLMState

_LONGEST_REASON = 500

WhoDecides = Callable[[str | None], Reviewer]
"""(whom the decision says it is of) -> whoever decides."""


class Book(Protocol):
    """Where questions are kept; see `moslm.governance.questions.Questions`."""

    def now(self) -> float:
        """Return the time by which questions stand there: not this machine's, which may be set."""

    def find(self, place: Place) -> Asked | None:
        """Return the question at a place."""

    def ask(self, place: Place, asked: Asked) -> None:
        """Keep what is shown now."""

    def close(self, place: Place, outcome: Asked) -> Asked:
        """Keep how a question ended, and return how it stands."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What asking takes.

    Attributes:
        book: Where questions are kept.
        expires_s: How long a question may be decided, seconds.
        permissions: Who may decide.
    """

    book: Book
    expires_s: float
    permissions: Permissions = field(default_factory=Permissions)


@dataclass(frozen=True, slots=True)
class Decided:
    """What came back.

    Attributes:
        decisions: One for each action, in their order; empty where it came too late.
        reviews: The same for the record.
        expired: Why it was not carried out, where it came too late.
    """

    decisions: Sequence[dict[str, Any]]
    reviews: Sequence[Review]
    expired: str | None = None


def ask(asking: Asking, state: MoSLMState, run: Run, desk: Desk) -> Decided:
    """Interrupt with a question until a decision about it comes that may be carried out, or one that comes too late.

    Raises:
        GraphInterrupt: LangGraph's own: nobody has decided yet.
        RequestError: It was decided before, and doing it again would do it twice.
        ReviewError: The question cannot be kept.
    """
    shown, problem = asking.shown, None
    digest = _digest(shown)
    for attempt in count():
        place = _place(state, run, attempt)
        found = desk.book.find(place)
        asked = found if found and _stands(found, digest) else _now(digest, desk)
        question = {
            **shown,
            "response_schema": response_schema(asking),
            "shown_sha256": digest,
            "asked_at": _moment(asked.asked_at),
            "expires_at": _moment(asked.expires_at),
            **({"problem": problem} if problem else {}),
            **({"decided_before": _who(found)} if found and found.state == "decided" else {}),
        }
        try:
            answer = interrupt(question)
        except GraphInterrupt:
            # it is shown only now: what was shown before, and what was said to that, is over
            if asked is not found:
                desk.book.ask(place, asked)
            raise
        who = partial(reviewer, run, tenant=place.tenant, permissions=desk.permissions)
        taken = _taken(answer, asking, digest, found, who, desk.book.now())
        if isinstance(taken, str):
            problem = taken
            if found is not None and found.state == "asked":
                desk.book.close(place, replace(found, state="refused"))
            continue
        assert found is not None
        stands = desk.book.close(place, taken.outcome) if found.state == "asked" else found
        if stands.state == "refused":
            problem = _NOT_CARRIED_OUT
        else:
            return _decided(taken, stands, asking)
    raise AssertionError("unreachable")


_NOT_CARRIED_OUT = "the last answer was not carried out"


@dataclass(frozen=True, slots=True)
class _Taken:
    """A decision that fits its question, and how the question ends with it."""

    resume: Resume
    outcome: Asked


def _taken(
    answer: Any, asking: Asking, digest: str, found: Asked | None, who_decides: WhoDecides, now: float
) -> _Taken | str:
    """Return the decision, or why this answer is none and the question is asked again."""
    if found is None:
        return "this question was not asked before it was answered"
    if found.state == "refused":
        return _NOT_CARRIED_OUT
    if found.shown_sha256 != digest:
        return "what is to be decided has changed since it was shown"
    resume, problem = read_answer(answer, asking)
    if resume is None:
        return problem or "the answer cannot be read"
    if resume.shown_sha256 not in (None, digest):
        return "the decision is about something else than what is shown: shown_sha256 differs"
    who = who_decides(resume.by)
    if who.problem and found.state == "asked":
        return who.problem
    ended = replace(found, decision_sha256=_digest(answer), by=who.by, role=who.role, decided_at=now)
    return _Taken(resume, replace(ended, state="expired" if now > found.expires_at else "decided"))


def _decided(taken: _Taken, stands: Asked, asking: Asking) -> Decided:
    if stands.state == "expired":
        why = (
            f"a person was asked and could decide until {_moment(stands.expires_at)}; the decision came at"
            f" {_moment(stands.decided_at or 0.0)} and was not carried out"
        )
        return Decided([], [_review(name, None, None, stands) for name in asking.names], why)
    decisions = taken.resume.decisions
    again = stands is not taken.outcome
    acts = asking.once and any(each.type in ("approve", "edit") for each in decisions)
    if again and (acts or stands.decision_sha256 != taken.outcome.decision_sha256):
        raise RequestError("already_decided", f"{', '.join(asking.names)} was {_who(stands)}; nothing is done twice.")
    return Decided(
        [each.model_dump(exclude_none=True, exclude={"why"}) for each in decisions],
        [
            _review(request["name"], each, _reason(each, taken.resume), stands)
            for request, each in zip(asking.requests, decisions, strict=True)
        ],
    )


def _place(state: MoSLMState, run: Run, attempt: int) -> Place:
    request = state["request"]
    return Place(request["tenant"], request["id"], len(state.get("reviews", [])), attempt, run.thread_id)


def _stands(found: Asked, digest: str) -> bool:
    """Tell whether a question stands as it was shown: it keeps the moment it was asked at."""
    return found.state == "asked" and found.shown_sha256 == digest


def _now(digest: str, desk: Desk) -> Asked:
    now = desk.book.now()
    return Asked("asked", digest, now, now + desk.expires_s)


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def _review(what: str, decision: Decision | None, why: str | None, stands: Asked) -> Review:
    return Review.model_validate(
        {
            "what": what,
            "decision": decision.type if decision else "expired",
            "by": stands.by,
            "role": stands.role,
            "asked_at": _moment(stands.asked_at),
            "decided_at": None if stands.decided_at is None else _moment(stands.decided_at),
            "why": why and why[:_LONGEST_REASON],
            "shown_sha256": stands.shown_sha256,
        }
    )


def _reason(decision: Decision, resume: Resume) -> str | None:
    """Return the reason given; why something was rejected is the message to whoever asked."""
    return decision.why or resume.why or (decision.message if decision.type == "reject" else None)


def _who(asked: Asked) -> str:
    by = f" by {asked.by}" if asked.by else ""
    return f"decided{by} at {_moment(asked.decided_at or 0.0)}"


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
