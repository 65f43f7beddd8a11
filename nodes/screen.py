"""Opens a request: reads the conversation, turns away what nobody can answer, and empties the last request's state.

Knows nothing of domains or models.
"""

from __future__ import annotations

import time
import unicodedata
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage, message_to_dict

from moslm.config import Config, Limits
from moslm.errors import RequestError
from moslm.escalation.verdicts import refusal
from moslm.governance.access.permissions import Permissions
from moslm.nodes.callers import names_of
from moslm.nodes.node import Node, Run, Update
from moslm.nodes.permitting import may
from moslm.state import RESET, MoSLMState, Reply, Request


def screen(config: Config, permissions: Permissions) -> Node:
    """Return the step that opens a request.

    Args:
        config: The settings.
        permissions: Who may ask, and who may spend on the large model.
    """

    def step(state: MoSLMState, run: Run) -> Update:
        request = _opened(run, config)
        request["may_escalate"] = request["may_escalate"] and may(request, "escalate", permissions)
        update = {**_EMPTY, "request": request}
        messages = state.get("messages", [])
        try:
            if not may(request, "ask", permissions):
                raise RequestError("not_allowed", f"The role {request['role']} may not ask.")
            turns = conversation(messages, config.limits)
            _check_instructions(run.context.instructions, config.limits.max_chars)
        except RequestError as problem:
            reply = Reply(text=str(problem), outcome="refused", answered_by=None, refusal=str(problem))
            check = refusal(problem.code, str(problem)).model_dump(mode="json")
            return {**update, "checks": [RESET, check], "reply": reply}
        request["turns"], request["text"] = turns, turns[-1][1]
        request["key"] = _key(request, run, messages)
        request["rounds"] = rounds(messages, names_of(request))
        return update

    return Node("screen", step)


_EMPTY: dict[str, Any] = {
    "decision": None,
    "classification": None,
    "unread": None,
    "reply": None,
    "budget": None,
    "checks": [RESET],
    "drafts": {RESET: True},
    "measured": {RESET: True},
    "reviews": [RESET],
    "steps": [RESET],
}


def _opened(run: Run, config: Config) -> Request:
    now, knobs = datetime.now(UTC), run.context
    return Request(
        id=str(uuid.uuid4()),
        opened_at=now.isoformat(timespec="milliseconds"),
        started=time.time(),
        tenant=knobs.tenant,
        user=knobs.user,
        role=knobs.role,
        thread_id=run.thread_id,
        text="",
        turns=[],
        threshold=knobs.threshold,
        multi_domain=knobs.multi_domain or config.multi_domain,
        may_escalate=knobs.may_escalate,
        sensitivity=knobs.sensitivity,
        region=knobs.region,
        remember=knobs.remember,
        fresh=knobs.fresh,
        instructions=plain(knobs.instructions),
        tools=list(knobs.tools),
        tool_choice=knobs.tool_choice,
        rounds=[],
    )


def _key(request: Request, run: Run, messages: Sequence[AnyMessage]) -> str:
    """Return what a run that is repeated has in common with the first."""
    if run.context.idempotency_key:
        return f"caller {run.context.idempotency_key}"
    if request["thread_id"] is None or run.context.fresh:
        # outside of a thread nothing is ever resumed; and a run that asks anew is resumed with this id in its state
        return f"request {request['id']}"
    # its place in the thread, for a fork gives messages new ids; what it says is part of what is bought
    place = max(i for i, each in enumerate(messages) if isinstance(each, HumanMessage))
    return f"thread {request['thread_id']} {place}"


def conversation(messages: Sequence[AnyMessage], limits: Limits) -> list[tuple[str, str]]:
    """Return the conversation as (role, text), the request last.

    Only what people and models said counts: system messages, tool calls and their results are a parent's bookkeeping.

    Raises:
        RequestError: There is no user message, or the last one is empty, too long or not text.
    """
    last = max((i for i, each in enumerate(messages) if isinstance(each, HumanMessage)), default=None)
    if last is None:
        raise RequestError("no_message", "There is no user message to answer.")
    request = _text_of_request(messages[last], limits.max_chars)
    before = [_turn(each, limits.max_chars) for each in messages[:last]]
    kept = [turn for turn in before if turn is not None and turn[1].strip()]
    earlier = kept[-(limits.max_turns - 1) :] if limits.max_turns > 1 else []
    return [*earlier, ("user", request)]


def rounds(messages: Sequence[AnyMessage], names: frozenset[str]) -> list[dict[str, Any]]:
    """Return the calls of the named tools since the last user message, with their results, in LangChain's dict form.

    What a parent called besides (a hand-over to this graph, say) is its own bookkeeping.
    """
    last = max((i for i, each in enumerate(messages) if isinstance(each, HumanMessage)), default=len(messages))
    kept, ids = list[AnyMessage](), set[str | None]()
    for each in messages[last + 1 :]:
        if isinstance(each, AIMessage) and each.tool_calls and {call["name"] for call in each.tool_calls} <= names:
            ids |= {call["id"] for call in each.tool_calls}
            kept.append(each)
        elif isinstance(each, ToolMessage) and each.tool_call_id in ids:
            kept.append(each)
    return [message_to_dict(each) for each in kept]


def _check_instructions(text: str, max_chars: int) -> None:
    if len(text) > max_chars:
        raise RequestError("too_long", f"The instructions have {len(text):,} characters; the most is {max_chars:,}.")


def _text_of_request(message: AnyMessage, max_chars: int) -> str:
    if isinstance(message.content, list):
        strange = [_kind(block) for block in message.content if _kind(block) != "text"]
        if strange:
            raise RequestError("not_text", f"Only text can be answered here; the message carries {strange[0]} content.")
    text = plain(message.text)
    if len(text) > max_chars:
        raise RequestError("too_long", f"The message has {len(text):,} characters; the most is {max_chars:,}.")
    if not text.strip():
        raise RequestError("empty", "The message is empty.")
    return text


def _kind(block: object) -> str:
    return "text" if isinstance(block, str) else str(block.get("type", "unknown")) if isinstance(block, dict) else "?"


def _turn(message: AnyMessage, max_chars: int) -> tuple[str, str] | None:
    if isinstance(message, HumanMessage):
        # one that was turned away for its length is no part of the conversation
        return ("user", plain(message.text)) if len(message.text) <= max_chars else None
    if isinstance(message, AIMessage) and not message.tool_calls:
        return "assistant", plain(message.text)[:max_chars]
    return None


def plain(text: str) -> str:
    """Replace control, bidirectional and unpaired surrogate characters by spaces; offsets stay as they were."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(" " if _is_control(char) else char for char in text)


def _is_control(char: str) -> bool:
    if char in "\n\t":
        return False
    # Cc controls, Cs unpaired surrogates; Cf holds bidi overrides and tags, but also the joiners of emoji and scripts
    category = unicodedata.category(char)
    return category in ("Cc", "Cs") or (category == "Cf" and char not in "\u200c\u200d")
