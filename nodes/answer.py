"""Has a domain's small model draft an answer to its part of the request.

How a draft is made, and when a second opinion is worth asking, is `moslm.nodes.drafting`'s and
`moslm.escalation.second_opinion`'s; whether the draft is good enough is judged in the next step.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from moslm.models.calls import Call
from moslm.nodes.drafting import DomainAgent, drafted
from moslm.nodes.node import Node, Run, Update
from moslm.state import AnswerInput, Draft, Request
from moslm.telemetry import events


def answer(agents: dict[str, DomainAgent]) -> Node:
    """Return the step that drafts one part of the answer with the agent of its domain."""

    def step(state: AnswerInput, run: Run) -> Generator[Call, Any, Update]:
        draft = yield from drafted(agents[state["task"]["domain"]], state)
        if not draft.get("pending"):
            run.emit(_drafted(state["request"], draft))
        return {"drafts": {state["task"]["part"]: draft}}

    return Node("answer", step)


def _drafted(request: Request, draft: Draft) -> events.Drafted:
    error, stopped = draft.get("error"), draft.get("stopped")
    return {
        "type": "moslm.drafted",
        "request": request["id"],
        "part": draft["task"]["part"],
        "domain": draft["task"]["domain"],
        "model": draft["model"],
        "output_tokens": sum(each["output_tokens"] for each in draft.get("usage", [])),
        "ms": draft.get("ms", 0.0),
        "stopped": stopped["rule"] if stopped else None,
        "error": error["kind"] if error else None,
    }
