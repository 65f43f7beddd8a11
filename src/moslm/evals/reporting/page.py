"""The page of a report: its sections in the order in which one asks. Draws what the report holds, computes nothing."""

from __future__ import annotations

from collections.abc import Iterator

from moslm.evals.reporting import charts, tables
from moslm.evals.reporting.report import Report
from moslm.evals.reporting.summary import Summary
from moslm.evals.reporting.writing import NONE, beside, metric_name, named, value_of
from moslm.governance.wording import counted, listed
from moslm.reports.blocks import alert, folded, note, paragraph, section, tiles
from moslm.reports.markup import Html
from moslm.reports.page import page

_TILES = ("resolution", "kept_local_accuracy", "escalation_share", "cost_reduction", "calibration_error",
          "router_accuracy")  # fmt: skip


def report_page(found: Report) -> str:
    """Return the page."""
    lead = f"{counted(found.outcomes, 'outcome')} of {', '.join(map(named, found.systems)) or 'no system'}."
    foot = " · ".join(each for each in (f"moslm {found.by}".strip(), found.made, named(found.name)) if each)
    return page(f"Evaluation: {named(found.name)}", *_warnings(found), *_sections(found), lead=lead, foot=foot)


def _warnings(found: Report) -> Iterator[Html]:
    if not found.finished:
        yield alert(
            "This run is not finished. What follows is of the cases that were answered so far, which need not be"
            " like the others; the table under “Made from” says how many there are."
        )
    if found.notice:
        yield alert(f"Of the run's folder: {found.notice}")
    if not found.outcomes:
        yield alert("This run has no outcome yet: there is nothing to draw.")


def _sections(found: Report) -> Iterator[Html]:
    ours = [each for each in _of_all_suites(found) if each.system == found.judged]
    if ours:
        yield _tiles(ours[0])
    yield section("Targets", *_gate(found))
    if found.summaries:
        yield section("Every figure", *_figures(found))
    yield section("Compared on the same cases", *_comparisons(found))
    yield section("Is its confidence worth anything?", *_confidence(found))
    yield section("Escalating: needed and done", *_escalating(found))
    yield section("Cost against quality", *_cost_quality(found))
    yield section("How long it takes", *_latency(found))
    yield section("What requests are taken for", *_routing(found))
    yield section("Worst examples", *_wrong(found))
    yield section("Unparsed, failed, refused", *_without_grade(found))
    if found.judge is not None:
        yield section("The judge", tables.judge(found.judge))
    yield section("Made from", *_manifest(found))


def _tiles(ours: Summary) -> Html:
    shown = [(name, ours.figures[name]) for name in _TILES if name in ours.figures]
    return tiles([(metric_name(name), value_of(figure), beside(figure)) for name, figure in shown])


def _gate(found: Report) -> Iterator[Html]:
    if found.gate is None:
        yield note("The run was held against no gate; moslm eval report --gate pilot holds it against one.")
        return
    gate = found.gate
    told = f"{gate.missed} of {gate.missed + gate.reached} targets are missed." if gate.missed else "All are kept."
    yield paragraph(f"Gate {named(gate.name)}. {told} {gate.about}")
    yield tables.gate(gate)


def _figures(found: Report) -> Iterator[Html]:
    alone = sorted(_of_all_suites(found), key=lambda each: each.system != found.judged)
    if len(alone) > 1:
        yield charts.accuracy_bars(alone)
        yield tables.systems(alone)
    for each in alone:
        parts = [part for part in found.summaries if part.system == each.system and part.suite is not None]
        shown = [tables.figures(each), *(tables.figures(part) for part in parts)]
        told = f"{named(each.system)}: {tables.endings(each)}"
        if each.system == found.judged:
            yield paragraph(told)
            yield shown[0]
            for part, table in zip(parts, shown[1:], strict=True):
                yield folded(f"on {named(part.suite or NONE)}: {tables.endings(part)}", table)
        else:
            labels = [f"on {named(part.suite or NONE)}: {tables.endings(part)}" for part in parts]
            inner = [joined for pair in zip(labels, shown[1:], strict=True) for joined in (paragraph(pair[0]), pair[1])]
            yield folded(told, shown[0], *inner)


