"""What Prometheus reads: counts, seconds, tokens and money of what was decided. Carries no text, tenant or user."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from moslm.decision import Decision
from moslm.errors import RecallError
from moslm.models.replicas.pool import pools
from moslm.models.replicas.replica import ReplicaState
from moslm.recall.memory import memories
from moslm.recall.tallies import Tally

_log = logging.getLogger("moslm.recall")
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 30)


class Meters:
    """The meters of one endpoint; each has a registry of its own."""

    def __init__(self) -> None:
        self.registry = every = CollectorRegistry()
        self._calls = Counter("moslm_api_calls", "Calls by HTTP status.", ["status"], registry=every)
        self._requests = Counter("moslm_requests", "Requests by how they ended.", ["outcome", "domain"], registry=every)
        self._reasons = Counter("moslm_reasons", "Triggers that fired.", ["trigger"], registry=every)
        self._drafts = Counter("moslm_drafts", "Drafts of small models.", ["domain", "accepted"], registry=every)
        self._seconds = Histogram(
            "moslm_request_seconds", "Time to the answer.", ["outcome"], buckets=_SECONDS, registry=every
        )
        self._first = Histogram(
            "moslm_first_token_seconds",
            "Time to the first accepted words.",
            ["outcome"],
            buckets=_SECONDS,
            registry=every,
        )
        self._tokens = Counter("moslm_tokens", "Tokens by model.", ["model", "role", "direction"], registry=every)
        self._spent = Counter("moslm_spent_usd", "US dollars by model.", ["model", "role"], registry=every)
        self._baseline = Counter("moslm_baseline_usd", "US dollars of the large model for everything.", registry=every)
        self._stopped = Counter("moslm_stopped_drafts", "Drafts stopped early.", ["domain", "rule"], registry=every)
        self._recalled = Counter("moslm_recalled", "Answers from memory.", ["domain", "how"], registry=every)
        self._recalled_usd = Counter("moslm_recalled_usd", "US dollars memory saved.", ["domain"], registry=every)
        self.in_flight = Gauge("moslm_in_flight", "Calls that are being answered.", registry=every)
        every.register(_Servers())
        every.register(_Remembered())

    def called(self, status: int) -> None:
        """Count a call by how HTTP ended it."""
        self._calls.labels(str(status)).inc()

    def decided(self, decision: Decision) -> None:
        """Count what was decided."""
        self._requests.labels(decision.outcome, decision.domain or "none").inc()
        self._seconds.labels(decision.outcome).observe(decision.total_ms / 1000)
        if decision.first_token_ms is not None:
            self._first.labels(decision.outcome).observe(decision.first_token_ms / 1000)
        if decision.recalled is not None:
            self._recalled.labels(decision.domain or "none", decision.recalled.how).inc()
            self._recalled_usd.labels(decision.domain or "none").inc(decision.cost.recalled_usd)
        for reason in decision.reasons:
            self._reasons.labels(reason.trigger).inc()
        for draft in decision.drafts:
            self._drafts.labels(draft.domain, str(draft.accepted).lower()).inc()
            if draft.stopped is not None:
                self._stopped.labels(draft.domain, draft.stopped.rule).inc()
        for usage in decision.usage:
            self._tokens.labels(usage.model, usage.role, "input").inc(usage.input_tokens)
            self._tokens.labels(usage.model, usage.role, "output").inc(usage.output_tokens)
            self._spent.labels(usage.model, usage.role).inc(usage.cost_usd)
        self._baseline.inc(decision.cost.baseline_usd)

    def page(self) -> bytes:
        """Return the page that Prometheus reads."""
        return generate_latest(self.registry)


class _Servers(Collector):
    """What is known of the model servers at the moment it is read: by model and number, never by address."""

    def collect(self) -> Iterator[Metric]:
        """Yield the meters of every server that a model of this process may ask."""
        names = ["model", "replica"]
        standing = GaugeMetricFamily("moslm_replica_standing", "1 for how it stands.", labels=[*names, "standing"])
        busy = GaugeMetricFamily("moslm_replica_in_flight", "Calls it is answering.", labels=names)
        counts = {
            "calls": CounterMetricFamily("moslm_replica_calls", "Calls it was given.", labels=names),
            "failures": CounterMetricFamily("moslm_replica_failures", "Calls it failed.", labels=names),
            "opened": CounterMetricFamily("moslm_replica_circuit_opened", "Times it was left alone.", labels=names),
            "deaths": CounterMetricFamily("moslm_replica_deaths", "Times it went away.", labels=names),
        }
        for (model, replica), states in _by_server().items():
            labels = [model, str(replica)]
            busy.add_metric(labels, sum(each.in_flight for each in states))
            for how in sorted({each.standing for each in states}):
                standing.add_metric([*labels, how], 1)
            for name, family in counts.items():
                family.add_metric(labels, sum(getattr(each, name) for each in states))
        yield from (standing, busy, *counts.values())


class _Remembered(Collector):
    """How many remembered answers were found wrong when they were checked, at the moment it is read."""

    def collect(self) -> Iterator[Metric]:
        """Yield the checks of every domain whose answers this process remembers."""
        labels = ["domain"]
        checked = CounterMetricFamily("moslm_recall_checked", "Hits that were answered again.", labels=labels)
        wrong = CounterMetricFamily("moslm_recall_wrong", "Those that were wrong.", labels=labels)
        bound = GaugeMetricFamily("moslm_recall_wrong_bound", "Highest false-hit rate they allow.", labels=labels)
        closed = GaugeMetricFamily("moslm_recall_closed", "1 where that is too much.", labels=labels)
        for domain, (tally, most) in sorted(_tallies().items()):
            checked.add_metric([domain], tally.checked)
            wrong.add_metric([domain], tally.wrong)
            bound.add_metric([domain], tally.bound)
            closed.add_metric([domain], tally.closed(most))
        yield from (checked, wrong, bound, closed)


def _tallies() -> dict[str, tuple[Tally, float]]:
    """Return the counts of each domain; several graphs of one process may share their file."""
    found: dict[str, tuple[Tally, float]] = {}
    for memory in memories():
        try:
            tallies = memory.tallies() if memory.enabled else []
        except RecallError as error:
            _log.warning("the counts of remembered answers cannot be read: %s", error)
            continue
        for tally in tallies:
            if tally.domain not in found or found[tally.domain][0].checked < tally.checked:
                found[tally.domain or "none"] = (tally, memory.policy.settings.max_false_rate)
    return found


def _by_server() -> dict[tuple[str, int], list[ReplicaState]]:
    """Return what is known of each server; domains that share one know different things of it."""
    found: dict[tuple[str, int], list[ReplicaState]] = {}
    for pool in pools():
        for state in pool.states():
            found.setdefault((state.model, state.replica), []).append(state)
    return dict(sorted(found.items()))
