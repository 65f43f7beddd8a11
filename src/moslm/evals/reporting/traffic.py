"""`Traffic`: what the closed Decisions of a window say without any grade: shares, confidence, cost and times.

Whether an answer was right stands in no Decision, and is not guessed from one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, get_args

import numpy as np

from moslm.decision import Decision
from moslm.decision import Outcome as Ending
from moslm.evals.figures import Figure, bootstrap, share
from moslm.evals.metrics.ratios import ratio
from moslm.evals.reporting.latency import Latency, Time, latency_of
from moslm.evals.reporting.part import Part

_EDGES = tuple(np.round(np.linspace(0, 1, 21), 2).tolist())
_UP = ("escalated", "handed_over")


class Day(Part):
    """The requests that were closed on one day, UTC."""

    day: str
    requests: int
    escalated: Figure
    """Share that left the small models, of those that were not refused."""
    usd: float


class ModelTraffic(Part):
    """What one model was asked."""

    model: str
    role: str
    calls: int
    input_tokens: int
    output_tokens: int
    usd: float


class Traffic(Part):
    """One window of the audit log."""

    name: str
    """Where it was read from."""
    made: str
    by: str
    begins: str | None
    """When the first request was closed; None where there was none."""
    ends: str | None
    requests: int
    endings: dict[str, Figure]
    """Share of the requests by how they ended."""
    domains: dict[str, Figure]
    """Share of the requests by domain, the most frequent first."""
    escalated: Figure
    """Share that left the small models, of those that were not refused."""
    failed_drafts: Figure
    """Share of the drafts that a model's failure ended."""
    triggers: dict[str, Figure]
    """Share of the requests in which each fired, the most frequent first."""
    confidence_edges: tuple[float, ...]
    confidence_counts: tuple[int, ...]
    confidence_known: Figure
    """Share of the requests with a draft whose confidence is known."""
    thresholds: tuple[float, ...]
    """Those in force, the lowest first."""
    calibrations: dict[str, int]
    """What stood behind the confidences, by state."""
    spent_usd: float
    baseline_usd: float
    """What the same tokens would have cost on the large model for everything."""
    saved: Figure
    """Saving as a share of that; what was paid for requests without an answer counts against it."""
    usd_a_request: Figure
    latency: Latency
    days: tuple[Day, ...]
    models: tuple[ModelTraffic, ...]
    configs: dict[str, int]
    """Requests by the hash of the configuration that judged them."""


def traffic_of(decisions: Sequence[Decision], name: str, made: datetime, by: str) -> Traffic:
    """Compute what a window says.

    Args:
        decisions: Its Decisions.
        name: Where they were read from.
        made: When the report is made.
        by: Version of MoSLM that makes it.
    """
    found = sorted(decisions, key=lambda each: each.closed_at)
    groups = [_conversation(each) for each in found]
    drafted = [each for each in found if each.drafts]
    known = [each.confidence for each in drafted if each.confidence is not None]
    spent, baseline = [each.cost.spent_usd for each in found], [each.cost.baseline_usd for each in found]
    endings = Counter(each.outcome for each in found)
    drafts = [draft for each in found for draft in each.drafts]
    return Traffic(
        name=name,
        made=made.astimezone(UTC).isoformat(timespec="seconds"),
        by=by,
        begins=found[0].closed_at if found else None,
        ends=found[-1].closed_at if found else None,
        requests=len(found),
        endings={each: share(endings[each], len(found)) for each in get_args(Ending)},
        domains=_shares([each.domain or "none" for each in found], len(found)),
        escalated=_up(found),
        failed_drafts=share(sum(each.error is not None for each in drafts), len(drafts)),
        triggers=_shares([name for each in found for name in {r.trigger for r in each.reasons}], len(found)),
        confidence_edges=_EDGES,
        confidence_counts=tuple(np.histogram(known, bins=_EDGES)[0].tolist()),
        confidence_known=share(len(known), len(drafted)),
        thresholds=tuple(sorted({each.threshold for each in drafted})),
        calibrations=dict(Counter(each.calibration.state for each in drafts if each.calibration).most_common()),
        spent_usd=sum(spent),
        baseline_usd=sum(baseline),
        saved=_saved(spent, baseline, groups),
        usd_a_request=bootstrap(spent, groups, unit="usd"),
        latency=_latency(found),
        days=tuple(_days(found)),
        models=tuple(_models(found)),
        configs=dict(Counter(each.config_sha256 for each in found).most_common()),
    )


def traffic_document(traffic: Traffic) -> dict[str, Any]:
    """Return a window as plain JSON: the same figures as on its page."""
    return traffic.model_dump(mode="json")


def _conversation(decision: Decision) -> str:
    """Return what a request is drawn together with: its conversation, else it stands alone."""
    return f"{decision.tenant}/{decision.thread_id or decision.id}"


def _shares(names: Iterable[str], of: int) -> dict[str, Figure]:
    return {name: share(count, of) for name, count in Counter(names).most_common()}


def _up(decisions: Sequence[Decision]) -> Figure:
    judged = [each for each in decisions if each.outcome != "refused"]
    return share(sum(each.outcome in _UP for each in judged), len(judged))


def _saved(spent: Sequence[float], baseline: Sequence[float], groups: Sequence[str]) -> Figure:
    paid = ratio(spent, baseline, groups, "share")
    if paid.value is None:
        return paid.model_copy(update={"why": "nothing was answered that the baseline would have cost for"})
    bounds = {
        "low": None if paid.high is None else 1 - paid.high,
        "high": None if paid.low is None else 1 - paid.low,
    }
    return paid.model_copy(update={"value": 1 - paid.value, **bounds})


def _latency(decisions: Sequence[Decision]) -> Latency:
    def took(outcome: str) -> list[Time]:
        return [(each.total_ms, _conversation(each)) for each in decisions if each.outcome == outcome]

    reading = [(s.ms, _conversation(each)) for each in decisions for s in each.steps if s.name == "classify"]
    return latency_of("moslm", reading=reading, local=took("answered"), escalated=took("escalated"))


def _days(decisions: Sequence[Decision]) -> Iterable[Day]:
    found: dict[str, list[Decision]] = defaultdict(list)
    for each in decisions:
        found[each.closed_at[:10]].append(each)
    for day, theirs in found.items():
        usd = sum(each.cost.spent_usd for each in theirs)
        yield Day(day=day, requests=len(theirs), escalated=_up(theirs), usd=usd)


def _models(decisions: Sequence[Decision]) -> Iterable[ModelTraffic]:
    found = defaultdict(list)
    for each in decisions:
        for usage in each.usage:
            found[usage.model, usage.role].append(usage)
    for (model, role), theirs in found.items():
        yield ModelTraffic(
            model=model,
            role=role,
            calls=sum(each.calls for each in theirs),
            input_tokens=sum(each.input_tokens for each in theirs),
            output_tokens=sum(each.output_tokens for each in theirs),
            usd=sum(each.cost_usd for each in theirs),
        )
