"""Asks a person: about writes that a model wants, a costly escalation, a doubtful draft, or a customer in a bad way.

What is asked was ordered by a check. How a question is put and its answer taken is `moslm.nodes.asking`'s; this step
says what the person is shown, and what their decision does to the request.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from functools import partial
from typing import Any

from moslm.errors import ReviewError
from moslm.governance.wording import dollars
from moslm.models.calls import Aside
from moslm.nodes.asking import Decided, Desk, ask
from moslm.nodes.check import PriceOf, reply_of
from moslm.nodes.human_in_the_loop import Asking
from moslm.nodes.node import Node, Run, Update
from moslm.state import Draft, MoSLMState, Reply, ToolRequest

ESCALATE = "escalate_to_large_model"
"""Name of the action a person sees when an escalation waits for them."""
ANSWER_AT_CAP = "answer_at_cap"
"""Name of the action a person sees when a cap keeps a request from the large model: nobody may approve beyond a cap."""
SHOW_DRAFT = "show_draft"
"""Name of the action a person sees when a doubtful draft of a domain of high risk waits for them."""
ANSWER_CUSTOMER = "answer_customer"
"""Name of the action a person sees when whoever asks seems upset or vulnerable; approving goes on with the models."""


def review(desk: Desk, price: PriceOf, titles: Mapping[str, str]) -> Node:
    """Return the step that waits for a person's decision.

    Args:
        desk: Where questions are kept, and how long they stand.
        price: The most that going up can cost.
        titles: What to call each domain when several have answered.
    """

    def step(state: MoSLMState, run: Run) -> Generator[Aside, Any, Update]:
        try:
            update: Update = yield Aside(partial(_asked, state, run))
            return update
        except ReviewError:
            why = "a person was to decide, and the question cannot be kept; nothing is done without it"
            return {"reply": _handed_over(why)}

    def _asked(state: MoSLMState, run: Run) -> Update:
        held = _waiting(state)
        if held:
            return _about_writes(held, state, run, desk)
        if (state.get("budget") or {}).get("at_cap") == "ask":
            why = (state["budget"] or {})["why"]
            return _about(_at_cap(state), f"{why}, and a person did not answer it", state, run, desk)
        about = state["checks"][-1].get("asks")
        if about in ("draft", "customer") and run.thread_id is None:
            # without a thread nothing is ever resumed, and these are asked where nobody asked for a review
            return {"reply": _handed_over("a person is to decide first, and nobody can be asked in this run")}
        if about == "draft":
            draft = reply_of([each for _, each in sorted(state["drafts"].items())], titles)
            asking = _draft(state, draft["text"])
            return _about(asking, "a person decided against the draft", state, run, desk, draft)
        if about == "customer":
            return _about(_customer(state, price), "a person decided against an answer by a model", state, run, desk)
        return _about(_escalation(state, price), "a person decided against asking the large model", state, run, desk)

    return Node("review", step)


def _about_writes(held: list[tuple[str, Draft, ToolRequest]], state: MoSLMState, run: Run, desk: Desk) -> Update:
    requests = [
        {"name": wish["name"], "args": wish["args"], "description": f"{draft['model']} wants to {wish['name']}"}
        for _, draft, wish in held
    ]
    found = ask(Asking(requests, ["approve", "edit", "reject", "respond"], once=True), state, run, desk)
    if found.expired:
        return {**_recorded(found), "reply": _handed_over(found.expired)}
    # by place, not by id: two servers, or one answer, may give two calls the same id
    decided: dict[str, list[ToolRequest]] = {}
    for (part, _, wish), decision in zip(held, found.decisions, strict=True):
        decided.setdefault(part, []).append({**wish, "decision": decision})
    return {**_recorded(found), "drafts": {part: {**draft, "pending": decided[part]} for part, draft, _ in held}}


def _about(asking: Asking, against: str, state: MoSLMState, run: Run, desk: Desk, draft: Reply | None = None) -> Update:
    """Ask about the request as a whole; whoever approves lets it go on, or the draft stand."""
    found = ask(asking, state, run, desk)
    update = _recorded(found)
    if found.expired:
        return {**update, "reply": _handed_over(found.expired)}
    decision = found.decisions[0]
    kind, message = decision["type"], decision.get("message")
    if kind == "respond":
        return {**update, "reply": _of_a_person(str(message))}
    if kind == "edit":
        return {**update, "reply": _of_a_person(decision["edited_action"]["args"][asking.words])}
    if kind == "reject":
        return {**update, "reply": _handed_over(message or against)}
    return {**update, "reply": draft} if draft else update


def _escalation(state: MoSLMState, price: PriceOf) -> Asking:
    reasons, most = _reasons(state), price(state["request"])
    args = {"domain": _domain(state), "reasons": reasons, **_at_most(most)}
    cost = "" if most is None else f" and may cost up to {dollars(most)}"
    request = {
        "name": ESCALATE,
        "args": args,
        "description": f"The request is to go to the large model{cost}: " + "; ".join(reasons),
    }
    return Asking([request], ["approve", "reject", "respond"])


def _at_cap(state: MoSLMState) -> Asking:
    budget = state["budget"]
    assert budget is not None
    request = {
        "name": ANSWER_AT_CAP,
        "args": {"domain": _domain(state), "caps": budget["caps"]},
        "description": f"The request cannot go to the large model, because {budget['why']}",
    }
    return Asking([request], ["respond", "reject"])


def _draft(state: MoSLMState, text: str) -> Asking:
    reasons = _reasons(state)
    request = {
        "name": SHOW_DRAFT,
        "args": {"domain": _domain(state), "question": state["request"]["text"], "draft": text, "reasons": reasons},
        "description": "A doubtful draft waits to be shown: " + "; ".join(reasons),
    }
    return Asking([request], ["approve", "edit", "reject", "respond"], words="draft")


def _customer(state: MoSLMState, price: PriceOf) -> Asking:
    reasons, then = _reasons(state), state["checks"][-1].get("then")
    most = price(state["request"]) if then == "escalate" else None
    request = {
        "name": ANSWER_CUSTOMER,
        "args": {
            "domain": _domain(state),
            "question": state["request"]["text"],
            "reasons": reasons,
            "approving": "asks the large model" if then == "escalate" else "lets a small model answer",
            **_at_most(most),
        },
        "description": "Please answer, or approve that the models do: " + "; ".join(reasons),
    }
    return Asking([request], ["approve", "reject", "respond"])


def _at_most(usd: float | None) -> dict[str, float]:
    return {} if usd is None else {"at_most_usd": usd}


def _reasons(state: MoSLMState) -> list[str]:
    return [reason["detail"] for reason in state["checks"][-1]["reasons"]]


def _domain(state: MoSLMState) -> str | None:
    return (state.get("classification") or {}).get("domain")


def _recorded(found: Decided) -> Update:
    return {"reviews": [each.model_dump(mode="json") for each in found.reviews]}


def _of_a_person(text: str) -> Reply:
    return Reply(text=text, outcome="answered", answered_by="person")


def _handed_over(why: str) -> Reply:
    return Reply(text="", outcome="handed_over", answered_by=None, refusal=why)


def _waiting(state: MoSLMState) -> list[tuple[str, Draft, ToolRequest]]:
    """Return the writes nobody has decided about, with the draft each belongs to."""
    drafts = sorted(state.get("drafts", {}).items())
    return [
        (part, draft, wish) for part, draft in drafts for wish in draft.get("pending", []) if "decision" not in wish
    ]
