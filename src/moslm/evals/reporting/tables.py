"""The tables of a report. Writes what the report holds and computes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from moslm.evals.comparing.comparison import Comparison
from moslm.evals.figures import Figure
from moslm.evals.reporting.charts import level_of, thresholds
from moslm.evals.reporting.cost_quality import PRICED, CostQuality
from moslm.evals.reporting.coverage import Coverage
from moslm.evals.reporting.crossing import Crossing
from moslm.evals.reporting.examples import Example, Examples
from moslm.evals.reporting.latency import Latency
from moslm.evals.reporting.report import JudgeReport
from moslm.evals.reporting.summary import Summary
from moslm.evals.reporting.targets import GateResult, TargetResult
from moslm.evals.reporting.writing import (
    NONE,
    beside,
    in_unit,
    interval_of,
    metric_name,
    named,
    points_of,
    share,
    value_of,
    whole,
)
from moslm.evals.running.manifest import Manifest
from moslm.governance.wording import counted, dollars, printable, sentence
from moslm.reports.blocks import code, coloured, note, quoted, table
from moslm.reports.markup import Html, joined, tag

_BESIDE = ("accuracy", "escalation_share", "cost_per_success", "failed_share")
"""Figures by which systems stand side by side."""


def gate(found: GateResult) -> Html:
    """Write every target, the missed ones first."""
    targets = sorted(found.targets, key=lambda each: not each.missed)
    rows = [
        [
            coloured("missed", "bad") if each.missed else coloured("kept", "good"),
            metric_name(each.metric),
            _where(each),
            _wanted(each),
            value_of(each.figure),
            interval_of(each.figure),
            f"{each.figure.n:,}",
            " ".join(sentence(part) for part in (each.missed, each.why) if part),
        ]
        for each in targets
    ]
    return table(
        ["", "target", "of", "wanted", "figure", "95 %", "n", "why"], rows, right="wanted|figure|95 %|n", wide="why"
    )


def systems(summaries: Sequence[Summary]) -> Html:
    """Write the systems side by side."""
    shown = [name for name in _BESIDE if any(name in each.figures for each in summaries)]
    rows = [[named(each.system), *(_told(each.figures.get(name)) for name in shown)] for each in summaries]
    return table(["system", *map(metric_name, shown)], rows)


def figures(found: Summary) -> Html:
    """Write every figure of one system."""
    rows = [
        [metric_name(name), value_of(each), interval_of(each), f"{each.n:,}", _remark(each)]
        for name, each in found.figures.items()
    ]
    return table(["figure", "value", "95 %", "n", "note"], rows, right="value|95 %|n", wide="note")


def endings(found: Summary) -> str:
    """Write how the cases ended."""
    told = ", ".join(f"{count:,} {ending}" for ending, count in found.endings.items())
    return f"{counted(found.outcomes, 'outcome')}, {told}" if told else counted(found.outcomes, "outcome")


def points(found: Sequence[Comparison]) -> Html:
    """Write every comparison in points, with its verdict."""
    rows = [
        [
            f"{named(each.second)} against {named(each.first)}",
            f"{each.cases:,}",
            in_unit(each.second_points.value, "share"),
            in_unit(each.first_points.value, "share"),
            points_of(each.points.figure.value),
            _bounds(each.points.figure),
            _verdict(each.points.said, each.points.verdict),
            f"{each.mcnemar.p:.3g}",
        ]
        for each in found
    ]
    header = ["points", "cases", "it", "the other", "difference", "95 %", "verdict", "McNemar p"]
    return table(header, rows, right="cases|it|the other|difference|95 %|McNemar p", wide="verdict")


def money(found: Sequence[Comparison]) -> Html:
    """Write every comparison in dollars a case, with its verdict."""
    rows = [
        [
            f"{named(each.second)} against {named(each.first)}",
            f"{each.usd.figure.n:,}",
            value_of(each.second_usd),
            value_of(each.first_usd),
            value_of(each.usd.figure),
            interval_of(each.usd.figure),
            _verdict(each.usd.said, each.usd.verdict),
        ]
        for each in found
    ]
    header = ["dollars a case", "priced cases", "it", "the other", "difference", "95 %", "verdict"]
    return table(header, rows, right="priced cases|it|the other|difference|95 %")


def kept(found: Coverage) -> Html:
    """Write what the threshold in force keeps, and what was kept."""
    rows = []
    for told, each in ((f"at the threshold in force ({thresholds(found)})", found.at_threshold),
                       ("kept in fact, all triggers counted", found.in_fact)):  # fmt: skip
        if each is not None:
            rows.append([told, _told(each.coverage), _told(each.risk)])
    return table(["", "share of the drafts", "wrong among them"], rows)


def crossing(found: Crossing) -> Html:
    """Write needed and not needed against up and stayed."""
    if found.why:
        told = f"Whether escalating was needed is not known of {named(found.system)}: {found.why}."
        return joined(note(told), _share_up(found))
    rows = [
        ["the draft was not good enough", f"{found.needed_up:,}", f"{found.needed_stayed:,}"],
        ["the draft would have done", f"{found.fine_up:,}", f"{found.fine_stayed:,}"],
        ["nobody knows: no graded draft", f"{found.ungraded_up:,}", f"{found.ungraded_stayed:,}"],
    ]
    made = table([named(found.system), "went up", "stayed"], rows, right="went up|stayed")
    told = note(f"Precision {whole(found.precision)}. Recall {whole(found.recall)}.")
    return joined(made, told, _share_up(found))


def _share_up(found: Crossing) -> Html:
    return note(f"Went up: {whole(found.share)}.")


def placed(found: CostQuality) -> Html:
    """Write where every system stands."""
    cost = "for 1,000 cases" if found.unit == PRICED else "calls to the large model"
    rows = [
        [
            named(each.system),
            value_of(each.quality),
            interval_of(each.quality),
            _cost(each.cost, found.unit),
            share(each.escalated),
        ]
        for each in sorted(found.systems, key=lambda each: -(each.quality.value or 0.0))
    ]
    return table(["system", "quality", "95 %", cost, "escalated"], rows, right=f"quality|95 %|{cost}|escalated")


def savings(found: CostQuality) -> Html:
    """Write what the curves say: savings and shares that must go up."""
    wanted = {
        "saved_95": "saved at 95 % of the large model's quality",
        "saved_99": "saved at 99 %",
        "escalated_95": "escalated for 95 %",
        "escalated_99": "escalated for 99 %",
        "escalated_parity": "escalated for 100 %",
        "apgr": "average gap recovered (APGR)",
    }
    rows = [[told, *(_told(each.figures[key]) for each in found.curves)] for key, told in wanted.items()]
    return table(["", *(each.system for each in found.curves)], rows)


def times(found: Latency) -> Html:
    """Write the service levels and the quantiles of one system."""
    rows = []
    for each in found.times:
        level = each.level
        how = {"kept": "good", "missed": "bad"}.get(level.verdict, "warning")
        rows.append(
            [
                each.name,
                level_of(each),
                coloured(level.verdict, how),
                value_of(level.figure),
                interval_of(level.figure),
                f"{each.n:,}",
                *(in_unit(each.quantiles.get(name), "ms") for name in ("p50", "p95", "p99")),
            ]
        )
    header = [named(found.system), "service level", "", "figure", "95 %", "n", "p50", "p95", "p99"]
    return table(header, rows, right="figure|95 %|n|p50|p95|p99")


def examples(found: Examples, *, keeps_texts: bool) -> Iterator[Html]:
    """Write cases with their texts; without texts as a table."""
    if not keeps_texts:
        yield listed(found)
        return
    for each in found.shown:
        lines = [("asked", each.question or ""), ("answered", each.answer or "no text was kept"), ("graded", each.why)]
        yield quoted(f"{printable(each.suite)}/{printable(each.case)}{_sure(each)}", lines)


def listed(found: Examples) -> Html:
    """Write cases as a table."""
    rows = [
        [
            named(f"{each.suite}/{each.case}"),
            named(each.domain or NONE),
            each.way.replace("_", " "),
            _number(each.confidence),
            printable(each.why),
        ]
        for each in found.shown
    ]
    return table(["case", "domain", "way", "confidence", "why"], rows, right="confidence", wide="why")


def whys(found: Examples) -> Iterator[Html]:
    """Write the reasons that occur more than once."""
    if found.whys:
        rows = [[f"{count:,}", printable(why)] for why, count in found.whys.items()]
        yield table(["cases", "why"], rows, right="cases", wide="why")


def first_of(found: Examples) -> str:
    """Write how many of the cases are shown, where that is not all."""
    return "" if found.of <= len(found.shown) else f"; the first {len(found.shown)} are shown"


def judge(found: JudgeReport) -> Html:
    """Write what the judge is worth."""
    rows = [["agreement with exact graders (kappa)", whole(found.kappa)], ["bias, above 0 too kind", whole(found.bias)],
            ["verdict", found.verdict], ["grading cost", dollars(found.usd)]]  # fmt: skip
    return table(["", "figure"], rows)


def suites(found: Manifest, summaries: Sequence[Summary]) -> Html:
    """Write what was to be asked of each suite, and what came of it by system."""
    names = list(dict.fromkeys(each.system for each in summaries))
    alone = len(found.suites) == 1
    counts = {(each.system, each.suite): each.outcomes for each in summaries}
    rows = []
    for suite, run in found.suites.items():
        got = [counts.get((name, suite), counts.get((name, None), 0) if alone else 0) for name in names]
        rows.append(
            [named(suite), f"{run.cases:,} of {run.of:,}", *(f"{each:,}" for each in got), run.licence, run.about]
        )
    header = ["suite", "cases asked", *map(named, names), "licence", "about"]
    return table(header, rows, right="|".join(header[1:-2]), wide="about")


def manifest(found: Manifest) -> Html:
    """Write what the run was made from."""
    rows: list[list[str]] = [
        ["run", code(found.run)],
        ["started", found.started],
        ["command", code(printable(" ".join(found.command)))],
        ["commit", code(found.commit) if found.commit else "not run from a checkout"],
        ["configuration", code(found.config_sha256)],
        ["data", code(found.data_sha256)],
        ["seed", str(found.seed)],
        ["sample of each suite", "all" if found.sample is None else f"{found.sample:,}"],
        ["judge", named(found.judge) if found.judge else "none"],
    ]
    rows += [["system", f"{named(name)}: {printable(told)}"] for name, told in found.systems.items()]
    rows += [["revision", f"{named(name)}: {printable(told) or 'states none'}"] for name, told in found.models.items()]
    rows += [["version", f"{name} {told}"] for name, told in found.versions.items()]
    return table(["", "value"], rows)


def _where(target: TargetResult) -> str:
    return named(f"{target.system} on {target.suite}" if target.suite else target.system)


def _wanted(target: TargetResult) -> str:
    low, high = (None if end is None else in_unit(end, target.figure.unit) for end in (target.at_least, target.at_most))
    told = f"{low} to {high}" if low and high else f"≥ {low}" if low else f"≤ {high}"
    return told if target.by == "value" else f"{told} ({target.by} bound)"


def _told(figure: Figure | None) -> Html:
    """Write a figure in a cell, with its interval and its n under it."""
    if figure is None:
        return joined(NONE)
    return joined(value_of(figure), tag("small", beside(figure)))


def _remark(figure: Figure) -> str:
    return f"not measured: {figure.why or 'no case'}" if figure.value is None else figure.why


def _bounds(figure: Figure) -> str:
    if figure.low is None or figure.high is None:
        return NONE
    return f"{points_of(figure.low)} to {points_of(figure.high)}"


def _verdict(told: str, verdict: str) -> Html:
    return coloured(told, {"better": "good", "worse": "bad"}.get(verdict, "plain"))


def _cost(value: float | None, unit: str) -> str:
    if value is None:
        return "no price"
    return dollars(value) if unit == PRICED else f"{value:.3f}"


def _sure(found: Example) -> str:
    sure = "unknown" if found.confidence is None else _number(found.confidence)
    told = f" · {found.way.replace('_', ' ')}, confidence {sure}"
    if found.threshold is not None:
        told += f" (threshold {found.threshold:.2f})"
    return told + (f" · {named(found.domain)}" if found.domain else "")


def _number(value: float | None) -> str:
    return NONE if value is None else f"{value:.3f}"
