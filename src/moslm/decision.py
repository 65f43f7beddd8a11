"""`Decision`: the one record of what was decided about a request, why, and at what price.

Made once per request. The state shows it, LangSmith tags come from it, the audit log keeps it, the evaluation scores it
and Studio draws it; nobody computes a second version. It carries measurements, thresholds and names, and never the text
of a request or an answer, but for the few words that asked for advanced reasoning: parts of the request are named by
their character offsets.

This module knows the shape of the record alone: not how anything in it is measured.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Action = Literal["answer", "fan_out", "escalate", "review", "refuse"]
"""What a check may order: one small model, several, the large model, a person, or no answer at all."""

Outcome = Literal["answered", "recalled", "escalated", "handed_over", "refused"]
"""How a request ended: by small models, from memory, by the large model, with a person, or turned away."""


class Record(BaseModel):
    """Base of the parts of a Decision: frozen, closed to unknown keys, plain JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Span(Record):
    """One part of the request and what it is about."""

    start: int = Field(ge=0)
    """Offset of its first character in the last user message."""
    end: int = Field(ge=0)
    """Offset after its last character."""
    domain: str
    """The domain it is about."""
    probability: float = Field(ge=0, le=1)
    """Probability of that domain for this part alone."""


class Classification(Record):
    """What Layer 1 measured about the request."""

    classifier: str
    """Name and version of the classifier that measured it."""
    domain: str
    """Most probable domain of the whole request."""
    probabilities: dict[str, float]
    """Probability of each domain; sums to 1."""
    domains: list[str]
    """The label set: every domain that some part of the request is surely about, in reading order; the most probable
    one alone where the parts agree."""
    spread: Literal["one", "few", "too_many"] = "one"
    """Size of the label set: ``few`` can be shared out to their models, ``too_many`` cannot."""
    several_p: float | None = Field(default=None, ge=0, le=1)
    """Conformal p-value of "this request is about one domain"; small means several. None when there is no yardstick."""
    spans: list[Span] = []
    """The parts, in reading order. Empty when the request is one part."""
    novelty_p: float | None = Field(default=None, ge=0, le=1)
    """Conformal p-value of "this request is like those the classifier was fitted on"; small means unfamiliar.
    None when the classifier cannot tell."""
    asked_for: str | None = None
    """The words that asked for advanced reasoning, if any did; what the request is about is left out of them."""
    continued: bool = False
    """Whether the domain was settled by the earlier turns because the last message alone does not say it."""
    mood: dict[str, float] | None = None
    """How surely whoever asks reads as ``upset`` and as ``vulnerable``, between 0 and 1; None where no domain of the
    request has a person asked about it."""


class Signal(Record):
    """One number that speaks for or against a draft."""

    name: str
    value: float | None = Field(default=None, ge=0, le=1)
    """Between 0 (no trust) and 1; None when it cannot be measured."""
    why: str = ""
    """How the number came about, or why there is none."""


class Reason(Record):
    """One trigger that fired."""

    trigger: str
    """Name of the trigger: ``several_domains``, ``low_confidence`` ..."""
    detail: str
    """One sentence: what was measured against what."""
    measured: float | None = None
    threshold: float | None = None
    part: str | None = None
    """Key of the draft it is about; None when it is about the request."""


class Check(Record):
    """One verdict: what was considered and what was ordered."""

    stage: Literal["request", "draft"]
    action: Action
    considered: list[str]
    """Names of the triggers that were asked."""
    reasons: list[Reason]
    """Those that fired, the deciding one first."""
    asks: Literal["writes", "escalation", "draft", "customer"] | None = None
    """What a person is asked about, where ``action`` is ``review``: writes that a model wants, the price of going up, a
    doubtful draft in a domain of high risk, or a customer who is upset or vulnerable."""
    then: Literal["answer", "fan_out", "escalate"] | None = None
    """What follows when that person approves."""


class Usage(Record):
    """Tokens and money of the calls to one model."""

    model: str
    role: Literal["small", "large", "classifier"]
    calls: int = Field(default=1, ge=0)
    input_tokens: int = Field(default=0, ge=0)
    output_tokens: int = Field(default=0, ge=0)
    cost_usd: float = Field(default=0.0, ge=0)
    known: bool = True
    """False when the server reported no usage; the counts are then estimates from the text."""


