"""Calls that leave the premises: the one door, and what it checks.

A model outside is kept behind `Outside`, which lets no call through but those that `leaving` is making at that moment.
`leaving` runs a step's calls and holds each one that leaves against the boundary: kept in, let out behind placeholders,
or let out as it is. Placeholders are put back into the answer before anybody sees it. What cannot be checked stays in.

Knows the boundary; not how personal data is found, and not what becomes of a request that must stay.
"""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.runnables import Runnable, RunnableConfig

from moslm.config import MayLeave
from moslm.errors import EgressRefused, MoSLMError
from moslm.models.calls import Aside, Call, Steps, through
from moslm.models.paying import bill_of
from moslm.privacy.boundary import Boundary, Labels

_LOG = logging.getLogger("moslm.privacy")
_AT_THE_DOOR: ContextVar[bool] = ContextVar("moslm_at_the_door", default=False)
_PLACEHOLDER = re.compile(r"<[A-Z][A-Z0-9_]*_\d+>")
T = TypeVar("T")


class Veil(Protocol):
    """Hides and restores for one conversation; one value has one placeholder in it."""

    def hide_all(self, texts: Sequence[str]) -> list[str]:
        """Return texts with placeholders where personal data stood.

        Raises:
            MoSLMError: Nobody knows what the texts hold; nothing may be sent.
        """

    def hide_value(self, value: Any) -> Any:
        """Hide in every text of nested dicts and lists; raises as `hide_all` does."""

    def restore(self, text: str) -> str:
        """Return a text with what its placeholders stand for."""

    def restore_value(self, value: Any) -> Any:
        """Restore in every text of nested dicts and lists."""


class Form(Protocol):
    """How the prompt of a call is hidden and its answer restored."""

    def hidden(self, input: Any, veil: Veil) -> Any:
        """Return the input with personal data hidden."""

    def prompt(self, input: Any) -> Sequence[BaseMessage]:
        """Return the messages of an input."""

    def restored(self, answer: Any, veil: Veil) -> Any:
        """Return the answer with placeholders put back."""


VeilOf = Callable[[str, str], Veil]
"""(tenant, conversation) -> who hides for it."""


@dataclass(frozen=True, slots=True)
class Crossing:
    """One call that was to leave.

    Attributes:
        model: Who was to be asked.
        may_leave: ``any``, ``redacted`` or ``local_only``.
        rule: The rule that says so, in words.
        hidden: How many placeholders stood in what was sent.
    """

    model: str
    may_leave: MayLeave
    rule: str
    hidden: int = 0


@dataclass(slots=True)
class Door:
    """What one step's calls are held against.

    Attributes:
        boundary: The rules.
        labels: What the request is labelled with.
        conversation: Whose placeholders are used: the thread, or the request outside of one.
        veil_of: Who hides.
        crossings: Every call that was to leave, in order.
    """

    boundary: Boundary
    labels: Labels
    conversation: str
    veil_of: VeilOf
    crossings: list[Crossing] = field(default_factory=list)


class Outside(Runnable[Any, Any]):
    """A model off the premises; refuses every call that does not come through `leaving`.

    Args:
        model: The model, as it is asked.
        name: Its name.
    """

    def __init__(self, model: Runnable[Any, Any], name: str) -> None:
        self._model, self.name = model, name

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Ask the model."""
        self._check()
        return self._model.invoke(input, config, **kwargs)

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Ask the model on the event loop."""
        self._check()
        return await self._model.ainvoke(input, config, **kwargs)

    def stream(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any | None) -> Iterator[Any]:
        """Ask the model and stream its answer."""
        self._check()
        yield from self._model.stream(input, config, **kwargs)

    async def astream(
        self, input: Any, config: RunnableConfig | None = None, **kwargs: Any | None
    ) -> AsyncIterator[Any]:
        """Ask the model and stream its answer on the event loop."""
        self._check()
        async for piece in self._model.astream(input, config, **kwargs):
            yield piece

    def _check(self) -> None:
        if not _AT_THE_DOOR.get():
            raise EgressRefused(self.name or "model", "a call was to leave the premises past the boundary")


