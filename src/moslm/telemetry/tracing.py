"""Marks a traced run with its decision, so that LangSmith can be filtered by domain, reason, confidence and cost.

Does nothing when tracing is off. Sends nothing itself: the tracer that is running sends the marks with the run.
"""

from __future__ import annotations

from collections.abc import Iterator

from langchain_core.runnables import RunnableConfig
from langchain_core.tracers import LangChainTracer
from langsmith.run_trees import RunTree

from moslm.decision import Decision


def label_run(decision: Decision, config: RunnableConfig) -> None:
    """Put the decision's tags and metadata on the step's run and on every run it is part of.

    Args:
        decision: The closed record.
        config: The configuration the step was run with; its callbacks know the tracers, if there are any.
    """
    callbacks = config.get("callbacks")
    for tracer in getattr(callbacks, "handlers", []):
        if isinstance(tracer, LangChainTracer):
            for run in _upwards(tracer, str(getattr(callbacks, "parent_run_id", ""))):
                # a fresh dict: LangChain lets runs share theirs, and siblings must not be marked
                run.extra = {**run.extra, "metadata": {**run.extra.get("metadata", {}), **metadata(decision)}}
                run.tags = list(dict.fromkeys([*(run.tags or []), *tags(decision)]))


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


def _upwards(tracer: LangChainTracer, run_id: str) -> Iterator[RunTree]:
    while (run := tracer.run_map.get(run_id)) is not None:
        yield run
        run_id = str(run.parent_run_id)
