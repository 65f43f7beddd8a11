"""`MoSLMMiddleware`: the gate around the model of a LangChain agent (extra ``hosted``).

For who has an agent and wants to keep it: its own small model answers what is familiar and what it is sure of; the rest
goes to the large model, inside its cap. Knows LangChain's middleware; what is measured and judged is `Gate`'s.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage
from langchain_core.runnables import Runnable, RunnableLambda
from langchain_core.runnables.config import ensure_config
from langchain_core.utils.function_calling import convert_to_openai_tool

from moslm.budgets.purchases import Payer
from moslm.config import Config
from moslm.errors import BackendError, MissingExtraError
from moslm.escalation.signals import SignalFunction
from moslm.escalation.triggers import Trigger
from moslm.integrations.gate import Gate, Verdict, build_gate, settings_of_gate, told
from moslm.models.calls import Call, Steps, adrive, drive
from moslm.models.chat.accepted import AcceptedAnswer
from moslm.models.classifiers import Classifier
from moslm.models.leaving import Form, Veil, hidden_messages, leaving, restored_message
from moslm.models.paying import Account, bill_of, paying
from moslm.nodes.escalate import LargeModel

try:
    from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
except ImportError:
    raise MissingExtraError("MoSLMMiddleware", "hosted") from None

Response = ModelResponse[Any]
SILENT = "nostream"
"""LangGraph's tag for models whose tokens no stream shows."""
_FRAMING = 16
"""Tokens a chat template may put around each message."""
_READING_S = 60.0
"""When reading a request is given up, and when saying an answer again."""


class MoSLMMiddleware(AgentMiddleware[Any, Any]):
    """Keeps an agent on its own small model as long as that can be trusted.

    Before the model is called the request is judged: what is unfamiliar, spans domains, asks for advanced reasoning or
    cannot be read goes to the large model at once. Its words are then held against the threshold of their domain;
    calls of tools pass, and the words made from their results are judged. No token of a rejected draft is streamed.
    Once a turn has gone up it stays there until the next user message.

    Where nobody answers (no large model, its cap reached, its server down) the agent says that it has handed the
    request over, and why. What was decided stands in the message's ``response_metadata["moslm"]``; the audit log, the
    memory and fan-out are the graph's, and are not here.

    Args:
        large_model: The large model; by default that of the settings.
        config: A ``moslm.toml``, settings made in code, or None. Its domains, thresholds, triggers and large model
            hold; its domain models are not asked. Until the agent's model is calibrated its confidence is unknown and
            its words go up, unless ``[defaults] confidence`` names a raw signal.
        threshold: The confidence that words need; by default each domain's own.
        classifier: Takes the place of the configured classifier.
        signals: Further signals by name.
        triggers: Further reasons to escalate.
    """

    def __init__(
        self,
        large_model: BaseChatModel | None = None,
        *,
        config: str | Path | Config | None = None,
        threshold: float | None = None,
        classifier: Classifier | None = None,
        signals: Mapping[str, SignalFunction] | None = None,
        triggers: Sequence[Trigger] = (),
    ) -> None:
        super().__init__()
        self._large, self._settings, self._threshold = large_model, settings_of_gate(config), threshold
        self._own = {"classifier": classifier, "signals": signals or {}, "triggers": triggers}
        self._gates: list[tuple[BaseChatModel, Gate, BaseChatModel]] = []
        self._lock = threading.Lock()

    def wrap_model_call(self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], Response]) -> Response:
        """Answer one model call of the agent."""
        asking: Runnable[Any, Response] = RunnableLambda(handler, name="agent's model")
        return drive(_answered(*self._gate(request.model), request, asking), ensure_config())

    async def awrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], Awaitable[Response]]
    ) -> Response:
        """Answer one model call of the agent."""
        asking: Runnable[Any, Response] = RunnableLambda(handler, name="agent's model")
        gate, silent = await asyncio.to_thread(self._gate, request.model)
        return await adrive(_answered(gate, silent, request, asking), ensure_config())

    def _gate(self, model: BaseChatModel) -> tuple[Gate, BaseChatModel]:
        """Return the gate around a model, and the model with its tokens kept from every stream."""
        with self._lock:
            for known, gate, silent in self._gates:
                if known is model:
                    return gate, silent
            gate = build_gate(self._settings, model, self._large, self._threshold, **self._own)
            silent = model.model_copy(update={"tags": [*(model.tags or ()), SILENT]})
            self._gates.append((model, gate, silent))
            return gate, silent


