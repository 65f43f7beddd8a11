"""The tools that a model calls while it drafts: reads run at once, writes wait for a person or for nobody.

Whatever ran, or was decided about, is written down as a `ToolUse`. Knows no model.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import AIMessage, ToolCall, ToolMessage

from moslm.decision import ToolUse
from moslm.errors import BackendError, BackendGarbled
from moslm.governance.access.actions import Tool
from moslm.models.calls import Call
from moslm.nodes.callers import how_to_call
from moslm.nodes.domain_agent import DomainAgent
from moslm.nodes.permitting import may
from moslm.state import Request, ToolRequest
from moslm.tools.emptiness import found_nothing


@dataclass(slots=True)
class ToolCalls:
    """The tool calls of one draft.

    Attributes:
        agent: Whose tools they are.
        request: On whose behalf they are called.
        deadline: Until when one may take, on the monotonic clock.
        used: What was run or decided, in order.
        pending: The last reply's writes that a person must allow.
    """

    agent: DomainAgent
    request: Request
    deadline: float
    used: list[ToolUse] = field(default_factory=list)
    pending: list[ToolRequest] = field(default_factory=list)

    def made_by(self, reply: AIMessage) -> Generator[Call, Any, list[ToolMessage]]:
        """Run what a reply calls and nobody needs to allow; return what the model is told of it."""
        told = [self._unreadable(wrong) for wrong in reply.invalid_tool_calls]
        free = [call for call in reply.tool_calls if self._is_free(call["name"])]
        held = [call for call in reply.tool_calls if call not in free]
        if free:
            told += yield from self._run(free, self.request["role"])
        self.pending = [ToolRequest(id=str(call["id"]), name=call["name"], args=call["args"]) for call in held]
        return told

    def decided(self, wishes: Sequence[ToolRequest]) -> Generator[Call, Any, list[ToolMessage]]:
        """Do what the person decided about each held write; return what the model is told of it."""
        approved, told = list[ToolCall](), list[ToolMessage]()
        for wish in wishes:
            decision: dict[str, Any] = wish.get("decision", {"type": "reject"})
            if decision["type"] in ("approve", "edit"):
                args = decision["edited_action"]["args"] if decision["type"] == "edit" else wish["args"]
                approved.append(ToolCall(name=wish["name"], args=args, id=wish["id"], type="tool_call"))
                continue
            given = decision["type"] == "respond"
            words = decision.get("message") or ("" if given else "A person decided against this action.")
            told.append(ToolMessage(words, tool_call_id=wish["id"], name=wish["name"]))
            outcome = "answered" if given else "rejected"
            self.used.append(ToolUse(name=wish["name"], effect="write", outcome=outcome, approved_by="person"))
        if approved:
            told += yield from self._run(approved, "person")
        return told

    @property
    def have_written(self) -> bool:
        """Whether something stands that the caller's next request would not know of, and so could do twice."""
        return any(use.effect == "write" and use.outcome in ("done", "unknown") for use in self.used)

    def _unreadable(self, wrong: Mapping[str, Any]) -> ToolMessage:
        name = wrong["name"] or ""
        words = how_to_call(name, self.request) or self.agent.how_to_call(name)
        return ToolMessage(words, tool_call_id=str(wrong["id"]), status="error")

    def _run(self, calls: list[ToolCall], approved_by: str) -> Generator[Call, Any, list[ToolMessage]]:
        if self.agent.tools is None:
            raise BackendGarbled(self.agent.model_name, f"{self.agent.model_name} called a tool it was not given")
        started = time.perf_counter()
        # the request's id makes a write repeatable: run again, it returns what it did the first time
        asked = {"messages": [AIMessage("", tool_calls=calls)], "request": {"id": self.request["id"]}}
        try:
            result = yield Call(self.agent.tools, asked, f"a tool of {self.agent.name}", self.deadline)
        except BackendError:
            # given up, but perhaps not stopped: a write may stand all the same, and the record must say so
            self._record(calls, dict.fromkeys((call["id"] for call in calls), "unknown"), approved_by, started)
            raise
        replies = [each for each in result["messages"] if isinstance(each, ToolMessage)]
        failed = {each.tool_call_id: "failed" for each in replies if each.status == "error"}
        empty = {each.tool_call_id for each in replies if found_nothing(each.text)}
        self._record(calls, failed, approved_by, started, empty)
        return replies

    def _record(
        self,
        calls: list[ToolCall],
        ends: Mapping[Any, str],
        approved_by: str,
        started: float,
        empty: Collection[str] = (),
    ) -> None:
        ms = round((time.perf_counter() - started) * 1000, 3)
        for call in calls:
            effect = self._effect(call["name"])
            # a tool that nobody has was not run, so nobody allowed it
            allowed = approved_by if effect == "write" and call["name"] in self.agent.effects else None
            self.used.append(
                ToolUse(
                    name=call["name"],
                    effect=effect,
                    outcome=ends.get(call["id"], "done"),
                    approved_by=allowed,
                    empty=effect == "read" and call["id"] in empty,
                    ms=ms,
                )
            )

    def _is_free(self, tool: str) -> bool:
        """Tell whether a call needs no person: it reads, its caller may write, or there is nothing that could run."""
        return tool not in self.agent.effects or self._effect(tool) == "read" or self._may_write(tool)

    def _may_write(self, tool: str) -> bool:
        return may(self.request, "write_tool", self.agent.permissions, Tool(tool, self._effect(tool)))

    def _effect(self, tool: str) -> str:
        return self.agent.effects.get(tool, "write")
