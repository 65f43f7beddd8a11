"""Marks a traced run with its decision, so that LangSmith can be filtered by domain, reason, confidence and cost.

Does nothing when tracing is off. Sends nothing itself: the tracer that is running sends the marks with the run.
"""

from __future__ import annotations

from langsmith.run_helpers import get_current_run_tree
from langsmith.run_trees import RunTree

from moslm.decision import Decision


def label_run(decision: Decision) -> None:
    """Put the decision's tags and metadata on the current run and on every run it is part of."""
    run = get_current_run_tree()
    while run is not None:
        run.add_metadata(metadata(decision))
        run.add_tags(tags(decision))
        run = _parent(run)


def metadata(decision: Decision) -> dict[str, str | float | None]:
    """Return what a person filters runs by; no text of request or answer."""
    return {
        "moslm_decision": decision.id,
        "moslm_domain": decision.domain,
        "moslm_action": decision.action,
        "moslm_outcome": decision.outcome,
        "moslm_reasons": ",".join(reason.trigger for reason in decision.reasons),
        "moslm_confidence": decision.confidence,
        "moslm_novelty_p": decision.classification.novelty_p if decision.classification else None,
        "moslm_cost_usd": decision.cost.spent_usd,
        "moslm_saved_usd": decision.cost.saved_usd,
    }


def tags(decision: Decision) -> list[str]:
    """Return the tags of a run: ``moslm``, its domain, its outcome and each reason."""
    named = [f"moslm:{decision.outcome}", *(f"moslm:{reason.trigger}" for reason in decision.reasons)]
    return ["moslm", *([f"moslm:{decision.domain}"] if decision.domain else []), *dict.fromkeys(named)]


def _parent(run: RunTree) -> RunTree | None:
    return run.parent_run
