"""Asks a person: about writes that a model wants, or about an escalation before it is paid.

The interrupt has the shape of LangChain's HumanInTheLoopMiddleware (``action_requests`` and ``review_configs``, resumed
by ``{"decisions": [...]}``), which Agent Chat UI and the LangGraph front-end kits render. The step holds nothing but
the question: when the run resumes, LangGraph runs it again from its start.
"""

from __future__ import annotations

from typing import Any

from langgraph.types import interrupt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from moslm.decision import Review
from moslm.nodes.node import Node, Run, Update
from moslm.state import Draft, MoSLMState, Reply, ToolRequest

ESCALATE = "escalate_to_large_model"
"""Name of the action a person sees when an escalation waits for them."""
ANSWER_AT_CAP = "answer_at_cap"
"""Name of the action a person sees when a cap keeps a request from the large model: nobody may approve beyond a cap."""


def review() -> Node:
    """Return the step that waits for a person's decision."""

    def step(state: MoSLMState, run: Run) -> Update:
        held = _waiting(state)
        if held:
            return _about_writes(held)
        return _at_cap(state) if (state.get("budget") or {}).get("at_cap") == "ask" else _about_escalation(state)

    return Node("review", step)


def _about_writes(held: list[tuple[str, Draft, ToolRequest]]) -> Update:
    wishes = [wish for _, _, wish in held]
    requests = [
        {"name": wish["name"], "args": wish["args"], "description": f"{draft['model']} wants to {wish['name']}"}
        for _, draft, wish in held
    ]
    decisions = _ask(requests, ["approve", "edit", "reject", "respond"])
    # by place, not by id: two servers, or one answer, may give two calls the same id
    decided: dict[str, list[ToolRequest]] = {}
    for (part, _, wish), decision in zip(held, decisions, strict=True):
        decided.setdefault(part, []).append({**wish, "decision": decision})
    drafts = {part: {**draft, "pending": decided[part]} for part, draft, _ in held}
    made = [Review(what=wish["name"], decision=each["type"]) for wish, each in zip(wishes, decisions, strict=True)]
    return {"drafts": drafts, "reviews": [each.model_dump(mode="json") for each in made]}


def _about_escalation(state: MoSLMState) -> Update:
    reasons = [reason["detail"] for reason in state["checks"][-1]["reasons"]]
    request = {
        "name": ESCALATE,
        "args": {"domain": (state.get("classification") or {}).get("domain"), "reasons": reasons},
        "description": "The request is to go to the large model: " + "; ".join(reasons),
    }
    decision = _ask([request], ["approve", "reject", "respond"])[0]
    return _decided(ESCALATE, decision, "a person decided against asking the large model")


def _at_cap(state: MoSLMState) -> Update:
    budget = state["budget"]
    assert budget is not None
    request = {
        "name": ANSWER_AT_CAP,
        "args": {"domain": (state.get("classification") or {}).get("domain"), "caps": budget["caps"]},
        "description": f"The request cannot go to the large model, because {budget['why']}",
    }
    decision = _ask([request], ["respond", "reject"])[0]
    return _decided(ANSWER_AT_CAP, decision, f"{budget['why']}, and a person did not answer it")


def _decided(what: str, decision: dict[str, Any], against: str) -> Update:
    made = Review(what=what, decision=decision["type"])
    update: Update = {"reviews": [made.model_dump(mode="json")]}
    if decision["type"] == "respond":
        update["reply"] = Reply(text=str(decision["message"]), outcome="answered", answered_by="person")
    elif decision["type"] == "reject":
        why = decision.get("message") or against
        update["reply"] = Reply(text="", outcome="handed_over", answered_by=None, refusal=why)
    return update


def _waiting(state: MoSLMState) -> list[tuple[str, Draft, ToolRequest]]:
    """Return the writes nobody has decided about, with the draft each belongs to."""
    drafts = sorted(state.get("drafts", {}).items())
    return [
        (part, draft, wish) for part, draft in drafts for wish in draft.get("pending", []) if "decision" not in wish
    ]


class _EditedAction(BaseModel):
    name: str
    args: dict[str, Any]


class _Decision(BaseModel):
    model_config = ConfigDict(extra="ignore")

    type: str
    message: str | None = None
    edited_action: _EditedAction | None = None


class _Resume(BaseModel):
    decisions: list[_Decision] = Field(min_length=1)


def _ask(requests: list[dict[str, Any]], allowed: list[str]) -> list[dict[str, Any]]:
    """Interrupt with these questions until the answers fit them, and return one decision each."""
    names = list(dict.fromkeys(request["name"] for request in requests))
    question: dict[str, Any] = {
        "action_requests": requests,
        "review_configs": [{"action_name": name, "allowed_decisions": allowed} for name in names],
    }
    while True:
        answer = interrupt(question)
        try:
            decisions = _Resume.model_validate(answer).decisions
        except ValidationError:
            question = {**question, "problem": 'resume with {"decisions": [{"type": ...}]}'}
            continue
        problem = _problem(decisions, requests, allowed)
        if problem is None:
            return [decision.model_dump(exclude_none=True) for decision in decisions]
        question = {**question, "problem": problem}


def _problem(decisions: list[_Decision], requests: list[dict[str, Any]], allowed: list[str]) -> str | None:
    """Return what is wrong with the answers, or None; a wrong answer is asked again and never guessed."""
    if len(decisions) != len(requests):
        return f"{len(requests)} decisions are needed, {len(decisions)} were given"
    for decision, request in zip(decisions, requests, strict=True):
        if decision.type not in allowed:
            return f"{decision.type!r} is not one of {', '.join(allowed)}"
        if decision.type == "respond" and not decision.message:
            return "respond needs a message"
        if decision.type == "edit":
            if decision.edited_action is None:
                return "edit needs an edited_action"
            if decision.edited_action.name != request["name"]:
                return f"an edit may change the arguments of {request['name']}, not call another tool"
    return None