def _answered(
    gate: Gate, silent: BaseChatModel, request: ModelRequest[Any], asking: Runnable[Any, Response]
) -> Steps[Response]:
    soon = time.monotonic() + _READING_S
    verdict: Verdict = yield Call(_beside(gate.of_request), request.messages, "the classifier", soon)
    if not verdict.kept or verdict.found is None or _went_up(request.messages):
        return (yield from _escalated(gate, verdict, request, asking, None))
    agent = gate.parts.agents[verdict.found.domain]
    draft: Response | BackendError
    try:
        asked = Call(asking, request.override(model=silent), gate.model, time.monotonic() + agent.deadline_s)
        leaves = _MODEL_REQUEST if agent.leaves else None
        draft = yield from leaving(_once(replace(asked, leaves=leaves)), gate.door(verdict.found, str(uuid.uuid4())))
    except BackendError as error:
        draft = error
    said = draft if isinstance(draft, BackendError) else _words(draft)
    if said is None:  # calls of tools, which carry no words to judge
        assert not isinstance(draft, BackendError)
        return draft
    verdict = gate.of_draft(said, verdict.found, request.messages)
    if isinstance(draft, BackendError) or not verdict.kept:
        return (yield from _escalated(gate, verdict, request, asking, gate.model))
    _mark(draft, told(verdict, gate.model, None))
    yield Call(_beside(_said_again), _words(draft), "the stream", time.monotonic() + _READING_S)
    return draft


def _escalated(
    gate: Gate, verdict: Verdict, request: ModelRequest[Any], asking: Runnable[Any, Response], rejected: str | None
) -> Steps[Response]:
    guard, large = gate.guard, gate.large
    if verdict.check.asks is not None:
        return _handed_over(verdict, "a person is to decide first, and nobody can be asked here", rejected)
    if guard is None or large is None:
        return _handed_over(verdict, "no large model is configured", rejected)
    settings = {**request.model_settings, "max_tokens": guard.till.max_tokens}
    asked = request.override(model=large, model_settings=settings)
    payer = Payer("default", None, None, str(uuid.uuid4()), verdict.found.domain if verdict.found else None)
    door = gate.door(verdict.found, payer.request)
    try:
        steps = leaving(_called(guard, asked, asking), door)
        response: Response = yield from paying(steps, Account(payer, payer.request))
    except BackendError as error:
        return _handed_over(verdict, str(error), rejected)
    _mark(response, {**told(verdict, guard.name, rejected), "escalated": True})
    return response


def _called(guard: LargeModel, request: ModelRequest[Any], asking: Runnable[Any, Response]) -> Steps[Response]:
    told = [*request.messages, *([request.system_message] if request.system_message else [])]
    tools = [each if isinstance(each, dict) else convert_to_openai_tool(each) for each in request.tools]
    # what runs the call is the agent's: it cannot be streamed from here, and its answer is not ours to keep
    till = replace(guard.till, streams=False)
    bill = replace(bill_of(till, told, len(json.dumps(tools, default=str).encode())), keeps=False)
    deadline = time.monotonic() + guard.deadline_s
    leaves = _MODEL_REQUEST if guard.leaves else None
    response: Response = yield Call(asking, request, guard.name, deadline, bill, leaves)
    return response


def _once(call: Call) -> Steps[Response]:
    response: Response = yield call
    return response


class _ModelRequests:
    """The form of an agent's model calls: a `ModelRequest` and a `ModelResponse`."""

    def hidden(self, input: Any, veil: Veil) -> Any:
        system = input.system_message
        prompt = hidden_messages([*([system] if system else []), *input.messages], veil)
        if system is None:
            return input.override(messages=prompt)
        return input.override(system_message=prompt[0], messages=prompt[1:])

    def prompt(self, input: Any) -> Sequence[BaseMessage]:
        return [*([input.system_message] if input.system_message else []), *input.messages]

    def restored(self, answer: Any, veil: Veil) -> Any:
        answer.result = [
            restored_message(each, veil) if isinstance(each, AIMessage) else each for each in answer.result
        ]
        return answer


_MODEL_REQUEST: Form = _ModelRequests()


def _handed_over(verdict: Verdict, why: str, rejected: str | None) -> Response:
    reasons = "; ".join(dict.fromkeys(reason.detail for reason in verdict.check.reasons))
    because = f": {reasons}" if reasons else ""
    text = f"I have handed this request over{because}. It has not been answered, because {why}."
    response: Response = ModelResponse(result=[AIMessage(text)])
    _mark(response, told(verdict, None, rejected))
    return response


def _words(response: Response) -> AIMessage | None:
    """Return the words of a response; None where it calls tools."""
    said = [each for each in response.result if isinstance(each, AIMessage)]
    return None if not said or said[-1].tool_calls else said[-1]


def _mark(response: Response, note: Mapping[str, Any]) -> None:
    for message in response.result:
        if isinstance(message, AIMessage):
            message.response_metadata = {**message.response_metadata, "moslm": dict(note)}


def _went_up(messages: Sequence[AnyMessage]) -> bool:
    """Tell whether the turn that is being answered has gone to the large model before."""
    last = max((i for i, each in enumerate(messages) if isinstance(each, HumanMessage)), default=0)
    notes = [each.response_metadata.get("moslm") for each in messages[last:] if isinstance(each, AIMessage)]
    return any(isinstance(note, Mapping) and note.get("escalated") for note in notes)


def _said_again(message: BaseMessage) -> None:
    # without its usage, which whoever counts tokens has heard already
    plain = message.model_copy(update={"usage_metadata": None, "response_metadata": {}})
    AcceptedAnswer(accepted=plain).invoke([HumanMessage("")])


def _beside(work: Callable[[Any], Any]) -> Runnable[Any, Any]:
    return RunnableLambda(work).with_config(tags=["langsmith:hidden"])
