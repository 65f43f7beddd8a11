"""How a domain's small model drafts an answer to its part of the request, with its tools or its handbook.

One body (a generator of `Call`s) for both faces of the graph. Reads run at once; a write stops the draft until a person
has decided, unless the rules on access let its caller. Where a second opinion is worth its price it is fetched once
the draft stands. Whether the draft is good enough is not judged here.
"""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import (
    AIMessage,
    AnyMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
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
from moslm.escalation.opinions import fetch
from moslm.escalation.stopping import finishes
from moslm.models.calls import Call
from moslm.models.chat.first_token import FirstToken
from moslm.models.chat.logprobs import token_logprobs, usage_of
from moslm.models.chat.watched import Unfinished, Watched
from moslm.models.paying import billed
from moslm.nodes.callers import calls_of, instructed, results, with_tools
from moslm.nodes.domain_agent import DomainAgent
from moslm.nodes.notes import WORKED_EXAMPLES, with_notes
from moslm.nodes.tool_calls import ToolCalls
from moslm.state import AnswerInput, Draft, Opinion, Request, Task
from moslm.state import Call as CallerCall


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
    tools: ToolCalls = field(init=False)
    transcript: list[AnyMessage] = field(default_factory=list)
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

    def __post_init__(self) -> None:
        self.tools = ToolCalls(self.agent, self.request, self.deadline)

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
        self.tools.used = [ToolUse.model_validate(each) for each in draft.get("tools", [])]
        self.usage = [Usage.model_validate(each) for each in draft.get("usage", [])]
        self.replicas, self.ms = list(draft.get("replicas", [])), draft.get("ms", 0.0)
        self.shown = list(draft.get("shown", []))
        self.transcript.extend((yield from self.tools.decided(draft.get("pending", []))))
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
            self.calls = [] if self.tools.have_written else calls_of(reply, self.request)
            if self.calls:
                return
            self.transcript.append(reply)
            self.transcript.extend((yield from self.tools.made_by(reply)))
            if self.tools.pending:
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
        draft["tools"] = [use.model_dump(mode="json") for use in self.tools.used]
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
        draft["tools"] = [use.model_dump(mode="json") for use in self.tools.used]
        draft["usage"] = [usage.model_dump(mode="json") for usage in self.usage]
        draft["replicas"] = list(self.replicas)
        draft["passages"], draft["error"], draft["ms"] = self.passages, self.error, round(ms, 3)
        draft["evidence"], draft["cut_off"], draft["opinions"] = self._evidence(), self.cut_off, dict(self.opinions)
        draft["classification"], draft["calls"] = self.classification, [] if self.error else self.calls
        draft["stopped"] = self.stopped.model_dump(mode="json") if self.stopped else None
        draft["first_token_ms"] = self._first_token_ms()
        draft["pending"], draft["shown"] = [] if self.error else self.tools.pending, self.shown
        draft["transcript"] = [message_to_dict(each) for each in self.transcript] if draft["pending"] else []
        return draft


def _history(request: Request) -> list[AnyMessage]:
    made = {"user": HumanMessage, "assistant": AIMessage}
    return [made[role](text) for role, text in request["turns"][:-1]]


def _bytes_of_tools(request: Request) -> int:
    return len(json.dumps(request.get("tools") or []).encode())
