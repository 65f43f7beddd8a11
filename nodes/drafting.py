"""How a domain's small model drafts an answer to its part of the request, with its tools or its handbook.

One body (a generator of `Call`s) for both faces of the graph. Reads run at once; a write stops the draft until a person
has decided, unless the rules on access let its caller. Where a second opinion is worth its price it is fetched once
the draft stands. Whether the draft is good enough is not judged here.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import (
    AIMessage,
    AnyMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolCall,
    ToolMessage,
    message_to_dict,
    messages_from_dict,
    trim_messages,
)
from langchain_core.messages.utils import count_tokens_approximately
from langchain_core.runnables import Runnable
from langsmith import uuid7

from moslm.decision import Stopped, ToolUse, Usage
from moslm.errors import BackendError, BackendGarbled
from moslm.escalation.opinions import SecondOpinion, fetch
from moslm.escalation.stopping import Lookouts, finishes
from moslm.governance.access.actions import Tool
from moslm.governance.access.permissions import Permissions
from moslm.models.calls import Call
from moslm.models.chat.first_token import FirstToken
from moslm.models.chat.logprobs import token_logprobs, usage_of
from moslm.models.chat.watched import Unfinished, Watched
from moslm.models.leaving import Form
from moslm.models.paying import PriceOf, Till, billed
from moslm.models.replicas.replica import ReplicaState
from moslm.nodes.callers import Offer, calls_of, how_to_call, instructed, results, with_tools
from moslm.nodes.notes import WORKED_EXAMPLES, with_notes
from moslm.nodes.permitting import may
from moslm.state import AnswerInput, Draft, Opinion, Request, Task, ToolRequest
from moslm.state import Call as CallerCall
from moslm.tools.emptiness import found_nothing

Worth = Callable[[Draft, SecondOpinion, float | None], bool]
"""(finished draft, second opinion, the caller's own threshold) -> whether asking is worth its price."""


@dataclass(frozen=True, slots=True)
class DomainAgent:
    """A domain as it answers: its model, its words, its tools or its handbook."""

    name: str
    model: Runnable[Any, Any]
    """Chat model, tools bound, tagged so that its tokens are never streamed."""
    model_name: str
    prompt: str
    tools: Runnable[Any, Any] | None
    """LangGraph's `ToolNode`; None when the model works from passages."""
    effects: dict[str, str]
    """Effect of each tool by name; no other tool can run."""
    how_to_call: Callable[[str], str]
    """What to tell a model whose call of the named tool could not be read."""
    search: Runnable[Any, Any] | None
    """Handbook search (text -> passages) for a model that calls no tools."""
    price: PriceOf
    """What its model's calls cost, US dollars."""
    deadline_s: float
    max_rounds: int
    max_input_tokens: int
    second_opinions: tuple[SecondOpinion, ...] = ()
    """What may be asked for where the cheap signals leave doubt, the cheapest first."""
    worth: Worth = lambda draft, opinion, threshold: False
    lookout: Lookouts | None = None
    """What may stop a draft while it is written; None where all drafts are finished."""
    required: Callable[[float | None], float] = lambda own: own or 0.0
    """The confidence a draft needs, given the threshold its caller asked for."""
    most_tokens: int | None = None
    """The longest answer of its model, where it says so."""
    optimistic: bool = False
    """Whether the model's tokens stream while they are written."""
    offer: Offer | None = None
    """Binds the caller's tools beside the domain's own; None for a model that calls none."""
    revision: Callable[[], str] = lambda: ""
    """Revision of the model's weights, as a calibration knows it."""
    till: Till | None = None
    """Where its model's calls are paid; None for a model whose calls are free."""
    leaves: Form | None = None
    """How its model's calls are hidden where they leave the premises; None for a model inside."""
    tool_bytes: int = 0
    """Size of its tools as its model is told of them."""
    permissions: Permissions = field(default_factory=Permissions)
    """Whose writes run without a person's approval."""
    replicas: Callable[[], tuple[ReplicaState, ...]] = lambda: ()
    """What is known of the servers of its model; nothing of a model that has none."""


def drafted(agent: DomainAgent, state: AnswerInput, *, heard: bool = False) -> Generator[Call, Any, Draft]:
    """Draft one part of the answer; a failing model or tool ends in a draft that says so.

    Args:
        agent: Who drafts.
        state: What is asked.
        heard: Whether somebody hears words that stream while they are written.
    """
    request = state["request"]
    work = _Work(agent, request, state["task"], time.monotonic() + agent.deadline_s, state.get("draft"))
    work.classification = state.get("classification")
    work.finish = bool(state.get("finish"))
    work.first_token = FirstToken() if heard and agent.optimistic else None
    started = time.perf_counter()
    try:
        yield from work.resume() if work.waited else work.begin_again() if work.finish else work.begin()
    except BackendError as error:
        work.error = {"kind": error.kind, "message": str(error)}
        work.replicas.extend([error.replicas] if error.replicas else [])
    draft = work.draft(work.ms + (time.perf_counter() - started) * 1000)
    if draft.get("pending") or draft.get("error") or draft.get("calls") or draft.get("stopped"):
        return draft
    if not agent.second_opinions:
        return draft
    yield from work.consult(draft)
    return work.draft(work.ms + (time.perf_counter() - started) * 1000)


@dataclass(slots=True)
class _Work:
    """One draft in the making; a draft that waited for a person goes on where it stopped."""

    agent: DomainAgent
    request: Request
    task: Task
    deadline: float
    waiting: Draft | None
    transcript: list[AnyMessage] = field(default_factory=list)
    pending: list[ToolRequest] = field(default_factory=list)
    used: list[ToolUse] = field(default_factory=list)
    usage: list[Usage] = field(default_factory=list)
    replicas: list[dict[str, Any]] = field(default_factory=list)
    passages: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    calls: list[CallerCall] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    text: str = ""
    logprobs: list[list[float]] | None = None
    cut_off: bool = False
    stopped: Stopped | None = None
    classification: dict[str, Any] | None = None
    opinions: dict[str, Opinion] = field(default_factory=dict)
    first_token: FirstToken | None = None
    error: dict[str, str] | None = None
    ms: float = 0.0
    finish: bool = False

    @property
    def waited(self) -> bool:
        return bool(self.waiting and self.waiting.get("pending"))

    def begin(self) -> Generator[Call, Any, None]:
        asked, shown = self.task["text"], list[AnyMessage]()
        if self.agent.search is not None:
            found = yield Call(self.agent.search, asked, "handbook", self.deadline)
            self.passages = [passage.title for passage in found]
            self.notes = [passage.text for passage in found]
            asked, shown = with_notes(asked, self.notes), [*WORKED_EXAMPLES]
        asking = [*_history(self.request), HumanMessage(asked), *results(self.request)]
        self.transcript = [self._system(), *shown, *asking]
        yield from self._rounds()

    def begin_again(self) -> Generator[Call, Any, None]:
        """Draft anew what was rejected; what the first draft took stays counted."""
        if self.waiting is not None:
            self.usage = [Usage.model_validate(each) for each in self.waiting.get("usage", [])]
            self.replicas, self.ms = list(self.waiting.get("replicas", [])), self.waiting.get("ms", 0.0)
        yield from self.begin()

    def resume(self) -> Generator[Call, Any, None]:
        draft = self.waiting
        assert draft is not None
        self.transcript = messages_from_dict(draft.get("transcript", []))  # type: ignore[assignment]
        self.used = [ToolUse.model_validate(each) for each in draft.get("tools", [])]
        self.usage = [Usage.model_validate(each) for each in draft.get("usage", [])]
        self.replicas, self.ms = list(draft.get("replicas", [])), draft.get("ms", 0.0)
        self.shown = list(draft.get("shown", []))
        yield from self._carry_out(draft.get("pending", []))
        yield from self._rounds()

    def _rounds(self) -> Generator[Call, Any, None]:
        """Ask the model and run its tools, until it answers in words, a write must wait or the caller has to act."""
        agent = self.agent
        model = with_tools(agent.model, agent.offer, self.request, agent.model_name, agent.effects)
        for _ in range(self.agent.max_rounds + 1):
            prompt = self._prompt()
            asked = self._watched(self._about_to_show(model))
            bill = billed(agent.till, prompt, agent.tool_bytes + _bytes_of_tools(self.request))
            reply = yield Call(asked, prompt, self.agent.model_name, self.deadline, bill, agent.leaves)
            self._has_shown(reply)
            self._count(reply, prompt)
            if not reply.tool_calls and not reply.invalid_tool_calls:
                self.text, self.logprobs = reply.text.strip(), token_logprobs(reply)
                if self.stopped:
                    return
                self.cut_off = reply.response_metadata.get("finish_reason") == "length"
                if not self.text:
                    raise BackendGarbled(self.agent.model_name, f"{self.agent.model_name} returned an empty answer")
                return
            self.calls = [] if self._has_written else calls_of(reply, self.request)
            if self.calls:
                return
            self.transcript.append(reply)
            yield from self._tools(reply)
            if self.pending:
                return
        raise BackendError(self.agent.model_name, f"{self.agent.model_name} kept calling tools without an answer")

    def _about_to_show(self, model: Runnable[Any, Any]) -> Runnable[Any, Any]:
        """Give the call a name of its own before it streams: one that breaks off has to be taken back too."""
        if not self.agent.optimistic:
            return model
        run = uuid7()
        self.shown.append(f"lc_run--{run}")  # how LangChain names what a run says
        return model.with_config(run_id=run, callbacks=[self.first_token] if self.first_token else None)

    def _has_shown(self, reply: AIMessage) -> None:
        if self.agent.optimistic and reply.id and reply.id != self.shown[-1]:
            self.shown[-1] = reply.id  # its server named it otherwise

    def _watched(self, model: Runnable[Any, Any]) -> Runnable[Any, Any]:
        """Have the draft looked at while it is written, so that one that must go up is not paid for to its end."""
        agent, request = self.agent, self.request
        if agent.lookout is None or self.finish:
            return model
        if request.get("tools"):  # with tools of the caller no labelled draft was written
            return model
        look = agent.lookout(
            agent.required(request["threshold"]),
            agent.most_tokens,
            may_call=bool(agent.effects),
            finish=finishes(request["id"], self.task["part"]),
        )

        if look is None:
            return model

        def unwanted(answer: Unfinished) -> bool:
            self.stopped = look(answer.text, answer.tokens, lambda: self._so_far(answer))
            return self.stopped is not None

        return Watched(model, unwanted)

    def _so_far(self, answer: Unfinished) -> Draft:
        draft = Draft(task=self.task, model=self.agent.model_name, text=answer.text.strip())
        draft["logprobs"], draft["passages"], draft["evidence"] = answer.logprobs(), self.passages, self._evidence()
        draft["tools"] = [use.model_dump(mode="json") for use in self.used]
        draft["classification"] = self.classification
        return draft

    def consult(self, draft: Draft) -> Generator[Call, Any, None]:
        """Fetch each second opinion that is worth its price, judged anew after each."""
        for opinion in self.agent.second_opinions:
            if not self.agent.worth(draft, opinion, self.request["threshold"]):
                continue
            said, usage = yield from fetch(draft, self._asked_again(), opinion, self.deadline)
            self.opinions[opinion.signal] = said
            self.usage.extend([usage] if usage else [])
            draft["opinions"] = dict(self.opinions)

    def _asked_again(self) -> list[BaseMessage]:
        """Return the question with its evidence as one prompt without tools, for whoever answers it a second time."""
        question = with_notes(self.task["text"], self._evidence())
        shown = WORKED_EXAMPLES if self.agent.search is not None else ()
        return [self._system(), *shown, *_history(self.request), HumanMessage(question)]

    def _system(self) -> SystemMessage:
        return SystemMessage(instructed(self.agent.prompt, self.request))

    def _evidence(self) -> list[str]:
        returned = [m.text for m in self.transcript if isinstance(m, ToolMessage) and m.status != "error"]
        return [*self.notes, *returned]

    def _tools(self, reply: AIMessage) -> Generator[Call, Any, None]:
        for wrong in reply.invalid_tool_calls:
            name = wrong["name"] or ""
            words = how_to_call(name, self.request) or self.agent.how_to_call(name)
            self.transcript.append(ToolMessage(words, tool_call_id=str(wrong["id"]), status="error"))
        free = [call for call in reply.tool_calls if self._is_free(call["name"])]
        held = [call for call in reply.tool_calls if call not in free]
        if free:
            yield from self._run(free, self.request["role"])
        self.pending = [ToolRequest(id=str(call["id"]), name=call["name"], args=call["args"]) for call in held]

    def _carry_out(self, decided: Sequence[ToolRequest]) -> Generator[Call, Any, None]:
        """Do what the person decided about each held write."""
        approved: list[ToolCall] = []
        for wish in decided:
            decision: dict[str, Any] = wish.get("decision", {"type": "reject"})
            if decision["type"] in ("approve", "edit"):
                args = decision["edited_action"]["args"] if decision["type"] == "edit" else wish["args"]
                approved.append(ToolCall(name=wish["name"], args=args, id=wish["id"], type="tool_call"))
                continue
            given = decision["type"] == "respond"
            words = decision.get("message") or ("" if given else "A person decided against this action.")
            self.transcript.append(ToolMessage(words, tool_call_id=wish["id"], name=wish["name"]))
            outcome = "answered" if given else "rejected"
            self.used.append(ToolUse(name=wish["name"], effect="write", outcome=outcome, approved_by="person"))
        if approved:
            yield from self._run(approved, "person")

    def _run(self, calls: list[ToolCall], approved_by: str | None) -> Generator[Call, Any, None]:
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
        self.transcript.extend(replies)
        failed = {each.tool_call_id: "failed" for each in replies if each.status == "error"}
        empty = {each.tool_call_id for each in replies if found_nothing(each.text)}
        self._record(calls, failed, approved_by, started, empty)

    def _record(
        self,
        calls: list[ToolCall],
        ends: Mapping[Any, str],
        approved_by: str | None,
        started: float,
        empty: Collection[str] = (),
    ) -> None:
        ms = round((time.perf_counter() - started) * 1000, 3)
        for call in calls:
            effect = self._effect(call["name"])
            # a tool that nobody has was not run, so nobody allowed it
            allowed = approved_by if effect == "write" and call["name"] in self.agent.effects else None
            outcome = ends.get(call["id"], "done")
            self.used.append(
                ToolUse(
                    name=call["name"],
                    effect=effect,
                    outcome=outcome,
                    approved_by=allowed,
                    empty=effect == "read" and call["id"] in empty,
                    ms=ms,
                )
            )

    def _is_free(self, tool: str) -> bool:
        """Tell whether a call needs no person: it reads, its caller may write, or there is nothing that could run."""
        return tool not in self.agent.effects or self._effect(tool) == "read" or self._may_write(tool)

    @property
    def _has_written(self) -> bool:
        """Tell whether something stands that the caller's next request would not know of, and so could do twice."""
        return any(use.effect == "write" and use.outcome in ("done", "unknown") for use in self.used)

    def _may_write(self, tool: str) -> bool:
        return may(self.request, "write_tool", self.agent.permissions, Tool(tool, self._effect(tool)))

    def _effect(self, tool: str) -> str:
        return self.agent.effects.get(tool, "write")

    def _prompt(self) -> list[BaseMessage]:
        """Return the transcript cut to what the model takes: the oldest turns go first, the request never."""
        if self._fits():
            return list(self.transcript)
        kept = trim_messages(
            self.transcript,
            max_tokens=self.agent.max_input_tokens,
            token_counter="approximate",
            strategy="last",
            include_system=True,
            start_on="human",
        )
        if not any(isinstance(message, HumanMessage) for message in kept):
            raise BackendGarbled(self.agent.model_name, f"the request is too long for {self.agent.model_name}")
        return kept

    def _fits(self) -> bool:
        """Tell whether nothing would be cut, which is nearly always so: cutting costs more than counting."""
        begins_well = len(self.transcript) > 1 and isinstance(self.transcript[1], HumanMessage)
        return begins_well and count_tokens_approximately(self.transcript) <= self.agent.max_input_tokens

    def _count(self, reply: AIMessage, prompt: Sequence[BaseMessage]) -> None:
        tokens = usage_of(reply, prompt)
        self.replicas.extend([served] if (served := reply.response_metadata.get("replica")) else [])
        self.usage.append(
            Usage(
                model=self.agent.model_name,
                role="small",
                input_tokens=tokens.input,
                output_tokens=tokens.output,
                cost_usd=self.agent.price(
                    tokens.input, tokens.output, cached_tokens=tokens.cached, reasoning_tokens=tokens.reasoning
                ),
                known=tokens.known,
            )
        )

    def _first_token_ms(self) -> float | None:
        if self.first_token is None or self.first_token.at is None:
            return None
        return round((self.first_token.at - self.request["started"]) * 1000, 3)

    def draft(self, ms: float) -> Draft:
        draft = Draft(task=self.task, model=self.agent.model_name, text=self.text)
        draft["logprobs"] = self.logprobs
        draft["tools"] = [use.model_dump(mode="json") for use in self.used]
        draft["usage"] = [usage.model_dump(mode="json") for usage in self.usage]
        draft["replicas"] = list(self.replicas)
        draft["passages"], draft["error"], draft["ms"] = self.passages, self.error, round(ms, 3)
        draft["evidence"], draft["cut_off"], draft["opinions"] = self._evidence(), self.cut_off, dict(self.opinions)
        draft["classification"], draft["calls"] = self.classification, [] if self.error else self.calls
        draft["stopped"] = self.stopped.model_dump(mode="json") if self.stopped else None
        draft["first_token_ms"] = self._first_token_ms()
        draft["pending"], draft["shown"] = [] if self.error else self.pending, self.shown
        draft["transcript"] = [message_to_dict(each) for each in self.transcript] if draft["pending"] else []
        return draft


def _history(request: Request) -> list[AnyMessage]:
    made = {"user": HumanMessage, "assistant": AIMessage}
    return [made[role](text) for role, text in request["turns"][:-1]]


def _bytes_of_tools(request: Request) -> int:
    return len(json.dumps(request.get("tools") or []).encode())
