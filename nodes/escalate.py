"""Takes a request to the large model, under its caps and its throttle; or says what is done instead, and why.

The small models' drafts go nowhere: neither to the user nor to the large model. Whether to come here is decided before.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage
from langchain_core.runnables import Runnable

from moslm.budgets.purchases import Standing
from moslm.config import AtCapAction
from moslm.decision import Budget, Usage
from moslm.errors import BackendError, CapReached
from moslm.models.calls import Call, Pause, Steps
from moslm.models.chat.logprobs import usage_of
from moslm.models.leaving import Form, leaving
from moslm.models.paying import Account, Till, bill_of, billed, paying
from moslm.nodes.accounts import account_of, cap_uses
from moslm.nodes.callers import Offer, calls_of, instructed, results, with_tools
from moslm.nodes.doors import DoorOf, door_of, egress_uses
from moslm.nodes.node import Node, Run, Update
from moslm.state import MoSLMState, Reply, Request
from moslm.telemetry import events


@dataclass(frozen=True, slots=True)
class LargeModel:
    """The large model with what guards it."""

    model: Runnable[Any, Any]
    name: str
    system_prompt: str
    deadline_s: float
    till: Till
    """Where its calls are paid, and who lets them pass."""
    at_cap: Callable[[str | None], AtCapAction]
    """What happens to a request of a domain that a cap does not allow to come here."""
    max_wait_s: float = 0.0
    """The longest that is waited for a cap to have room again."""
    leaves: Form | None = None
    """How its calls are hidden where they leave the premises; None for a model inside."""
    offer: Offer | None = None
    """Binds the caller's tools; None for a model that calls none."""


def escalate(large: LargeModel | None, doors: DoorOf) -> Node:
    """Return the step that asks the large model, or nobody when there is none.

    Args:
        large: The large model.
        doors: Gives each request the door its calls leave through.
    """

    def step(state: MoSLMState, run: Run) -> Steps[Update]:
        request = state["request"]
        if large is None:
            update: Update = {"reply": _handed_over("no large model is configured")}
        elif not request["may_escalate"]:
            update = {"reply": _handed_over("this caller may not use the large model")}
        else:
            update = yield from _asked(large, state, doors)
        run.emit(_escalated(request, large, update["reply"]))
        return update

    return Node("escalate", step)


def worst_case_usd(large: LargeModel | None, request: Request) -> float | None:
    """Return the most that asking the large model can cost, US dollars; None where it would not be asked."""
    if large is None or not request["may_escalate"]:
        return None
    bill = bill_of(large.till, _prompt(large, request), _bytes_of_tools(request))
    return large.till.most(bill.input_tokens, large.till.max_tokens)


def _asked(large: LargeModel, state: MoSLMState, doors: DoorOf) -> Steps[Update]:
    """Ask, waiting for room where a cap is reached and that is what is done then."""
    request, began, waited = state["request"], time.perf_counter(), 0.0
    action = large.at_cap(_domain(state))
    while True:
        account = account_of(request, _domain(state), "escalate")
        door = door_of(request, _domain(state), doors)
        started = time.perf_counter()
        try:
            reply = yield from paying(leaving(_called(large, request), door), account)
        except CapReached as error:
            pause = _pause(error.cap, large.max_wait_s - waited) if action == "wait" else None
            if pause is None:
                return _at_cap(action, error, account, waited)
            yield Call(Pause(pause), None, large.name, time.monotonic() + pause + 1)
            waited = time.perf_counter() - began
            continue
        except BackendError as error:
            reply = _handed_over(str(error))
        else:
            reply["ms"] = round((time.perf_counter() - started) * 1000, 3)
        reply["egress"] = [each.model_dump(mode="json") for each in egress_uses(door.crossings)]
        return {"reply": reply, "budget": _budget(account, waited).model_dump(mode="json")}


def _called(large: LargeModel, request: Request) -> Steps[Reply]:
    deadline = time.monotonic() + large.deadline_s
    prompt = _prompt(large, request)
    model = with_tools(large.model, large.offer, request, large.name)
    bill = billed(large.till, prompt, _bytes_of_tools(request))
    message: AIMessage = yield Call(model, prompt, large.name, deadline, bill, large.leaves)
    text = message.text.strip()
    tokens = usage_of(message, prompt)
    usage = Usage(
        model=large.name,
        role="large",
        input_tokens=tokens.input,
        output_tokens=tokens.output,
        cost_usd=large.till.cost(tokens),
        known=tokens.known,
    )
    if calls := calls_of(message, request):
        reply = Reply(text="", outcome="escalated", answered_by=large.name, calls=calls)
    elif text:
        reply = Reply(text=text, outcome="escalated", answered_by=large.name)
    else:  # nothing was said, and it has to be paid all the same
        reply = _handed_over(f"{large.name} returned an empty answer")
    reply["usage"] = [usage.model_dump(mode="json")]
    return reply


def _at_cap(action: AtCapAction, error: CapReached, account: Account, waited: float) -> Update:
    """Return what is done in the place of the call; without a reply somebody else is asked next."""
    budget = _budget(account, waited).model_copy(
        update={"at_cap": action, "why": str(error), "caps": cap_uses(account.standings, error.cap)}
    )
    reply: Reply | None = None
    if action == "refuse":
        text = f"This cannot be answered now, because {error}."
        reply = Reply(text=text, outcome="refused", answered_by=None, refusal=str(error))
    elif action in ("hand_over", "wait"):
        reply = _handed_over(str(error))
    return {"reply": reply, "budget": budget.model_dump(mode="json")}


def _budget(account: Account, waited: float) -> Budget:
    return Budget(caps=cap_uses(account.standings, None), waited_ms=round(waited * 1000, 3))


def _pause(cap: Standing, at_most: float) -> float | None:
    """Return the seconds until a cap has room again; None where that is too long, or never."""
    if cap.frees is None or cap.amount > cap.limit:
        return None
    seconds = max(cap.frees - time.time(), 0.05)
    return seconds if seconds <= at_most else None


def _domain(state: MoSLMState) -> str | None:
    return (state.get("classification") or {}).get("domain")


def _prompt(large: LargeModel, request: Request) -> list[AnyMessage]:
    made = {"user": HumanMessage, "assistant": AIMessage}
    turns = [made[role](text) for role, text in request["turns"]]
    return [SystemMessage(instructed(large.system_prompt, request)), *turns, *results(request)]


def _bytes_of_tools(request: Request) -> int:
    """Return the size of what the prompt carries besides its texts: the caller's tools, and their calls so far."""
    return sum(len(json.dumps(request.get(key) or []).encode()) for key in ("tools", "rounds"))


def _handed_over(why: str) -> Reply:
    return Reply(text="", outcome="handed_over", answered_by=None, refusal=why)


def _escalated(request: Request, large: LargeModel | None, reply: Reply | None) -> events.Escalated:
    return {
        "type": "moslm.escalated",
        "request": request["id"],
        "model": large.name if large else None,
        "outcome": reply["outcome"] if reply else "at_cap",
    }
