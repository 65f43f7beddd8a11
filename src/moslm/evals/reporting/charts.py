"""The charts of a report. Draws what the report holds and computes nothing; where there is nothing, says why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from moslm.evals.comparing.baselines import CANDIDATE
from moslm.evals.reporting.confusion import Confusion
from moslm.evals.reporting.cost_quality import BLIND, CALLS, CostQuality, Placed
from moslm.evals.reporting.coverage import Coverage
from moslm.evals.reporting.latency import Latency, Timed
from moslm.evals.reporting.reliability import Reliability
from moslm.evals.reporting.summary import Summary
from moslm.evals.reporting.writing import NONE, in_unit, named, share, whole
from moslm.governance.wording import dollars, milliseconds
from moslm.reports import bars
from moslm.reports.axes import Axis, percent, plain
from moslm.reports.blocks import note
from moslm.reports.frame import Mark
from moslm.reports.heatmap import heatmap
from moslm.reports.markup import Html
from moslm.reports.xy import Series, xy

_EVERYTHING = 1.0


def accuracy_bars(summaries: Sequence[Summary]) -> Html:
    """Draw the accuracy of every system on all suites."""
    shown = []
    for place, each in enumerate(summaries):
        figure = each.figures.get("accuracy")
        if figure is not None and figure.value is not None:
            within = None if figure.low is None or figure.high is None else (figure.low, figure.high)
            shown.append(bars.Bar(named(each.system), figure.value, within, place))
    if not shown:
        return note("Accuracy by system is not drawn: no case was put to anybody.")
    axis = Axis("accuracy", write=share, low=0.0, high=_EVERYTHING)
    return bars.bars("Accuracy by system", shown, axis, under="Mean of the points over all that was asked; 95 %.")


def reliability_diagram(found: Reliability) -> Html:
    """Draw the confidence that was said beside the share that was right."""
    title = f"Reliability of {named(found.system)}"
    if found.why:
        return note(f"{title} is not drawn: {found.why}.")
    points = [(each.said, each.right.value or 0.0) for each in found.bins]
    within = [(each.right.low or 0.0, each.right.high or 0.0) for each in found.bins]
    diagonal = Series("as said", [(0.0, 0.0), (1.0, 1.0)], dashed=True)
    drafts = Series("drafts", points, drawn="points", interval=within)
    under = (
        f"{found.drafts:,} graded drafts in {len(found.bins)} bins of equal mass, with 95 % intervals;"
        f" expected calibration error {whole(found.error)}."
    )
    x = Axis("confidence that was said", write=percent, low=0.0, high=1.0)
    y = Axis("share that was right", write=percent, low=0.0, high=1.0)
    return xy(title, [drafts, diagonal], x, y, under=under)


def coverage_curve(found: Coverage) -> Html:
    """Draw the share wrong among the kept against the share that is kept."""
    title = f"Risk against coverage of {named(found.system)}"
    if found.why:
        return note(f"{title} is not drawn: {found.why}.")
    line = Series(
        "wrong among the kept",
        [(each.coverage, each.risk) for each in found.points],
        interval=[(each.low, each.high) for each in found.points],
    )
    series, marks = [line], []
    if found.at_threshold is not None and found.at_threshold.coverage.value is not None:
        marks.append(Mark(found.at_threshold.coverage.value, f"threshold in force: {thresholds(found)}"))
    kept = found.in_fact
    if kept and kept.coverage.value and kept.risk.value is not None:
        risk = kept.risk
        within = [(risk.low or 0.0, risk.high or 0.0)]
        series.append(Series("kept in fact", [(kept.coverage.value, kept.risk.value)], "points", interval=within))
    area = f"; area under the curve {found.area:.3f}" if found.area is not None else ""
    under = f"{found.drafts:,} graded drafts, the most confident kept first, with 95 % intervals{area}."
    x = Axis("share of the drafts that is kept", write=percent, low=0.0, high=1.0)
    return xy(title, series, x, Axis("share wrong among them", write=percent, low=0.0), held=marks, under=under)


def thresholds(found: Coverage) -> str:
    """Write the thresholds in force."""
    if not found.thresholds:
        return NONE
    low, high = found.thresholds[0], found.thresholds[-1]
    return f"{low:.2f}" if low == high else f"{low:.2f} to {high:.2f}"


def cost_quality_chart(found: CostQuality) -> Html:
    """Draw every system by cost and quality, and the curve of the gate beside the blind mix."""
    shown = [each for each in found.systems if each.cost is not None and each.quality.value is not None]
    if not shown:
        return note("Cost against quality is not drawn: there is no case that every system has.")
    series = [
        Series(f"{named(found.system)} at {each.system}" if each.system != BLIND else each.system,
               [(point.cost, point.quality) for point in each.curve], dashed=each.system == BLIND)
        for each in found.curves
    ]  # fmt: skip
    series += [*_points(shown)]
    money = found.unit != CALLS
    x = Axis("US dollars for 1,000 cases" if money else "calls to the large model a case",
             write=dollars if money else plain, low=0.0)  # fmt: skip
    under = f"On the {found.cases:,} cases that every system has; quality with 95 % intervals."
    if found.curves and found.curve_cases < found.cases:
        under += f" The curves are of the {found.curve_cases:,} of them with a graded draft and a confidence."
    return xy("Cost against quality", series, x, Axis("mean points of a case", write=percent), under=under)


def _points(shown: Sequence[Placed]) -> Iterator[Series]:
    """Yield a series a system; the small models beside the best one share a series."""
    candidates = [each for each in shown if each.system.startswith(CANDIDATE)]
    together = candidates if len(candidates) > 1 else []
    for each in shown:
        if each not in together:
            yield _series(named(each.system), [each])
    if together:
        yield _series("single small models", together)


def _series(name: str, placed: Sequence[Placed]) -> Series:
    points = [(each.cost or 0.0, each.quality.value or 0.0) for each in placed]
    bounds = [(each.quality.low, each.quality.high) for each in placed]
    within = [(low, high) for low, high in bounds if low is not None and high is not None]
    return Series(name, points, "points", interval=within if len(within) == len(points) else ())


def latency_chart(found: Latency) -> Html:
    """Draw the share of the requests that took no longer, with the service levels as points."""
    title = f"Times of {named(found.system)}"
    drawn = [each for each in found.times if each.curve]
    if not drawn:
        return note(f"{title} are not drawn: {found.why or 'nothing was timed'}.")
    series = [
        Series(f"{each.name} (service level: {level_of(each)})", [(max(ms, 0.01), share) for ms, share in each.curve])
        for each in drawn
    ]
    for place, each in enumerate(drawn):
        at = (each.level.limit_ms, each.level.quantile)
        series.append(Series(f"service level of {each.name}", [at], "points", place=place))
    x = Axis("time", write=milliseconds, log=True)
    y = Axis("share of the requests that took no longer", write=percent, low=0.0, high=1.0)
    under = "Points are the service levels; one is kept where the line of its colour passes left of it."
    return xy(title, series, x, y, under=under)


def level_of(timed: Timed) -> str:
    """Write what was promised about a time."""
    return f"p{100 * timed.level.quantile:g} ≤ {milliseconds(timed.level.limit_ms)}"


def confusion_matrix(found: Confusion) -> Html:
    """Draw the domain requests belong to against the one they were taken for."""
    values = [[float(count) for count in row] for row in found.counts]
    shade = [[count / sum(row) if sum(row) else 0.0 for count in row] for row in values]
    rows, columns = ([named(each).replace("_", " ") for each in names] for names in (found.rows, found.columns))
    under = f"Router accuracy {whole(found.accuracy)}; requests that belong to no domain are not within."
    title = f"What {named(found.system)} took requests for"
    return heatmap(
        title,
        rows,
        columns,
        values,
        shade=shade,
        write=lambda count: in_unit(count, "count"),
        across="taken for",
        down="belongs to",
        under=under,
    )
