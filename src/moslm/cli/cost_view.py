"""What ``moslm cost`` prints: the month beside the single model, what follows from it, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterator

from moslm.budgets.ownership import INPUTS, BreakEven
from moslm.budgets.ownership.records import Recorded
from moslm.budgets.sizing.settings import Sized
from moslm.cli.cost_figures import Figures
from moslm.cli.cost_words import NONE, amount, money, months, seconds, share
from moslm.cli.style import Style, style_for
from moslm.cli.table import columns, items, labelled, paragraphs

METHODS = {
    "M/M/c": "M/M/c, exact for random arrivals and exponential answers",
    "Allen-Cunneen": "Allen-Cunneen, within 5 % of a simulation of these answers (or hardly anybody waits)",
    "simulation": "simulation of these answers: Allen-Cunneen is not within 5 % of it",
}


def told(found: Figures, *, only_size: bool = False) -> str:
    """Return everything as text that fits the terminal."""
    style = style_for()
    blocks = [size_block(found.size, style)] if only_size and found.size else [*_blocks(found, style)]
    return "\n\n".join(blocks)


def _blocks(found: Figures, style: Style) -> Iterator[str]:
    yield style.bold(f"A month of {found.first.requests:,.0f} requests, by {found.name}")
    for each in found.question.notes:
        yield paragraphs(each)
    yield _month(found, style)
    yield labelled([*_facts(found)], style, strong="saves")
    if found.record:
        yield _models(found.record, found, style)
    yield _swings(found, style)
    yield _spread(found, style)
    if found.size:
        yield size_block(found.size, style)


def _month(found: Figures, style: Style) -> str:
    first, currency = found.first, found.question.currency
    lines = [
        [name, *(money(value, currency) if value else NONE for value in (ours, first.single_parts[name]))]
        for name, ours in first.parts.items()
        if ours or first.single_parts[name]
    ]
    lines.append(["sum", money(first.total, currency), money(first.single, currency)])
    return columns(["part", "MoSLM", "single"], lines, style, right="MoSLM single")


def _facts(found: Figures) -> Iterator[tuple[str, str]]:
    first, time, currency, case = found.first, found.over_time, found.question.currency, found.question.case
    yield "saves", items([f"{money(first.saving, currency)} a month ({share(first.saved, 0)})",
                          f"{money(12 * first.saving, currency)} a year"])  # fmt: skip
    yield "investment", money(time.investment, currency)
    simple = "never" if time.simple_payback is None else f"{months(time.simple_payback)}"
    back = [f"{simple} by the saving after depreciation", f"{months(time.payback)} in money paid"]
    back += [f"{months(time.discounted_payback)} discounted"] if case.discount else []
    yield "comes back", items(back)
    rate = f"discounted by {share(case.discount)} a year" if case.discount else "not discounted"
    yield "net value", f"{money(time.npv, currency)} after {case.months} months, {rate}"
    each, single = found.per_request, found.single_per_request
    yield "a request", f"{money(each[0], currency)}, the single model {money(single[0], currency)}"
    if case.success < 1 or case.single_success < 1:
        yield "that ends well", f"{money(each[1], currency)}, the single model {money(single[1], currency)}"
    if first.utilisation is not None:
        yield "hardware", items([f"bought {first.units} times" if first.units > 1 else "bought once",
                                 f"busy {share(first.utilisation)} of the time",
                                 f"{money(first.idle, currency)} a month for idle time"])  # fmt: skip
    yield "pays from", where(found.volume, f"{found.volume.value or 0:,.0f} requests a month")
    yield "pays up to", where(found.share, f"{share(found.share.value)} escalated")


def where(found: BreakEven, figure: str) -> str:
    """Return a break-even point with how it was found, or why there is none."""
    return found.why if found.value is None else f"{figure} ({found.why})"


def _models(record: Recorded, found: Figures, style: Style) -> str:
    header = ["model", "role", "calls", "read", "written", "cost", "busy"]
    lines = [
        [each.model, each.role, f"{each.calls:,}", f"{each.input_tokens:,}", f"{each.output_tokens:,}",
         money(each.usd), share(each.busy)]
        for each in record.models
    ]  # fmt: skip
    table = columns(header, lines, style, right="calls read written cost busy")
    ended = items([f"{name} {count:,}" for name, count in sorted(record.outcomes.items())])
    lost = f"{money(record.lost_usd)} for calls of the large model in requests that it did not answer"
    facts = [("ended", ended), ("failed", f"{record.failed:,} requests met a model that failed"), ("lost", lost)]
    for each in found.effective:
        busy = "" if each.utilisation is None else f" at {share(each.utilisation)} utilisation"
        facts.append((each.model, f"{money(each.usd_per_million)} for a million tokens written{busy}, by GPU-hour"))
    return f"{table}\n\n{labelled(facts, style)}"


def _swings(found: Figures, style: Style) -> str:
    currency = found.question.currency
    lines = [
        [INPUTS[each.name].label, amount(each.name, each.low, currency), amount(each.name, each.high, currency),
         money(each.at_low, currency), money(each.at_high, currency)]
        for each in found.moving
    ]  # fmt: skip
    header = ["what the saving depends on", "low", "high", "at-low", "at-high"]
    return columns(header, lines, style, right="low high at-low at-high")


def _spread(found: Figures, style: Style) -> str:
    outcomes, currency = found.outcomes, found.question.currency
    tail = (1 - outcomes.draws.interval) / 2
    low, high = f"p{100 * tail:g}", f"p{100 - 100 * tail:g}"
    header = ["if the inputs are uncertain", low, "median", high]
    lines = [
        ["saves a month", *(money(x, currency) for x in _three(found, "saving"))],
        ["of the single model's cost", *(share(x, 0) for x in _three(found, "saved"))],
        ["net value", *(money(x, currency) for x in _three(found, "npv"))],
        ["comes back, in money paid", *(months(x) for x in _three(found, "payback"))],
    ]
    inputs = ", ".join(f"{INPUTS[name].label} ({each.distribution})" for name, each in found.question.uncertain.items())
    words = (
        f"{outcomes.draws.count:,} cases drawn with seed {outcomes.draws.seed}, each input for itself: {inputs}."
        f" It saves in {outcomes.saving_cases:,} of them and comes back in {outcomes.returning_cases:,}."
    )
    return f"{columns(header, lines, style, right=f'{low} median {high}')}\n\n{paragraphs(words)}"


def _three(found: Figures, name: str) -> tuple[float, float, float]:
    each = found.outcomes.spread[name]
    return each.low, each.median, each.high


def size_block(size: Sized, style: Style) -> str:
    """Return what it takes."""
    return f"{style.bold('What it takes')}\n{labelled([*size_facts(size)], style, strong='takes')}"


def size_facts(size: Sized) -> Iterator[tuple[str, str]]:
    """Yield what it takes, line by line: (label, value)."""
    plan, load = size.plan, size.load
    spare = f" and {size.spare} to spare" if size.spare else ""
    yield "takes", items([f"{plan.replicas} replicas{spare}", f"{size.pieces} x {size.hardware}"])
    rate, answer_s = f"{load.rate:.3g} requests/s", f"{seconds(plan.load / load.rate)} an answer"
    side = f"{load.side_by_side} side by side on a replica"
    yield "load", items([rate, answer_s, side, f"{plan.load:.1f} being written"])
    yield "used", f"{share(plan.utilisation, 0)} of {plan.places} places"
    yield "wait", items([f"{share(plan.waiting)} wait", f"{seconds(plan.mean_wait)} on average"])
    if size.level and plan.late is not None:
        level = f"{share(size.level.percentile)} within {seconds(size.level.seconds)}"
        yield "level", f"{level}: {share(1 - plan.late)} are"
    yield "by", METHODS[plan.method]
    if plan.simulated is not None and plan.error is not None:
        yield "", items([f"Allen-Cunneen {seconds(plan.approximated)}",
                         f"simulation {seconds(plan.simulated)} ± {seconds(plan.error)}"])  # fmt: skip
    bought = [] if size.price is None else [f"{money(size.price, size.currency)} to buy ({size.as_of[0]})"]
    rented = [] if size.hour is None else [f"{money(size.hour, size.currency)} an hour to rent ({size.as_of[1]})"]
    known = [*bought, *rented]
    yield "list price", f"{items(known)}: change it to yours" if known else "nobody stated one"
    if size.kilowatts is not None:
        yield "power", f"{size.kilowatts:.2g} kW at most, by the data sheet"
