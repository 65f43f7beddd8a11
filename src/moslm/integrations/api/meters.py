"""What Prometheus reads: counts, seconds, tokens and money of what was decided. Carries no text, tenant or user."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from moslm.decision import Decision

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
        self._tokens = Counter("moslm_tokens", "Tokens by model.", ["model", "role", "direction"], registry=every)
        self._spent = Counter("moslm_spent_usd", "US dollars by model.", ["model", "role"], registry=every)
        self._baseline = Counter("moslm_baseline_usd", "US dollars of the large model for everything.", registry=every)
        self.in_flight = Gauge("moslm_in_flight", "Calls that are being answered.", registry=every)

    def called(self, status: int) -> None:
        """Count a call by how HTTP ended it."""
        self._calls.labels(str(status)).inc()

    def decided(self, decision: Decision) -> None:
        """Count what was decided."""
        self._requests.labels(decision.outcome, decision.domain or "none").inc()
        self._seconds.labels(decision.outcome).observe(decision.total_ms / 1000)
        for reason in decision.reasons:
            self._reasons.labels(reason.trigger).inc()
        for draft in decision.drafts:
            self._drafts.labels(draft.domain, str(draft.accepted).lower()).inc()
        for usage in decision.usage:
            self._tokens.labels(usage.model, usage.role, "input").inc(usage.input_tokens)
            self._tokens.labels(usage.model, usage.role, "output").inc(usage.output_tokens)
            self._spent.labels(usage.model, usage.role).inc(usage.cost_usd)
        self._baseline.inc(decision.cost.baseline_usd)

    def page(self) -> bytes:
        """Return the page that Prometheus reads."""
        return generate_latest(self.registry)
