"""The page of a window of live traffic. Draws what `Traffic` holds, computes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from moslm.evals.figures import Figure
from moslm.evals.reporting import charts, tables
from moslm.evals.reporting.traffic import Traffic
from moslm.evals.reporting.writing import NONE, beside, interval_of, named, share, value_of, whole
from moslm.governance.wording import counted, dollars
from moslm.reports import bars
from moslm.reports.axes import Axis, percent, plain
from moslm.reports.blocks import alert, note, paragraph, section, table, tiles
from moslm.reports.frame import Mark
from moslm.reports.histogram import histogram
from moslm.reports.markup import Html
from moslm.reports.page import page
from moslm.reports.xy import Series, xy


def traffic_page(found: Traffic) -> str:
    """Return the page."""
    lead = f"{counted(found.requests, 'request')} closed from {_moment(found.begins)} to {_moment(found.ends)} UTC."
    foot = f"moslm {found.by} · {found.made} · {named(found.name)}"
    ungraded = note("Whether answers were right stands in no record: graded suites say that (moslm eval).")
    body = [*_sections(found)] if found.requests else [alert("No request was closed in this window.")]
    return page("Live traffic", ungraded, *body, lead=lead, foot=foot)


def _sections(found: Traffic) -> Iterator[Html]:
    told = {
        "escalated": found.escalated,
        "saved": found.saved,
        "cost of a request": found.usd_a_request,
        "confidence known": found.confidence_known,
        "drafts that failed": found.failed_drafts,
    }
    yield tiles([(name, value_of(figure), beside(figure)) for name, figure in told.items()])
    yield section("How requests ended", *_shares("By ending", found.endings))
    yield section("Day by day", *_days(found))
    yield section("Domains", *_shares("By domain", found.domains))
    yield section("Triggers that fired", *_shares("By trigger", found.triggers))
    yield section("Confidence", *_confidence(found))
    yield section("Cost", *_cost(found))
    yield section("How long it takes", charts.latency_chart(found.latency), tables.times(found.latency))
    yield section("Made from", _configs(found))


def _shares(title: str, figures: Mapping[str, Figure]) -> Iterator[Html]:
    if not figures:
        yield note("None.")
        return
    shown = [
        bars.Bar(named(name.replace("_", " ")), each.value or 0.0, (each.low or 0.0, each.high or 0.0))
        for name, each in figures.items()
    ]
    yield bars.bars(title, shown, Axis("share of the requests", write=share, low=0.0), under="With 95 % intervals.")
    rows = [
        [named(name.replace("_", " ")), value_of(each), interval_of(each), f"{each.n:,}"]
        for name, each in figures.items()
    ]
    yield table(["", "share", "95 %", "n"], rows, right="share|95 %|n")


def _moment(written: str | None) -> str:
    return NONE if written is None else named(written[:16].replace("T", " "))


def _days(found: Traffic) -> Iterator[Html]:
    if len(found.days) > 1:
        yield from _course(found)
    else:
        yield note("No course is drawn: all requests were closed on one day.")
    rows = [[each.day, f"{each.requests:,}", whole(each.escalated), dollars(each.usd)] for each in found.days]
    yield table(["day", "requests", "escalated", "spent"], rows, right="requests|spent")


def _course(found: Traffic) -> Iterator[Html]:
    first = date.fromisoformat(found.days[0].day)
    places = [float((date.fromisoformat(each.day) - first).days) for each in found.days]
    x = Axis(f"days since {found.days[0].day}")
    drawn = [(place, each) for place, each in zip(places, found.days, strict=True) if each.escalated.value is not None]
    if drawn:
        series = Series(
            "escalated",
            [(place, each.escalated.value or 0.0) for place, each in drawn],
            interval=[(each.escalated.low or 0.0, each.escalated.high or 0.0) for _, each in drawn],
            dots=True,
        )
        y = Axis("share escalated", write=percent, low=0.0)
        yield xy("Share escalated", [series], x, y, under="Of the requests of the day; with 95 % intervals.")
    else:
        yield note("The share escalated is not drawn: every request was refused.")
    spent = Series("spent", [(place, each.usd) for place, each in zip(places, found.days, strict=True)], dots=True)
    yield xy("Spent a day", [spent], x, Axis("US dollars", write=dollars, low=0.0))


def _confidence(found: Traffic) -> Iterator[Html]:
    if not any(found.confidence_counts):
        yield note("Confidence is not drawn: of no draft it is known.")
    else:
        held = [Mark(each, f"threshold {each:.2f}") for each in found.thresholds[:1]]
        under = f"Lowest among the drafts of a request; known of {whole(found.confidence_known)} of those with a draft."
        x = Axis("confidence", write=plain, low=0.0, high=1.0)
        yield histogram("Confidence", found.confidence_counts, found.confidence_edges, x, held=held, under=under,
                        count="requests")  # fmt: skip
    if len(found.thresholds) > 1:
        yield note(f"Thresholds in force: {', '.join(f'{each:.2f}' for each in found.thresholds)}.")
    if found.calibrations:
        told = ", ".join(f"{count:,} {state.replace('_', ' ')}" for state, count in found.calibrations.items())
        yield paragraph(f"Calibration behind the drafts: {told}.")


def _cost(found: Traffic) -> Iterator[Html]:
    rows = [
        ["spent", dollars(found.spent_usd)],
        ["one large model for everything", dollars(found.baseline_usd)],
        ["saved", whole(found.saved)],
        ["a request", whole(found.usd_a_request)],
    ]
    yield table(["", "figure"], rows)
    models = [
        [named(each.model), each.role, f"{each.calls:,}", f"{each.input_tokens:,}", f"{each.output_tokens:,}",
         dollars(each.usd)]
        for each in found.models
    ]  # fmt: skip
    header = ["model", "role", "calls", "tokens read", "tokens written", "cost"]
    yield table(header, models, right="calls|tokens read|tokens written|cost")


def _configs(found: Traffic) -> Html:
    rows = [[named(sha), f"{count:,}"] for sha, count in found.configs.items()]
    return table(["configuration", "requests"], rows, right="requests")
