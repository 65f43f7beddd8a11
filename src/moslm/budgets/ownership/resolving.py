"""From the file of a case to its numbers: prices looked up, money in one currency, contradictions refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import NoReturn

from moslm.budgets.ownership.case import BY_KEY, INPUTS, Case, value_of, why_not
from moslm.budgets.ownership.case_file import CaseFile, Distribution
from moslm.budgets.ownership.chance import Draws, Uncertain, default_distributions
from moslm.budgets.ownership.sensitivity import default_ranges, with_inputs
from moslm.budgets.prices import PriceTable
from moslm.budgets.sizing.hardware import Hardware, hardware_of, hardware_table
from moslm.errors import ConfigError

_NEEDS = {
    "triangular": ("low", "mode", "high"),
    "uniform": ("low", "high"),
    "normal": ("mean", "sd"),
    "lognormal": ("median", "sigma"),
}


@dataclass(frozen=True, slots=True)
class Question:
    """A case and what is asked about it.

    Attributes:
        case: The inputs.
        currency: Of all its money.
        ranges: (low, high) of the inputs that the tornado moves, by their names in `Case`.
        uncertain: Distributions of the inputs that are drawn.
        draws: How is drawn.
        notes: What a reader must know about where the figures come from.
    """

    case: Case
    currency: str
    ranges: Mapping[str, tuple[float, float]]
    uncertain: Mapping[str, Uncertain]
    draws: Draws
    notes: tuple[str, ...] = ()


def resolved(said: CaseFile, prices: PriceTable, file: str) -> Question:
    """Return a case with every number settled.

    Args:
        said: What the file says.
        prices: What models cost, in US dollars.
        file: Its name, for messages.

    Raises:
        ConfigError: A price is missing or in a currency that nothing is known of, a choice is made twice, or shares,
            ranges and distributions cannot be.
    """
    traffic, single, owned = said.traffic, said.single, said.hardware
    local = 1 - traffic.escalated - traffic.remembered - traffic.handed_over - traffic.refused
    case = Case(
        requests=traffic.requests_per_month,
        growth=traffic.growth_per_month,
        escalated=traffic.escalated,
        remembered=traffic.remembered,
        handed_over=traffic.handed_over,
        refused=traffic.refused,
        retried=traffic.retried,
        success=traffic.success,
        single_per_request=_single(said, prices, file),
        single_remembered=single.remembered,
        single_handed_over=single.handed_over,
        single_success=single.success,
        large_per_request=said.large.per_request,
        local_per_request=said.local.per_request or 0.0,
        classifier_per_thousand=said.classifier.per_thousand,
        hardware=_hardware(said, file),
        residual=owned.residual,
        months=owned.months,
        capacity=_capacity(said, local, file),
        most_used=owned.most_used,
        operating=said.operating.per_month,
        kilowatts=said.operating.kilowatts,
        idle_power=said.operating.idle_power,
        per_kwh=said.operating.per_kwh,
        cooling=said.operating.cooling,
        people=said.people.per_month,
        people_once=said.people.once,
        per_handed_over=said.people.per_handed_over,
        discount=said.discount.per_year,
    )
    check(case, file)
    return asked(case, said, file)


def asked(case: Case, said: CaseFile, file: str, notes: tuple[str, ...] = ()) -> Question:
    """Return what is asked about a case: the file's ranges and distributions, or those by default.

    Raises:
        ConfigError: One of them names no input or cannot be.
    """
    ranges = {_input(key, "ranges", file): ends for key, ends in said.ranges.items()}
    for name, ends in ranges.items():
        _check_range(case, name, ends, file)
    ranges = ranges or default_ranges(case)
    uncertain = {_input(key, "uncertain", file): _uncertain(each, key, file) for key, each in said.uncertain.items()}
    uncertain = uncertain or default_distributions(ranges, case)
    draws = Draws(said.draws.count, said.draws.seed, said.draws.interval)
    return Question(case, said.currency, ranges, uncertain, draws, notes)


def check(case: Case, file: str) -> None:
    """Refuse a case that cannot be.

    Raises:
        ConfigError: The first thing that cannot.
    """
    if wrong := why_not(case):
        name, problem = wrong
        _refuse(problem, file, INPUTS[name].key, value_of(case, name), "mend it")


def in_currency(amount: float, currency: str, said: CaseFile, *, file: str, key: str) -> float:
    """Return an amount in the currency of the case.

    Raises:
        ConfigError: Nobody says what one of the two is worth.
    """
    if currency == said.currency:
        return amount
    rates = {**said.currencies, "USD": 1.0}
    for each in (currency, said.currency):
        if each not in rates:
            raise ConfigError(
                f"is in {currency}, and the case in {said.currency}",
                file=file,
                key=key,
                value=amount,
                mend=f"give the worth of one {each} in US dollars: [currencies] {each} = ...",
            )
    return amount * rates[currency] / rates[said.currency]


def _single(said: CaseFile, prices: PriceTable, file: str) -> float:
    single = said.single
    given = [key for key in ("per_month", "per_request", "model") if getattr(single, key) is not None]
    if len(given) != 1:
        problem = f"has two prices, {given[0]} and {given[1]}" if given else "has no price"
        raise ConfigError(problem, file=file, key="single", mend="give one of per_month, per_request and model")
    if single.per_request is not None:
        return single.per_request
    if single.per_month is not None:
        return single.per_month / said.traffic.requests_per_month
    assert single.model is not None
    if single.tokens_in is None or single.tokens_out is None:
        missing = "tokens_in" if single.tokens_in is None else "tokens_out"
        raise ConfigError(
            "is missing", file=file, key=f"single.{missing}", mend=f"a model is priced by tokens: add {missing}"
        )
    try:
        price = prices.of(single.model, owned=False)
    except ConfigError:
        mend = "give per_request in its place, or its price under [prices] of moslm.toml"
        _refuse("has no known price", file, "single.model", single.model, mend)
    usd = (single.tokens_in * price.input + single.tokens_out * price.output) / 1_000_000
    return in_currency(usd, "USD", said, file=file, key="single.model")


def _hardware(said: CaseFile, file: str) -> float:
    owned = said.hardware
    if (owned.price is None) == (not owned.items):
        problem = "has two prices, price and items" if owned.items else "has no price"
        raise ConfigError(
            problem, file=file, key="hardware", mend="give one of price and items (price = 0 where all is rented)"
        )
    if owned.price is not None:
        return owned.price
    table = hardware_table(said.hardware_classes)
    return sum(
        each.count * _one(said, table, each.name, each.price, f"hardware.items.{place}", file)
        for place, each in enumerate(owned.items)
    )


def _one(said: CaseFile, table: Mapping[str, Hardware], name: str, price: float | None, key: str, file: str) -> float:
    found = hardware_of(table, name, file=file, key=f"{key}.name")
    if price is not None:
        return price
    if found.price is None:
        raise ConfigError(
            "has no list price", file=file, key=f"{key}.name", value=name, mend="add price = ... to the line"
        )
    return in_currency(found.price, found.currency, said, file=file, key=f"{key}.name")


def _capacity(said: CaseFile, local: float, file: str) -> float:
    owned = said.hardware
    if owned.requests_per_month is not None and owned.utilisation is not None:
        mend = "give requests_per_month or utilisation"
        raise ConfigError(
            "is said in two ways", file=file, key="hardware.utilisation", value=owned.utilisation, mend=mend
        )
    if owned.utilisation is not None:
        return said.traffic.requests_per_month * max(local, 0.0) / owned.utilisation
    return owned.requests_per_month or 0.0


def _input(key: str, section: str, file: str) -> str:
    if key in BY_KEY:
        return BY_KEY[key]
    close = get_close_matches(key, BY_KEY, n=1, cutoff=0.5)
    raise ConfigError(
        "names no input",
        file=file,
        key=f"{section}.{key}",
        mend=f"did you mean {close[0]}?" if close else f"write a key of this file, such as {', '.join([*BY_KEY][:3])}",
    )


def _check_range(case: Case, name: str, ends: tuple[float, float], file: str) -> None:
    key = f"ranges.{INPUTS[name].key}"
    if ends[0] > ends[1]:
        _refuse("begins after its end", file, key, [*ends], "write the lower end first")
    for end in ends:
        if wrong := why_not(with_inputs(case, {name: end})):
            _refuse(f"{end:g} cannot be: {wrong[1]}", file, key, [*ends], "narrow it")


def _uncertain(said: Distribution, key: str, file: str) -> Uncertain:
    needs = _NEEDS[said.distribution]
    given = {name: value for name, value in said.model_dump(exclude={"distribution"}).items() if value is not None}
    where = f"uncertain.{key}"
    for name in needs:
        if name not in given:
            raise ConfigError(
                "is missing",
                file=file,
                key=f"{where}.{name}",
                mend=f"a {said.distribution} distribution has {', '.join(needs)}",
            )
    if more := next((name for name in given if name not in needs), None):
        _refuse(
            f"has no meaning for a {said.distribution} distribution",
            file,
            f"{where}.{more}",
            given[more],
            f"it has {', '.join(needs)}",
        )
    if "high" in needs and not given["low"] <= given.get("mode", given["low"]) <= given["high"]:
        _refuse("is not in order", file, where, given, "write low, mode and high from the least to the most")
    return Uncertain(said.distribution, **given)


def _refuse(problem: str, file: str, key: str, value: object, mend: str) -> NoReturn:
    raise ConfigError(problem, file=file, key=key, value=value, mend=mend)