def _of_all_suites(found: Report) -> list[Summary]:
    return [each for each in found.summaries if each.suite is None]


def _comparisons(found: Report) -> Iterator[Html]:
    if found.comparisons:
        yield tables.points(found.comparisons)
        yield tables.money(found.comparisons)
        told: dict[str, list[str]] = {}
        for each in found.comparisons:
            for sentence in each.notes:
                told.setdefault(sentence, []).append(named(each.first))
        for sentence, rivals in told.items():
            yield note(f"Against {listed(rivals)}: {sentence}")
    if found.missing:
        yield note(f"Not run, so that nothing is said against it: {', '.join(found.missing)}.")
    if not found.comparisons and not found.missing:
        yield note("There is one system alone, and nothing to compare it with.")


def _confidence(found: Report) -> Iterator[Html]:
    if not found.reliability:
        yield note("Reliability and risk against coverage are not drawn: no system was run.")
    for reliability, coverage in zip(found.reliability, found.coverage, strict=True):
        yield charts.reliability_diagram(reliability)
        yield charts.coverage_curve(coverage)
        if not coverage.why:
            yield tables.kept(coverage)


def _escalating(found: Report) -> Iterator[Html]:
    if not found.crossings:
        yield note("There is no table: no system was run.")
    for each in found.crossings:
        yield tables.crossing(each)


def _cost_quality(found: Report) -> Iterator[Html]:
    chart = found.cost_quality
    yield charts.cost_quality_chart(chart)
    if chart.why:
        yield note(f"What other thresholds would have given is not drawn: {chart.why}.")
    if chart.lacking:
        yield note(f"{counted(chart.lacking, 'case')} that some system lacks count for nothing here.")
    for told in chart.notes:
        yield note(told)
    if chart.systems:
        yield tables.placed(chart)
    if chart.curves:
        yield tables.savings(chart)


def _latency(found: Report) -> Iterator[Html]:
    if not found.latency:
        yield note("No times are drawn: no system was run.")
    for each in sorted(found.latency, key=lambda each: each.system != found.judged):
        shown = [charts.latency_chart(each), *([] if each.why else [tables.times(each)])]
        if each.system == found.judged:
            yield from shown
        else:
            yield folded(f"Times of {named(each.system)}", *shown)


def _routing(found: Report) -> Iterator[Html]:
    if not found.confusions:
        yield note("There is no confusion matrix: no system said what it took a request for.")
    for each in found.confusions:
        yield charts.confusion_matrix(each)


def _wrong(found: Report) -> Iterator[Html]:
    if not any(each.of for each in found.wrong):
        yield note("No answer was wrong.")
        return
    if not found.keeps_texts:
        yield note("The run kept no texts, so that the cases are named and nothing of them is shown.")
    for each in found.wrong:
        if each.of:
            told = (
                f"{named(each.system)}: {counted(each.of, 'wrong answer')}, those kept at the highest confidence first"
            )
            yield paragraph(f"{told}{tables.first_of(each)}.")
            yield from tables.examples(each, keeps_texts=found.keeps_texts)


def _without_grade(found: Report) -> Iterator[Html]:
    if not found.without_grade:
        yield note("Every answer could be read, none failed, and nothing was turned away.")
    for each in found.without_grade:
        told = {"unparsed": "could not be read", "failed": "got no answer"}.get(each.kind, "turned away")
        heading = f"{named(each.system)}: {counted(each.of, 'case')} {told}{tables.first_of(each)}"
        yield folded(heading, *tables.whys(each), tables.listed(each))


def _manifest(found: Report) -> Iterator[Html]:
    if found.manifest is None:
        yield note("The outcomes came without a manifest.")
        return
    yield tables.suites(found.manifest, found.summaries)
    yield tables.manifest(found.manifest)
