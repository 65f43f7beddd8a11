"""Takes a request to the large model, inside its cap and its throttle; or hands it over, saying why.

The small models' drafts go nowhere: neither to the user nor to the large model. Whether to come here is decided before.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Protocol

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage
from langchain_core.runnables import Runnable

from moslm.decision import Usage
from moslm.errors import BackendError, BackendTimeout
from moslm.models.calls import Call
from moslm.models.chat.logprobs import usage_of
from moslm.nodes.callers import Offer, calls_of, instructed, results, with_tools
from moslm.nodes.node import Node, Run, Update
from moslm.state import MoSLMState, Reply, Request
from moslm.telemetry import events

_FRAMING = 16
"""Tokens a chat template may put around each message."""


class Reservation(Protocol):
    """Money set aside for one call."""

    def settle(self, usd: float) -> None:
        """Book what the call cost."""

    def release(self) -> None:
        """Give the money back: the call was not made or cost nothing."""


@dataclass(frozen=True, slots=True)
class LargeModel:
    """The large model with what guards it."""

    model: Runnable[Any, Any]
    name: str
    system_prompt: str
    deadline_s: float
    max_tokens: int
    price: Callable[[int, int], float]
    """(input tokens, output tokens) -> US dollars."""
    reserve: Callable[[float], Reservation | str]
    """Sets money aside for the worst case in US dollars; or says why not."""
    throttle: Runnable[Any, Any]
    """Waits for a place; False when that would take too long."""
    offer: Offer | None = None
    """Binds the caller's tools; None for a model that calls none."""


def escalate(large: LargeModel | None) -> Node:
    """Return the step that asks the large model, or nobody when there is none."""

    def step(state: MoSLMState, run: Run) -> Generator[Call, Any, Update]:
        request = state["request"]
        if large is None:
            reply = _handed_over("no large model is configured")
        elif not request["may_escalate"]:
            reply = _handed_over("this caller may not use the large model")
        else:
            reply = yield from _asked(large, request)
        run.emit(_escalated(request, large, reply))
        return {"reply": reply}

    return Node("escalate", step)


def _asked(large: LargeModel, request: Request) -> Generator[Call, Any, Reply]:
    started = time.perf_counter()
    deadline = time.monotonic() + large.deadline_s
    prompt = _prompt(large, request)
    # no byte-level tokenizer makes more tokens than there are bytes: an estimate by characters falls short for Chinese
    most_input = sum(len(message.text.encode()) + _FRAMING for message in prompt) + _bytes_of_tools(request)
    reserved = large.reserve(large.price(most_input, large.max_tokens))
    if isinstance(reserved, str):
        return _handed_over(reserved)
    try:
        reply, usage = yield from _called(large, request, prompt, deadline)
    except BackendTimeout as error:
        # given up while it was answering: the provider may charge for it, so the reservation stays spent
        reserved.settle(large.price(most_input, large.max_tokens))
        return _handed_over(str(error))
    except BackendError as error:
        reserved.release()
        return _handed_over(str(error))
    except BaseException:
        # cancelled or crashed in mid-call: the provider may have produced tokens, so the reservation stays spent
        reserved.settle(large.price(most_input, large.max_tokens))
        raise
    reserved.settle(usage.cost_usd)
    reply["usage"] = [usage.model_dump(mode="json")]
    reply["ms"] = round((time.perf_counter() - started) * 1000, 3)
    return reply


def _called(
    large: LargeModel, request: Request, prompt: list[AnyMessage], deadline: float
) -> Generator[Call, Any, tuple[Reply, Usage]]:
    model = with_tools(large.model, large.offer, request, large.name)
    admitted = yield Call(large.throttle, None, "the throttle of the large model", deadline)
    if not admitted:
        raise BackendError(large.name, "too many requests are waiting for the large model")
    message: AIMessage = yield Call(model, prompt, large.name, deadline)
    text = message.text.strip()
    tokens_in, tokens_out, known = usage_of(message, prompt)
    cost = large.price(tokens_in, tokens_out)
    usage = Usage(
        model=large.name, role="large", input_tokens=tokens_in, output_tokens=tokens_out, cost_usd=cost, known=known
    )
    if calls := calls_of(message, request):
        return Reply(text="", outcome="escalated", answered_by=large.name, calls=calls), usage
    if not text:  # nothing was said, and it has to be paid all the same
        return _handed_over(f"{large.name} returned an empty answer"), usage
    return Reply(text=text, outcome="escalated", answered_by=large.name), usage


def _prompt(large: LargeModel, request: Request) -> list[AnyMessage]:
    made = {"user": HumanMessage, "assistant": AIMessage}
    turns = [made[role](text) for role, text in request["turns"]]
    return [SystemMessage(instructed(large.system_prompt, request)), *turns, *results(request)]


def _bytes_of_tools(request: Request) -> int:
    """Return the size of what the prompt carries besides its texts: the caller's tools, and their calls so far."""
    return sum(len(json.dumps(request.get(key) or []).encode()) for key in ("tools", "rounds"))


def _handed_over(why: str) -> Reply:
    return Reply(text="", outcome="handed_over", answered_by=None, refusal=why)


def _escalated(request: Request, large: LargeModel | None, reply: Reply) -> events.Escalated:
    return {
        "type": "moslm.escalated",
        "request": request["id"],
        "model": large.name if large else None,
        "outcome": reply["outcome"],
    }
