"""The page of ``moslm cost --html``: the same figures as tables and charts, for people who have no MoSLM."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np

from moslm import __version__
from moslm.budgets.ownership import INPUTS, Case, month
from moslm.budgets.ownership.case import value_of
from moslm.budgets.ownership.chance import Spread
from moslm.budgets.ownership.monthly import PARTS
from moslm.budgets.ownership.sensitivity import with_inputs
from moslm.cli.cost_figures import Figures
from moslm.cli.cost_view import size_facts, where
from moslm.cli.cost_words import NONE, amount, money, months, share
from moslm.reports import bars
from moslm.reports.axes import Axis, percent, plain
from moslm.reports.blocks import folded, note, section, table, tiles
from moslm.reports.frame import Mark
from moslm.reports.histogram import histogram
from moslm.reports.markup import Html
from moslm.reports.page import page
from moslm.reports.xy import Series, xy

_POINTS = 60
_BINS = 40


def cost_page(found: Figures) -> str:
    """Return the page."""
    lead = (
        f"A month of {found.first.requests:,.0f} requests: small models of one's own, with a large one for"
        f" {share(found.question.case.escalated)} of them, beside one large model for everything. By {found.name}."
    )
    foot = (
        f"moslm {__version__} · {datetime.now(UTC):%Y-%m-%d} · {found.name} · all amounts in {found.question.currency}"
    )
    return page("What owning it costs", _tiles(found), *_sections(found), lead=lead, foot=foot)


def _sections(found: Figures) -> Iterator[Html]:
    if found.question.notes or found.record:
        yield section("Where the figures come from", *found.question.notes, *_record(found))
    yield section("One month", _parts(found), _month_table(found), *_idle(found))
    yield section("Over the months", _cumulative(found), _horizon_table(found))
    yield section("What the saving depends on", _tornado(found), _volume(found), _share(found), _break_even(found))
    yield section("If the inputs are uncertain", _histogram(found), _spread_table(found), _drawn(found))
    if found.size:
        yield section("What it takes", table(["", ""], [[*each] for each in size_facts(found.size)]))
    yield section("Every input", folded("Show them", _inputs(found)))


def _tiles(found: Figures) -> Html:
    first, time, currency = found.first, found.over_time, found.question.currency
    spread = found.outcomes.spread["saving"]
    interval = share(found.outcomes.draws.interval, 0)
    within = f"{money(spread.low, currency)} to {money(spread.high, currency)} in {interval} of cases"
    return tiles(
        [
            ("saves a month", money(first.saving, currency), f"{share(first.saved, 0)} · {within}"),
            ("saves a year", money(12 * first.saving, currency), "twelve of the first month"),
            ("comes back in", months(time.payback), f"money paid · {months(time.simple_payback)} after depreciation"),
            ("net value", money(time.npv, currency), f"after {found.question.case.months} months"),
        ]
    )


def _usd(found: Figures, label: str) -> Axis:
    currency = found.question.currency
    return Axis(label, write=lambda value: money(value, currency))


def _parts(found: Figures) -> Html:
    first = found.first
    named = [part for part in PARTS if first.parts[part] or first.single_parts[part]]
    ours, single = ([parts[part] for part in named] for parts in (first.parts, first.single_parts))
    shown = [("one large model", single), ("MoSLM", ours)]
    return bars.stacked("What a month costs, by part", shown, named, _usd(found, "a month"))


def _month_table(found: Figures) -> Html:
    first, currency = found.first, found.question.currency
    lines = [
        [part, *(money(value, currency) if value else NONE for value in (ours, first.single_parts[part]))]
        for part, ours in first.parts.items()
        if ours or first.single_parts[part]
    ]
    lines.append(["sum", money(first.total, currency), money(first.single, currency)])
    lines.append(["saving", money(first.saving, currency), share(first.saved)])
    header = ["part", "MoSLM", "one large model"]
    return table(header, lines, right="MoSLM|one large model", strong=[len(lines) - 2, len(lines) - 1])


def _idle(found: Figures) -> Iterator[Html]:
    first = found.first
    if first.idle is None:
        yield note("How busy the hardware is is not stated, so nothing is said of idle time.")
        return
    yield note(
        f"The hardware is busy {share(first.utilisation)} of the time;"
        f" {money(first.idle, found.question.currency)} of the month's cost is paid for time in which nothing is asked."
    )


def _cumulative(found: Figures) -> Html:
    time = found.over_time
    series = [Series("saved less paid", [(float(at), value) for at, value in enumerate(time.cumulative)])]
    if found.question.case.discount:
        points = [(float(at), value) for at, value in enumerate(time.discounted)]
        series.append(Series("in the money of today", points, dashed=True))
    held = [Mark(0.0, "", along="y")]
    if time.payback is not None:
        held.append(Mark(time.payback, f"comes back: {months(time.payback)}"))
    under = "All money that is paid and saved, from the start; what the hardware can be sold for is not within."
    x = Axis("months", low=0.0, high=float(found.question.case.months))
    return xy("When it pays for itself", series, x, _usd(found, ""), held=held, under=under)


def _horizon_table(found: Figures) -> Html:
    time, currency = found.over_time, found.question.currency
    lines = [
        ["investment", money(time.investment, currency)],
        ["comes back, in money paid", months(time.payback)],
        ["comes back, discounted", months(time.discounted_payback)],
        ["investment over the saving after depreciation", months(time.simple_payback)],
        ["saved in the end", money(time.saved, currency)],
        ["net present value", money(time.npv, currency)],
    ]
    return table(["", "figure"], lines, right="figure")


def _tornado(found: Figures) -> Html:
    currency = found.question.currency
    swings = [
        bars.Swing(
            INPUTS[each.name].label,
            each.at_low,
            each.at_high,
            (amount(each.name, each.low, currency), amount(each.name, each.high, currency)),
        )
        for each in found.moving
    ]
    under = "Each input alone moved to its ends, the others as they are."
    axis = _usd(found, "saving a month")
    return bars.tornado("The saving, with one input moved", swings, found.first.saving, axis, under=under)


def _volume(found: Figures) -> Html:
    case = found.question.case
    most = 2 * max(case.requests, found.volume.value or 0.0)
    x = Axis("requests a month", write=plain, low=0.0, high=most)
    at = found.volume.value
    held = [] if at is None else [Mark(at, f"{at:,.0f}")]
    steps = [most * place / _POINTS for place in range(_POINTS + 1)]
    return _beside("Cost by volume", case, steps, x, found, held, "requests")


def _share(found: Figures) -> Html:
    case = found.question.case
    most = 1 - case.remembered - case.handed_over - case.refused
    at = found.share.value
    held = [Mark(case.escalated, f"now {share(case.escalated)}")]
    held += [] if at is None else [Mark(at, f"break-even {share(at)}")]
    x = Axis("share escalated", write=percent, low=0.0, high=max(most, 0.01))
    steps = [max(most, 0.01) * place / _POINTS for place in range(_POINTS + 1)]
    return _beside("Cost by the share escalated", case, steps, x, found, held, "escalated")


def _beside(title: str, case: Case, steps: list[float], x: Axis, found: Figures, held: list[Mark], name: str) -> Html:
    made = [month(with_inputs(case, {name: each})) for each in steps]
    ours = Series("MoSLM", [(at, each.total) for at, each in zip(steps, made, strict=True)])
    single = Series("one large model", [(at, each.single) for at, each in zip(steps, made, strict=True)])
    return xy(title, [ours, single], x, _usd(found, "a month"), held=held)


def _break_even(found: Figures) -> Html:
    lines = [
        ["pays from", where(found.volume, f"{found.volume.value or 0:,.0f} requests a month")],
        ["pays up to", where(found.share, f"{share(found.share.value)} escalated")],
    ]
    return table(["break-even", "where"], lines)


def _histogram(found: Figures) -> Html:
    outcomes = found.outcomes
    counts, edges = np.histogram(outcomes.saving, bins=_BINS)
    spread = outcomes.spread["saving"]
    held = [Mark(spread.median, "median")]
    tail = (1 - outcomes.draws.interval) / 2
    held += [Mark(spread.low, share(tail)), Mark(spread.high, share(1 - tail))]
    under = f"{outcomes.draws.count:,} cases; {outcomes.saving_cases:,} of them save"
    x = _usd(found, "saving a month")
    return histogram(
        "The saving over all cases", counts.tolist(), edges.tolist(), x, held=held, under=under, count="cases"
    )


def _spread_table(found: Figures) -> Html:
    outcomes, currency = found.outcomes, found.question.currency
    tail = (1 - outcomes.draws.interval) / 2
    low, high = share(tail), share(1 - tail)
    spread = outcomes.spread
    lines = [
        ["saves a month", *(money(x, currency) for x in _three(spread["saving"]))],
        ["of the single model's cost", *(share(x) for x in _three(spread["saved"]))],
        ["net present value", *(money(x, currency) for x in _three(spread["npv"]))],
        ["comes back, in money paid", *(months(x) for x in _three(spread["payback"]))],
    ]
    return table(["figure", low, "median", high], lines, right=f"{low}|median|{high}")


def _three(spread: Spread) -> tuple[float, float, float]:
    return spread.low, spread.median, spread.high


def _drawn(found: Figures) -> Html:
    draws, currency = found.outcomes.draws, found.question.currency
    told = []
    for name, each in found.question.uncertain.items():
        ends = {
            "triangular": (each.low, each.mode, each.high),
            "uniform": (each.low, each.high),
            "normal": (each.mean, each.sd),
            "lognormal": (each.median,),
        }[each.distribution]
        sigma = f", sigma {each.sigma:g}" if each.distribution == "lognormal" else ""
        told.append(
            f"{INPUTS[name].label} {each.distribution} {', '.join(amount(name, e, currency) for e in ends)}{sigma}"
        )
    return note(f"Seed {draws.seed}; each input is drawn for itself: {'; '.join(told)}.")


def _record(found: Figures) -> Iterator[Html]:
    record = found.record
    if record is None:
        return
    header = ["model", "role", "calls", "tokens read", "tokens written", "cost", "busy"]
    lines = [
        [each.model, each.role, f"{each.calls:,}", f"{each.input_tokens:,}", f"{each.output_tokens:,}",
         money(each.usd), share(each.busy)]
        for each in record.models
    ]  # fmt: skip
    yield table(header, lines, right="calls|tokens read|tokens written|cost|busy")
    outcomes = sorted(record.outcomes.items(), key=lambda each: -each[1])
    shown = [bars.Bar(name.replace("_", " "), count / record.requests) for name, count in outcomes]
    under = f"{record.requests:,} requests, {record.begins:%Y-%m-%d} to {record.ends:%Y-%m-%d}"
    yield bars.bars("How requests ended", shown, Axis("share of requests", write=percent), under=under)
    if found.effective:
        prices = [[each.model, money(each.usd_per_million), share(each.utilisation)] for each in found.effective]
        header = ["model by GPU-hour", "a million tokens written", "utilisation"]
        yield table(header, prices, right="a million tokens written|utilisation")


def _inputs(found: Figures) -> Html:
    case, currency = found.question.case, found.question.currency
    lines = [[each.key, each.label, amount(name, value_of(case, name), currency)] for name, each in INPUTS.items()]
    return table(["key", "input", "value"], lines, right="value")
