"""What real traffic says about a case: requests, how they ended, tokens and money, how busy the models were.

Reads closed Decisions and the ledger's sum; knows neither where they are kept nor who asks. Where a record does not
support a figure it is refused, never guessed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from moslm.budgets.money import dollars
from moslm.budgets.ownership.case import Case, why_not
from moslm.budgets.ownership.monthly import HOURS
from moslm.budgets.stores import Total
from moslm.decision import Decision, Usage
from moslm.errors import ConfigError

LEAST = 200
"""Requests from which on a month is scaled."""
_SHORTEST = timedelta(days=1)
"""A window that holds less than the times of one day says nothing about a month."""
Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class ModelUse:
    """What one model did in the window.

    Attributes:
        model: Its name.
        role: Small, large or classifier.
        calls: Calls.
        input_tokens: Tokens it read.
        output_tokens: Tokens it wrote.
        usd: What that cost.
        estimated: Share of the calls whose tokens the server did not count.
        busy: Share of the window in which at least one of its answers was being written; None for a model that
            drafted nothing.
        writing: Answers it was writing at any time, on average; None likewise.
    """

    model: str
    role: str
    calls: int
    input_tokens: int
    output_tokens: int
    usd: float
    estimated: float
    busy: float | None
    writing: float | None


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the record holds of a window.

    Attributes:
        begins: Begin of the window, or the first decision where the record begins later.
        ends: Its end.
        outcomes: Requests by how they ended.
        failed: Requests in which a model failed.
        models: What each model did.
        anew: Requests that models answered, so that the baseline prices them.
        baseline_model: What "one large model for everything" is priced on.
        baseline_usd: What those requests would have cost on it.
        large_usd: What the large model cost in requests that it answered.
        lost_usd: What it cost in all others: paid for nobody's words.
        unrecorded: Money the ledger booked beyond all decisions ever made, as a share of theirs: calls that were paid
            and ended in no answer. None where the ledger holds less than the decisions, and so says nothing.
    """

    begins: datetime
    ends: datetime
    outcomes: Mapping[str, int]
    failed: int
    models: tuple[ModelUse, ...]
    anew: int
    baseline_model: str
    baseline_usd: float
    large_usd: float
    lost_usd: float
    unrecorded: float | None

    @property
    def requests(self) -> int:
        """Requests in the window."""
        return sum(self.outcomes.values())

    @property
    def hours(self) -> float:
        """Length of the window."""
        return (self.ends - self.begins).total_seconds() / 3600

    def share(self, outcome: str) -> float:
        """Return which share of the requests ended so."""
        return self.outcomes.get(outcome, 0) / self.requests if self.requests else 0.0


def recorded(
    decisions: Sequence[Decision], since: datetime | None, until: datetime, *, ledger: Total | None, ever_usd: float
) -> Recorded:
    """Return what decisions say.

    Args:
        decisions: Those closed in the window.
        since: Its begin; None begins with the first of them.
        until: Its end.
        ledger: What all purchases ever came to; None where there is no ledger.
        ever_usd: What all decisions ever made cost.
    """
    opened = [datetime.fromisoformat(each.opened_at) for each in decisions]
    begins = max(filter(None, [since, min(opened, default=until)]))
    priced = [each for each in decisions if each.outcome in ("answered", "escalated") and each.cost.baseline_usd > 0]
    large: dict[bool, float] = {True: 0.0, False: 0.0}
    for each in decisions:
        large[each.outcome == "escalated"] += sum(use.cost_usd for use in each.usage if use.role == "large")
    return Recorded(
        begins=begins,
        ends=until,
        outcomes=Counter(each.outcome for each in decisions),
        failed=sum(any(draft.error for draft in each.drafts) for each in decisions),
        models=_models(decisions, (until - begins).total_seconds()),
        anew=len(priced),
        baseline_model=decisions[-1].cost.baseline_model if decisions else "",
        baseline_usd=sum(each.cost.baseline_usd for each in priced),
        large_usd=large[True],
        lost_usd=large[False],
        unrecorded=_unrecorded(ledger, ever_usd),
    )


def case_of(
    record: Recorded, base: Case, owned: Collection[str], *, rate: float = 1.0, least: int = LEAST
) -> tuple[Case, list[str]]:
    """Return a case with the traffic and prices of a record, scaled to a month, and what a reader must know.

    Args:
        record: What real traffic says.
        base: Everything else: hardware, operating costs, people.
        owned: Models that are priced by the hour of one's own GPUs: their cost is the hardware's, not counted twice.
        rate: What one US dollar, in which records are kept, is worth in the currency of the case.
        least: Requests from which on a month is scaled.

    Raises:
        ConfigError: The record does not support it: too few requests, too short a window, or no prices.
    """
    _check_support(record, least)
    requests, notes = record.requests, [_where(record)]
    escalated, answered = record.outcomes.get("escalated", 0), record.outcomes.get("answered", 0)
    small = sum(each.usd for each in record.models if each.role == "small" and each.model not in owned)
    classifier = sum(each.usd for each in record.models if each.role == "classifier")
    classified = requests - record.outcomes.get("recalled", 0) - record.outcomes.get("refused", 0)
    if escalated and record.large_usd == 0:
        notes.append("The large model has no price in the record: what it answered counts as free.")
    if not escalated:
        notes.append("Nothing was escalated: an escalated request is taken to cost what one of the single model does.")
    if skipped := [each.model for each in record.models if each.role == "small" and each.model in owned]:
        notes.append(f"What {', '.join(skipped)} cost by GPU-hour is within the hardware, and not counted twice.")
    retried, told = _retried(record)
    case = replace(
        base,
        requests=requests * HOURS / record.hours,
        escalated=record.share("escalated"),
        remembered=record.share("recalled"),
        handed_over=record.share("handed_over"),
        refused=record.share("refused"),
        retried=retried,
        single_per_request=rate * record.baseline_usd / record.anew,
        large_per_request=rate * record.large_usd / escalated if escalated else None,
        local_per_request=rate * small / answered if answered else 0.0,
        classifier_per_thousand=1000 * rate * classifier / classified if classified else 0.0,
    )
    case, busy = _with_capacity(case, record)
    if wrong := why_not(case):
        raise ConfigError(f"the record gives no case: {wrong[1]}", key=wrong[0])
    return case, [*notes, *told, *busy]


