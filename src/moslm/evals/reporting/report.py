"""`Report`: everything that is said of a run, as plain data; the page and the JSON are drawn from it alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from moslm.evals.comparing.baselines import BASELINES, CANDIDATE, against_baselines
from moslm.evals.comparing.comparison import Comparison, compare
from moslm.evals.figures import Figure
from moslm.evals.gate import Gate, held_against
from moslm.evals.graders.agreement import JUDGED, agreement
from moslm.evals.metrics import METRICS, Metric
from moslm.evals.outcomes import Outcome
from moslm.evals.reporting.confusion import Confusion, confusion
from moslm.evals.reporting.cost_quality import CostQuality, cost_quality
from moslm.evals.reporting.coverage import Coverage, coverage
from moslm.evals.reporting.crossing import Crossing, crossing
from moslm.evals.reporting.examples import Examples, Questions, without_grade, wrong
from moslm.evals.reporting.latency import Latency, latency
from moslm.evals.reporting.part import Part, by_system
from moslm.evals.reporting.reliability import Reliability, reliability
from moslm.evals.reporting.summary import Summary, summaries
from moslm.evals.reporting.targets import GateResult, gate_result
from moslm.evals.running.manifest import Manifest

OURS = "moslm"


class JudgeReport(Part):
    """What the judge of a run is worth, and what grading cost."""

    kappa: Figure
    bias: Figure
    verdict: str
    usd: float


class Report(Part):
    """One run."""

    name: str
    """Of the run: its folder, or what the outcomes were read from."""
    made: str
    """When the report was made, UTC."""
    by: str
    """Version of MoSLM that made it."""
    finished: bool
    notice: str = ""
    """What was amiss with the folder and did no harm."""
    outcomes: int
    systems: tuple[str, ...]
    judged: str
    """The system that the sections on confidence, escalation and comparisons are about first."""
    gate: GateResult | None = None
    summaries: tuple[Summary, ...]
    comparisons: tuple[Comparison, ...] = ()
    margin: float | None = None
    """Points that the judged system may be worse by in these comparisons."""
    missing: tuple[str, ...] = ()
    """Baselines that were not run: nothing is said against them."""
    reliability: tuple[Reliability, ...] = ()
    """Of each system that states a confidence."""
    coverage: tuple[Coverage, ...] = ()
    crossings: tuple[Crossing, ...] = ()
    cost_quality: CostQuality
    latency: tuple[Latency, ...] = ()
    confusions: tuple[Confusion, ...] = ()
    wrong: tuple[Examples, ...] = ()
    without_grade: tuple[Examples, ...] = ()
    keeps_texts: bool
    """Whether any outcome kept the words of an answer."""
    judge: JudgeReport | None = None
    manifest: Manifest | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What a report is made from, beside the outcomes.

    Attributes:
        name: What the run is called.
        manifest: What it was made from; None for outcomes without a folder.
        finished: Whether it ran to its end.
        notice: What was amiss with its folder.
        gate: Targets it is held against.
        metrics: The figures that are told.
        margin: Points that the judged system may be worse by than a baseline; None asks for no such verdict.
        questions: What was asked, where it is at hand.
        made: When the report is made.
        by: Version of MoSLM that makes it.
    """

    name: str
    manifest: Manifest | None = None
    finished: bool = True
    notice: str = ""
    gate: Gate | None = None
    metrics: Mapping[str, Metric] = field(default_factory=lambda: METRICS)
    margin: float | None = None
    questions: Questions = field(default_factory=dict)
    made: datetime = field(default_factory=lambda: datetime.now(UTC))
    by: str = ""


def report_of(outcomes: Sequence[Outcome], about: Asked) -> Report:
    """Compute everything that a report says.

    Raises:
        ConfigError: Two systems have a case in different groups, so that they cannot be compared.
    """
    systems = by_system(outcomes)
    judged = _judged(systems)
    gated = {name: theirs for name, theirs in systems.items() if any(each.confidence is not None for each in theirs)}
    gated = gated or ({judged: systems[judged]} if judged in systems else {})
    comparisons, missing = _compared(systems, judged, about.margin)
    confusions = [confusion(name, theirs) for name, theirs in systems.items()]
    return Report(
        name=about.name,
        made=about.made.astimezone(UTC).isoformat(timespec="seconds"),
        by=about.by,
        finished=about.finished,
        notice=about.notice,
        outcomes=len(outcomes),
        systems=tuple(systems),
        judged=judged,
        gate=gate_result(about.gate, held_against(about.gate, outcomes, about.metrics)) if about.gate else None,
        summaries=summaries(outcomes, about.metrics),
        comparisons=comparisons,
        margin=about.margin,
        missing=missing,
        reliability=tuple(reliability(name, theirs) for name, theirs in gated.items()),
        coverage=tuple(coverage(name, theirs) for name, theirs in gated.items()),
        crossings=tuple(crossing(name, theirs) for name, theirs in gated.items()),
        cost_quality=cost_quality(judged, systems),
        latency=tuple(latency(name, theirs) for name, theirs in systems.items()),
        confusions=tuple(each for each in confusions if each is not None),
        wrong=tuple(wrong(name, theirs, about.questions) for name, theirs in gated.items()),
        without_grade=tuple(
            each for name, theirs in systems.items() for each in without_grade(name, theirs, about.questions)
        ),
        keeps_texts=any(each.answer is not None for each in outcomes),
        judge=_judge(outcomes),
        manifest=about.manifest,
    )


def document(report: Report) -> dict[str, Any]:
    """Return a report as plain JSON: the same figures as on its page."""
    return report.model_dump(mode="json")


def _judged(systems: Mapping[str, Sequence[Outcome]]) -> str:
    """Return the system a report is about: MoSLM, else the first that states a confidence, else the last."""
    if OURS in systems or not systems:
        return OURS
    stating = [name for name, theirs in systems.items() if any(each.confidence is not None for each in theirs)]
    return stating[0] if stating else [*systems][-1]


def _compared(
    systems: Mapping[str, Sequence[Outcome]], judged: str, margin: float | None
) -> tuple[tuple[Comparison, ...], tuple[str, ...]]:
    """Compare the judged system with all three baselines, and with every other system that is none."""
    if judged not in systems:
        return (), BASELINES
    every = [each for theirs in systems.values() for each in theirs]
    against = against_baselines(every, judged, margin=margin)
    others = [
        compare(name, theirs, judged, systems[judged], margin=margin)
        for name, theirs in systems.items()
        if name not in (judged, *BASELINES) and not name.startswith(CANDIDATE)
    ]
    comparisons = [each for each in against.comparisons if each.first != judged]
    missing = tuple(each for each in against.missing if each != judged)
    return (*comparisons, *others), missing


def _judge(outcomes: Sequence[Outcome]) -> JudgeReport | None:
    if not any(JUDGED in each.tags for each in outcomes):
        return None
    found = agreement(outcomes)
    usd = sum(each.graded_usd for each in outcomes)
    return JudgeReport(kappa=found.kappa, bias=found.bias, verdict=found.verdict, usd=usd)