class ToolUse(Record):
    """One tool call of a domain's model."""

    name: str
    effect: Literal["read", "write"]
    outcome: Literal["done", "failed", "unknown", "rejected", "answered"]
    """``unknown``: given up at the deadline, so a write may stand all the same. ``rejected`` and ``answered`` are a
    person's decisions; ``answered`` means the person gave the result."""
    empty: bool = False
    """Whether a lookup that was done found nothing."""
    approved_by: str | None = None
    """Who allowed a write: a role, or ``person``."""
    ms: float = Field(default=0.0, ge=0)


class CalibrationUse(Record):
    """What stood behind a draft's confidence."""

    state: Literal["in_force", "missing", "stale", "drifted", "foreign", "incomplete", "uncalibrated"]
    """``in_force``: the confidence is a calibrated probability of being right. ``missing``: there is no calibration;
    ``stale``: it has expired, or the model or the signals have changed since; ``drifted``: what is served no longer
    looks like the answers it was fitted on; ``foreign``: it is of another model, or never saw this domain;
    ``incomplete``: this draft lacks signals it needs. In these five the confidence is unknown.
    ``uncalibrated``: the settings chose a raw signal instead."""
    version: str | None = None
    """Version of the calibration; None where there is none."""
    why: str = ""


class ReplicaUse(Record):
    """Who of a model's servers took one call, and what the attempts before met."""

    replica: int | None = None
    """Place of the server that answered among the configured addresses, from 1; None when none did."""
    of: int = Field(ge=1)
    """How many servers the model has."""
    attempts: int = Field(ge=0)
    """Servers that were asked; 0 when none could be."""
    why: str = ""
    """Why this server was chosen, such as ``least work before it``."""
    met: list[str] = []
    """What each attempt in vain met, in order."""


class Stopped(Record):
    """Where a draft was stopped while it was being written, and by which rule."""

    rule: Literal["declined", "out_of_reach", "running_low"]
    """``declined``: it began by saying that it does not know. ``out_of_reach``: no way to go on could have brought its
    confidence to the threshold. ``running_low``: its running confidence was lower than that of nearly every labelled
    draft that reached the threshold in the end."""
    token: int = Field(ge=0)
    """Tokens it had by then."""
    at_most: int | None = None
    """Tokens it could have had; None where the model states no limit."""
    confidence: float | None = Field(default=None, ge=0, le=1)
    """``out_of_reach``: the most it could still have reached. ``running_low``: its running confidence."""
    least: float | None = Field(default=None, ge=0, le=1)
    """What that was held against."""


class DraftRecord(Record):
    """What one domain's model produced for one part of the request."""

    part: str
    domain: str
    model: str
    confidence: float | None = None
    """None means unknown, which counts as low."""
    calibration: CalibrationUse | None = None
    """None when no confidence was measured: the model failed, the draft was stopped early, or a person has to allow a
    write first."""
    threshold: float = Field(ge=0, le=1)
    accepted: bool
    declined: bool = False
    """Whether it says that it does not know, and so goes up whatever its confidence."""
    stopped: Stopped | None = None
    """Set where it was stopped before it was finished, because it had to go up however it ended."""
    signals: list[Signal] = []
    tools: list[ToolUse] = []
    passages: list[str] = []
    """Names of the handbook passages put before the model."""
    error: str | None = None
    """Kind of backend failure (``down``, ``busy``, ``timeout``, ``garbled``, ``failed``); None when it answered."""
    replicas: list[ReplicaUse] = []
    """Of each call to the model, in order: which server took it. Empty for models that have no servers to choose
    from."""


class Latency(Record):
    """One latency budget and what was used of it."""

    what: str
    """A domain's name, or ``large_model``."""
    budget_ms: float
    measured_ms: float
    kept: bool


class Step(Record):
    """One step of the graph and how long it took."""

    name: str
    ms: float


class Review(Record):
    """What a person was asked and said."""

    what: str
    """Name of the action that was shown."""
    decision: Literal["approve", "edit", "reject", "respond", "expired"]
    """``expired``: it was decided too late, and the decision was not carried out."""
    by: str | None = None
    """Who decided: the server's authenticated user, else the user of the context or of the decision; None where
    neither says."""
    role: str | None = None
    """The role they decided in; None where nothing names one, as in a graph that is embedded."""
    asked_at: str | None = None
    """When the question was first shown, UTC."""
    decided_at: str | None = None
    """When the decision came, UTC."""
    why: str | None = None
    """The reason they gave."""
    shown_sha256: str | None = None
    """Hash of what they were shown: the decision holds for this and nothing else."""


