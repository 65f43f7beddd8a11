"""Has a domain's small model draft an answer to its part of the request.

How a draft is made, and when a second opinion is worth asking, is `moslm.nodes.drafting`'s and
`moslm.escalation.second_opinion`'s; whether the draft is good enough is judged in the next step.
"""

from __future__ import annotations

from moslm.models.calls import Steps
from moslm.models.chat.first_token import streams
from moslm.models.leaving import leaving
from moslm.models.paying import paying
from moslm.nodes.accounts import account_of
from moslm.nodes.domain_agent import DomainAgent
from moslm.nodes.doors import DoorOf, door_of, egress_uses
from moslm.nodes.drafting import drafted
from moslm.nodes.node import Node, Run, Update
from moslm.state import AnswerInput, Draft, Request
from moslm.telemetry import events


def answer(agents: dict[str, DomainAgent], doors: DoorOf) -> Node:
    """Return the step that drafts one part of the answer with the agent of its domain.

    Args:
        agents: The agents by domain.
        doors: Gives each request the door its calls leave through.
    """

    def step(state: AnswerInput, run: Run) -> Steps[Update]:
        task = state["task"]
        account = account_of(state["request"], task["domain"], f"answer {task['part']} {_round(state)}")
        door = door_of(state["request"], task["domain"], doors)
        steps = drafted(agents[task["domain"]], state, heard=streams(run.config))
        draft = yield from paying(leaving(steps, door), account)
        before = state.get("draft")
        earlier = before.get("egress", []) if before else []
        crossed = [each.model_dump(mode="json") for each in egress_uses(door.crossings)]
        draft["egress"] = [*earlier, *crossed]
        if not draft.get("pending"):
            run.emit(_drafted(state["request"], draft))
        return {"drafts": {task["part"]: draft}}

    return Node("answer", step)


def _round(state: AnswerInput) -> str:
    """Tell a draft that goes on after a person decided, or that is made to be finished, from the first."""
    draft = state.get("draft")
    waited = len(draft.get("tools", [])) if draft and draft.get("pending") else 0
    return f"{waited} {bool(state.get('finish'))}"


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
