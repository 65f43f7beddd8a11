"""What one request carries through the graph.

Everything here is plain JSON (strings, numbers, lists, dicts) beside the messages, so that any checkpointer can keep it
under strict msgpack. Only `MoSLMOutput` crosses to a parent graph: ``messages`` (deduplicated by id) and ``decision``;
the other keys are the request's own and are reset by the first step, because a checkpointed thread sees many requests.

This module knows nothing of the steps that fill it.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from langchain_core.messages import AnyMessage
from langgraph.graph.message import add_messages

# before Python 3.12 pydantic reads no other TypedDict, and the LangGraph server shows the schema it makes of it
from typing_extensions import TypedDict

from moslm.turn import Turn as Turn

RESET = "__reset__"
"""Key that empties a merged channel: ``{RESET: ...}`` drops what stood there before."""


class Request(TypedDict):
    """The opened request: who asks what, when, under which settings."""

    id: str
    opened_at: str
    started: float
    """`time.time()` when it was opened: survives a restart, unlike a monotonic clock."""
    tenant: str
    user: str | None
    role: str
    thread_id: str | None
    key: NotRequired[str]
    """Names the request among all of its tenant, for whoever must not pay twice: the caller's idempotency key, or its
    place in its thread; a run that is resumed, retried or forked keeps it."""
    text: str
    """The last user message as the steps see it: control characters gone, unicode normalised."""
    turns: list[tuple[str, str]]
    """The conversation as (role, text), this message last."""
    threshold: float | None
    """The caller's own confidence threshold, if given."""
    multi_domain: str
    """``escalate`` or ``fan_out``, whichever is in force for this caller."""
    may_escalate: bool
    sensitivity: NotRequired[Literal["public", "internal", "confidential", "restricted"]]
    region: NotRequired[str | None]
    remember: NotRequired[bool]
    """Whether an earlier answer may be given again, and this one remembered."""
    fresh: NotRequired[bool]
    """Whether an earlier answer, remembered or paid, must not be given again."""
    instructions: NotRequired[str]
    """What the caller adds to the system prompt."""
    tools: NotRequired[list[dict[str, Any]]]
    """The caller's own tools, in OpenAI's form; the caller runs them."""
    tool_choice: NotRequired[str | None]
    rounds: NotRequired[list[dict[str, Any]]]
    """The calls of the caller's tools since the last user message, with their results, in LangChain's dict form."""


class Call(TypedDict):
    """A call of one of the caller's tools."""

    id: str
    name: str
    args: dict[str, Any]


class Task(TypedDict):
    """What one domain's model is asked: the input of one `answer` step."""

    part: str
    """Key of the draft: ``0``, ``1`` ... in reading order."""
    domain: str
    text: str
    """The part of the request this domain is to answer."""


class ToolRequest(TypedDict):
    """A write that a model wants and a person must allow."""

    id: str
    name: str
    args: dict[str, Any]
    decision: NotRequired[dict[str, Any]]
    """The person's answer (approve, edit, reject, respond), once given."""


class Opinion(TypedDict):
    """What was said when a costly signal was asked for: by a second sample, another model, or the model of itself."""

    model: str
    text: NotRequired[str]
    """The second answer."""
    yes: NotRequired[float | None]
    """Probability of "yes" to "is this answer right?"; None when the server listed neither word."""
    error: NotRequired[str]
    """Safe sentence about why there is none."""


class Draft(TypedDict):
    """What a domain's model has produced so far for one task."""

    task: Task
    model: str
    text: str
    logprobs: NotRequired[list[list[float]] | None]
    """Per answer token: its own log-probability (nats), then those of the most probable alternatives, descending.
    None when the server sent none."""
    transcript: NotRequired[list[dict[str, Any]]]
    """The messages between model and tools so far, in LangChain's dict form; kept while a write waits."""
    pending: NotRequired[list[ToolRequest]]
    """Writes that wait for a person; empty when the draft is complete."""
    tools: NotRequired[list[dict[str, Any]]]
    """`moslm.decision.ToolUse` records."""
    passages: NotRequired[list[str]]
    """Names of the handbook passages put before the model."""
    evidence: NotRequired[list[str]]
    """Texts the model was given to answer from: passages, then what its tools returned."""
    calls: NotRequired[list[Call]]
    """The caller's tools that the model calls instead of answering."""
    shown: NotRequired[list[str]]
    """Ids of the messages that were streamed while they were written; the last one is the draft's own. Empty where
    drafts are silent."""
    first_token_ms: NotRequired[float | None]
    """Milliseconds from the opening of the request to the first words of the last of them; None where nobody heard
    them while they were written."""
    cut_off: NotRequired[bool]
    """Whether the answer ended because it reached its longest length."""
    stopped: NotRequired[dict[str, Any] | None]
    """`moslm.decision.Stopped`, where the draft was stopped while it was being written."""
    classification: NotRequired[dict[str, Any] | None]
    """`moslm.decision.Classification` of the request, for the signals that read it."""
    opinions: NotRequired[dict[str, Opinion]]
    """By costly signal: what was said when it was asked for. A signal that was not asked for is absent."""
    usage: NotRequired[list[dict[str, Any]]]
    """`moslm.decision.Usage` records."""
    error: NotRequired[dict[str, str] | None]
    """``{"kind", "message"}`` of a backend failure."""
    egress: NotRequired[list[dict[str, Any]]]
    """`moslm.decision.EgressUse` records."""
    replicas: NotRequired[list[dict[str, Any]]]
    """`moslm.decision.ReplicaUse` records."""
    ms: NotRequired[float]
    """Time the models and tools of this draft took, waits for a person left out."""