class CapUse(Record):
    """How one cap stood when a call was held against it."""

    cap: str
    """Its name, or what it says."""
    per: Literal["system", "tenant", "user", "conversation", "request", "domain", "model"]
    every: Literal["minute", "day", "month", "ever"]
    unit: Literal["usd", "tokens", "calls", "share"]
    """What it counts; the numbers of a ``share`` are calls."""
    limit: float = Field(ge=0)
    taken: float
    """Spent and set aside before this call."""
    left: float = Field(ge=0)
    """What was left before it."""
    frees_at: str | None = None
    """When it has room again, UTC; None where it never has."""
    reached: bool = False
    """Whether it stood in the way."""


class Budget(Record):
    """How the caps stood when a paid model was to be called."""

    caps: list[CapUse] = []
    at_cap: Literal["hand_over", "answer_locally", "wait", "ask", "refuse"] | None = None
    """What was done where one stood in the way; None where none did."""
    why: str | None = None
    """Which one, and when there is room again, as the user was told."""
    waited_ms: float = Field(default=0.0, ge=0)
    """How long it was waited for room."""


class EgressUse(Record):
    """One call that was to leave the premises."""

    model: str
    ruling: Literal["any", "redacted", "local_only"]
    """``any``: it left as it was; ``redacted``: with personal data behind placeholders; ``local_only``: it stayed."""
    rule: str
    """The rule that says so, in words; ``default`` where none matched."""
    hidden: int = Field(default=0, ge=0)
    """Placeholders in what was sent."""


class Recalled(Record):
    """Which remembered answer was given."""

    decision: str
    """Id of the Decision of the request that it was first given to."""
    how: Literal["exact", "semantic"]
    """``exact``: the same conversation. ``semantic``: the same request in other filler."""
    similarity: float = Field(ge=0, le=1)
    """Cosine between the two requests; 1 for the same."""


class Cost(Record):
    """Money, in US dollars."""

    spent_usd: float = Field(ge=0)
    """What the models that ran cost, by the price table."""
    baseline_usd: float = Field(ge=0)
    """What the same tokens would have cost on ``baseline_model`` ("large model for everything")."""
    baseline_model: str
    saved_usd: float
    """Baseline less spent."""
    recalled_usd: float = Field(default=0.0, ge=0)
    """What answering had cost the first time, where the answer was remembered: saved by memory, and no part of
    ``saved_usd``."""


class Decision(Record):
    """The closed record of one request."""

    schema_version: Literal[1] = 1
    id: str
    opened_at: str
    """UTC, ISO 8601 with milliseconds."""
    closed_at: str
    tenant: str
    user: str | None = None
    role: str
    thread_id: str | None = None
    config_sha256: str
    """Hash of the configuration in force; every request is judged by exactly one."""
    request_sha256: str
    """Hash of the last user message."""
    request_chars: int
    turns: int
    """User messages in the conversation, this one included."""

    outcome: Outcome
    action: Action
    """The last order given: what the outcome carries out."""
    domain: str | None = None
    answered_by: str | None = None
    """Name of the model (or ``person``, ``memory``) whose words the user saw; None if nobody's."""
    recalled: Recalled | None = None
    """Which remembered answer was given; None where the request was answered anew."""
    classification: Classification | None = None
    checks: list[Check] = []
    reasons: list[Reason] = []
    """Every trigger that fired, in order."""
    confidence: float | None = None
    """Lowest confidence among the drafts; None when unknown or when no draft was made."""
    calibration: CalibrationUse | None = None
    """What stood behind that confidence; None when no draft was measured."""
    threshold: float
    """The confidence threshold it was held against."""
    thresholds: dict[str, float] = {}
    """Every other threshold in force, by name."""
    drafts: list[DraftRecord] = []
    reviews: list[Review] = []
    usage: list[Usage] = []
    cost: Cost
    budget: Budget | None = None
    """How the caps stood when the large model was to be called; None where it was not."""
    egress: list[EgressUse] = []
    """Every call that was to leave the premises, in order."""
    latency: list[Latency] = []
    steps: list[Step] = []
    total_ms: float
    first_token_ms: float | None = Field(default=None, ge=0)
    """Milliseconds from the opening of the request to the first accepted words. Words that were streamed while they
    were written, and stood: when the first of them came. All others: when the record was closed, because they follow
    as soon as it is on disk. None where nobody's words answered."""
    calls: list[str] = []
    """Names of the caller's own tools that were called instead of answering: the caller runs them and asks again."""
    refusal: str | None = None
    """Why the request was turned away or nobody could answer it, as the user was told."""

    def plain(self) -> dict[str, Any]:
        """Return the record as plain JSON values."""
        return self.model_dump(mode="json")
