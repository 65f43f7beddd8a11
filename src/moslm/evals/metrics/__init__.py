"""What outcomes come to: one metric a file, each a function of outcomes that returns a figure with its interval and n.

One of your own is a function, and its line in `METRICS` or its place in ``--metric MODULE:FUNCTION``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module

from moslm.errors import ConfigError
from moslm.evals.figures import Figure
from moslm.evals.metrics.accuracy import accuracy
from moslm.evals.metrics.availability import availability
from moslm.evals.metrics.calibration_error import calibration_error
from moslm.evals.metrics.classification_p95 import classification_p95
from moslm.evals.metrics.cost_per_success import cost_per_success
from moslm.evals.metrics.cost_reduction import cost_reduction
from moslm.evals.metrics.declined_share import declined_share
from moslm.evals.metrics.domain_answer_p90 import domain_answer_p90
from moslm.evals.metrics.escalation_p85 import escalation_p85
from moslm.evals.metrics.escalation_precision import escalation_precision
from moslm.evals.metrics.escalation_recall import escalation_recall
from moslm.evals.metrics.escalation_reduction import escalation_reduction
from moslm.evals.metrics.escalation_share import escalation_share
from moslm.evals.metrics.expected_local import expected_local
from moslm.evals.metrics.expected_up import expected_up
from moslm.evals.metrics.failed_share import failed_share
from moslm.evals.metrics.kept_local_accuracy import kept_local_accuracy
from moslm.evals.metrics.recorded import recorded
from moslm.evals.metrics.refused_share import refused_share
from moslm.evals.metrics.resolution import resolution
from moslm.evals.metrics.router_accuracy import router_accuracy
from moslm.evals.metrics.satisfaction import satisfaction
from moslm.evals.metrics.unparsed_share import unparsed_share
from moslm.evals.outcomes import Outcome

Metric = Callable[[Sequence[Outcome]], Figure]
"""Computes one figure from the outcomes of one system."""

METRICS: dict[str, Metric] = {
    "accuracy": accuracy,
    "resolution": resolution,
    "kept_local_accuracy": kept_local_accuracy,
    "router_accuracy": router_accuracy,
    "escalation_share": escalation_share,
    "escalation_precision": escalation_precision,
    "escalation_recall": escalation_recall,
    "escalation_reduction": escalation_reduction(),
    "expected_up": expected_up,
    "expected_local": expected_local,
    "calibration_error": calibration_error,
    "declined_share": declined_share,
    "unparsed_share": unparsed_share,
    "refused_share": refused_share,
    "failed_share": failed_share,
    "availability": availability,
    "classification_p95": classification_p95,
    "domain_answer_p90": domain_answer_p90,
    "escalation_p85": escalation_p85,
    "cost_per_success": cost_per_success,
    "cost_reduction": cost_reduction,
    "satisfaction": satisfaction,
    "recorded": recorded,
}
"""Every metric by name, in the order in which they are shown."""

AGAINST: dict[str, Callable[[float], Metric]] = {"escalation_reduction": escalation_reduction}
"""Metrics that are taken against a stated baseline: (baseline) -> the metric."""


def figures(outcomes: Sequence[Outcome], metrics: Mapping[str, Metric] = METRICS) -> dict[str, Figure]:
    """Return every figure of the outcomes of one system."""
    return {name: metric(outcomes) for name, metric in metrics.items()}


def named_metric(place: str) -> tuple[str, Metric]:
    """Return a metric of one's own by ``module:function``, and the function's name.

    Raises:
        ConfigError: There is no such function.
    """
    module, _, function = place.partition(":")
    mend = "write module:function, of a module that Python finds"
    if not module or not function:
        raise ConfigError("names no metric", key="--metric", value=place, mend=mend)
    try:
        found = getattr(import_module(module), function)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"cannot be loaded: {error}", key="--metric", value=place, mend=mend) from None
    return function, found