def leaving(steps: Steps[T], door: Door) -> Steps[T]:
    """Run a step, and hold each of its calls that leaves against the boundary.

    Raises:
        EgressRefused: Into the step, where a call must stay.
    """
    return (yield from through(steps, lambda call: _made(call, door)))


def _made(call: Call | Aside, door: Door) -> Generator[Call | Aside, Any, Any]:
    if isinstance(call, Aside) or call.leaves is None:
        return (yield call)
    return (yield from _held(call, call.leaves, door))


def _held(call: Call, form: Form, door: Door) -> Generator[Call | Aside, Any, Any]:
    ruling = door.boundary.ruling(door.labels)
    if ruling.may_leave == "local_only":
        door.crossings.append(Crossing(call.backend, ruling.may_leave, ruling.why))
        raise EgressRefused(call.backend, f"it must not leave the premises ({ruling.why})")
    if ruling.may_leave == "any":
        door.crossings.append(Crossing(call.backend, ruling.may_leave, ruling.why))
        return (yield from _through(call))
    veil = door.veil_of(door.labels.tenant, door.conversation)
    hidden = yield _aside(call, lambda: form.hidden(call.input, veil))
    prompt = form.prompt(hidden)
    count = sum(len(_PLACEHOLDER.findall(each.text)) for each in prompt)
    door.crossings.append(Crossing(call.backend, ruling.may_leave, ruling.why, count))
    # placeholders may be longer than what they stand for: the bill is made out anew
    bill = replace(bill_of(call.bill.till, prompt, call.bill.carried), keeps=call.bill.keeps) if call.bill else None
    answer = yield from _through(replace(call, input=hidden, bill=bill))
    return (yield _aside(call, lambda: form.restored(answer, veil)))


def _through(call: Call) -> Generator[Call | Aside, Any, Any]:
    """Make a call with the door open; it closes before the step goes on."""
    _AT_THE_DOOR.set(True)
    try:
        return (yield call)
    finally:
        # not by a token: a generator that is thrown away may end in another context
        _AT_THE_DOOR.set(False)


def _aside(call: Call, work: Callable[[], Any]) -> Aside:
    """Return the call that hides or restores; where that fails nothing leaves, or nothing is shown."""

    def checked() -> Any:
        try:
            return work()
        except MoSLMError as error:
            _LOG.error("%s", error)
            raise EgressRefused(call.backend, "what it holds could not be checked, so it stays inside") from error

    return Aside(checked)


class _Messages:
    """A prompt of messages, and one message for an answer."""

    def hidden(self, input: Any, veil: Veil) -> Any:
        return hidden_messages(input, veil)

    def prompt(self, input: Any) -> Sequence[BaseMessage]:
        found: Sequence[BaseMessage] = input
        return found

    def restored(self, answer: Any, veil: Veil) -> Any:
        return restored_message(answer, veil) if isinstance(answer, AIMessage) else answer


MESSAGES: Form = _Messages()
"""The form of a chat model's calls."""


def hidden_messages(messages: Sequence[BaseMessage], veil: Veil) -> list[BaseMessage]:
    """Return messages with personal data hidden in their texts and in the arguments of their tool calls.

    What a provider's library keeps beside them (``additional_kwargs``, names, ids of responses) does not go along.
    """
    texts = veil.hide_all([message.text for message in messages])
    return [_hidden(message, text, veil) for message, text in zip(messages, texts, strict=True)]


def restored_message(message: AIMessage, veil: Veil) -> AIMessage:
    """Return an answer with its placeholders put back, in its text and in the arguments of its tool calls."""
    calls = [{**call, "args": veil.restore_value(call["args"])} for call in message.tool_calls]
    content = veil.restore(message.content) if isinstance(message.content, str) else veil.restore_value(message.content)
    return message.model_copy(update={"content": content, "tool_calls": calls})


def _hidden(message: BaseMessage, text: str, veil: Veil) -> BaseMessage:
    if isinstance(message, AIMessage):
        calls = [{**call, "args": veil.hide_value(call["args"])} for call in message.tool_calls]
        return AIMessage(text, tool_calls=calls)
    if isinstance(message, ToolMessage):
        return ToolMessage(text, tool_call_id=message.tool_call_id, name=message.name, status=message.status)
    return type(message)(text)