class Reply(TypedDict):
    """The words the user is to see, and whose they are."""

    text: str
    outcome: str
    answered_by: str | None
    domain: NotRequired[str | None]
    """The domain of a remembered answer, which was not classified again."""
    recalled: NotRequired[dict[str, Any]]
    """`moslm.decision.Recalled` of a remembered answer, and ``cost_usd``: what it had cost."""
    usage: NotRequired[list[dict[str, Any]]]
    egress: NotRequired[list[dict[str, Any]]]
    """`moslm.decision.EgressUse` records."""
    ms: NotRequired[float]
    refusal: NotRequired[str | None]
    calls: NotRequired[list[Call]]
    """The caller's tools that are called instead of an answer."""
    shown: NotRequired[str | None]
    """Id under which these words have been streamed already."""
    first_token_ms: NotRequired[float | None]
    """Milliseconds from the opening of the request to the first of those streamed words."""


def merge_by_key(left: dict[str, Any] | None, right: dict[str, Any] | None) -> dict[str, Any]:
    """Merge parallel updates by key; a right side that holds `RESET` starts afresh."""
    right = right or {}
    if RESET in right:
        return {key: value for key, value in right.items() if key != RESET}
    return {**(left or {}), **right}


def extend(left: list[Any] | None, right: list[Any] | None) -> list[Any]:
    """Append parallel updates; a right side that begins with `RESET` starts afresh."""
    right = right or []
    if right and right[0] == RESET:
        return right[1:]
    return [*(left or []), *right]


class MoSLMInput(TypedDict):
    """What a caller or a parent graph hands in."""

    messages: Annotated[list[AnyMessage], add_messages]


class MoSLMOutput(TypedDict):
    """What crosses back: one new AI message, and the record of how it came about."""

    messages: Annotated[list[AnyMessage], add_messages]
    decision: dict[str, Any] | None
    """`moslm.decision.Decision` as plain JSON."""


class MoSLMState(MoSLMOutput):
    """Everything the steps of one request share."""

    request: NotRequired[Request]
    classification: NotRequired[dict[str, Any] | None]
    """`moslm.decision.Classification`."""
    unread: NotRequired[str | None]
    """Why there is no classification: the classifier's backend failed."""
    checks: NotRequired[Annotated[list[dict[str, Any]], extend]]
    """`moslm.decision.Check` records, in order; the last one is the verdict in force."""
    drafts: NotRequired[Annotated[dict[str, Draft], merge_by_key]]
    reviews: NotRequired[Annotated[list[dict[str, Any]], extend]]
    """`moslm.decision.Review` records."""
    measured: NotRequired[Annotated[dict[str, Any], merge_by_key]]
    """Per draft key: the signals, confidence and threshold that `check_draft` measured."""
    reply: NotRequired[Reply | None]
    budget: NotRequired[dict[str, Any] | None]
    """`moslm.decision.Budget`: how the caps stood when the large model was to be called, and what was done at a cap."""
    steps: NotRequired[Annotated[list[dict[str, Any]], extend]]
    """`moslm.decision.Step` records."""


class AnswerInput(TypedDict):
    """Private input of one `answer` step: several may run side by side."""

    task: Task
    request: Request
    classification: NotRequired[dict[str, Any] | None]
    """`moslm.decision.Classification`."""
    draft: NotRequired[Draft | None]
    """The unfinished draft, when a person has decided about its writes."""
    finish: NotRequired[bool]
    """Whether the draft is to be finished whatever it is worth, because nobody else can answer."""