def _check_support(record: Recorded, least: int) -> None:
    span = f"{record.begins:%Y-%m-%d %H:%M} to {record.ends:%Y-%m-%d %H:%M} UTC"
    if record.requests < least:
        raise ConfigError(
            f"the record holds {record.requests:,} requests from {span}, and a month is scaled from {least:,} or more",
            mend="name a longer window (--since 30d) or a lower --least",
        )
    if record.ends - record.begins < _SHORTEST:
        raise ConfigError(
            f"the record spans {record.hours:.1f} hours ({span}), less than the times of one day",
            mend="name a longer window (--since 7d), or wait",
        )
    if record.baseline_usd <= 0:
        raise ConfigError(
            f"the record prices no answer on {record.baseline_model or 'a baseline model'}",
            key="baseline_model",
            mend="name a hosted model there, or its price under [prices]; what is answered from then on counts",
        )


def _where(record: Recorded) -> str:
    days = record.hours / 24
    return (
        f"From {record.requests:,} requests of {days:,.1f} days ({record.begins:%Y-%m-%d} to {record.ends:%Y-%m-%d}),"
        f" scaled to a month; the single model is {record.baseline_model}, asked the final answer's tokens once."
    )


def _retried(record: Recorded) -> tuple[float, list[str]]:
    paid = record.large_usd
    lost = record.lost_usd / paid if paid > 0 else 0.0
    if record.unrecorded is None:
        return min(lost, 1.0), [
            "The ledger holds less than the decisions: what failed calls cost is not taken from it."
        ]
    return min(lost + record.unrecorded, 1.0), []


def _with_capacity(case: Case, record: Recorded) -> tuple[Case, list[str]]:
    """Take how busy the busiest small model was for how busy the hardware is, unless the case says it."""
    shares = [each.busy for each in record.models if each.busy]
    if case.capacity > 0 or not shares or case.hardware == 0:
        return case, []
    busy = max(shares)
    note = f"The hardware is taken to be busy {100 * busy:.1f} % of the time, as the busiest small model was writing."
    return replace(case, capacity=case.requests * case.local / busy), [note]


def _unrecorded(ledger: Total | None, ever_usd: float) -> float | None:
    if ledger is None:
        return 0.0
    booked = dollars(ledger.nanos)
    if booked < ever_usd * (1 - 1e-6):
        return None
    return booked / ever_usd - 1 if ever_usd > 0 else 0.0


def _models(decisions: Sequence[Decision], seconds: float) -> tuple[ModelUse, ...]:
    uses: dict[tuple[str, str], list[Usage]] = defaultdict(list)
    written: dict[str, list[Interval]] = defaultdict(list)
    for each in decisions:
        for use in each.usage:
            uses[use.model, use.role].append(use)
        for model in {draft.model for draft in each.drafts}:
            written[model].extend(_writing(each))
    made = [_use(model, role, found, written.get(model, []), seconds) for (model, role), found in uses.items()]
    return tuple(sorted(made, key=lambda each: (each.role, each.model)))


def _use(model: str, role: str, uses: Sequence[Usage], written: Sequence[Interval], seconds: float) -> ModelUse:
    calls = sum(each.calls for each in uses)
    drafted = role == "small" and written and seconds > 0
    return ModelUse(
        model=model,
        role=role,
        calls=calls,
        input_tokens=sum(each.input_tokens for each in uses),
        output_tokens=sum(each.output_tokens for each in uses),
        usd=sum(each.cost_usd for each in uses),
        estimated=sum(each.calls for each in uses if not each.known) / calls if calls else 0.0,
        busy=min(_covered(written) / seconds, 1.0) if drafted else None,
        writing=sum(end - begin for begin, end in written) / seconds if drafted else None,
    )


def _writing(decision: Decision) -> Iterable[Interval]:
    """Yield when an answer was being drafted, in seconds: the steps follow each other from the opening on."""
    at = datetime.fromisoformat(decision.opened_at).timestamp()
    for step in decision.steps:
        end = at + step.ms / 1000
        if step.name == "answer":
            yield at, end
        at = end


def _covered(intervals: Sequence[Interval]) -> float:
    """Return the seconds that at least one interval covers."""
    covered, reached = 0.0, float("-inf")
    for begin, end in sorted(intervals):
        covered += max(end - max(begin, reached), 0.0)
        reached = max(reached, end)
    return covered
