"""What a model's tokens cost: a dated table as data, and the way from a model's name to its line.

Hosted models have list prices (``prices.toml`` beside this file; ``[prices]`` of the configuration takes precedence).
A model on hardware one owns costs nothing *per call*, unless ``[prices]`` gives what its GPUs cost an hour and how fast
they write: then an answer costs its share of their time. What owning the hardware costs beside one large model is
`moslm.budgets.ownership`'s. A hosted model nobody knows the price of is refused: it is never taken for free.

Knows names and figures; not which models are configured, nor what was spent.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources

from moslm.config import Price
from moslm.errors import ConfigError

FREE = Price(input=0.0, cached_input=0.0, output=0.0, as_of="owned hardware")
"""Price of a model on one's own hardware: nothing for each call."""

_DATED = re.compile(r"(-latest|-preview|[-@]\d{4}-\d{2}-\d{2}|[-@]\d{8}|[-@]\d{4}|-v\d+(:\d+)?|-\d{3})$")
"""Endings that name one release of a model: ``-2024-08-06``, ``-20241022``, ``@20240307``, ``-0125``, ``-latest``."""


class PriceTable:
    """Prices by model name.

    Args:
        own: ``[prices]`` of the configuration; found before the shipped table, and the only way to price a name that
            the table does not know.
        currencies: What one unit of each currency is worth in US dollars, beside the dollar itself.

    Raises:
        ConfigError: A price is in a currency that nothing is known of.
    """

    def __init__(self, own: Mapping[str, Price] | None = None, currencies: Mapping[str, float] | None = None) -> None:
        rates = {**(currencies or {}), "USD": 1.0}
        priced = {name: per_million(price) for name, price in (own or {}).items()}
        self._own = {name.lower(): _in_dollars(name, price, rates) for name, price in priced.items()}
        self._shipped = _shipped()

    def of(self, model: str, *, owned: bool | None = None) -> Price:
        """Return the price of a model.

        Args:
            model: Its name, with or without a provider before it (``openai:gpt-4o``) and the date of a release behind
                it (``gpt-4o-2024-08-06``). A line for the exact release comes before the one for the model.
            owned: Whether it runs on hardware one owns; None tells by the name (a local provider, an open-weight
                family without a hosted provider).

        Raises:
            ConfigError: It is hosted and no line prices it.
        """
        names = list(_spellings(model))
        own = _first(self._own, names)
        if own is not None:
            return own
        listed = _first(self._shipped.hosted, names)
        if owned is None:
            owned = listed is None and self._looks_owned(model)
        if owned:
            return FREE
        if listed is None:
            raise self._unpriced(model)
        return listed

    def cost_usd(
        self,
        model: str,
        input_tokens: int,
        output_tokens: int,
        *,
        cached_tokens: int = 0,
        reasoning_tokens: int = 0,
        owned: bool | None = None,
    ) -> float:
        """Return what a call cost, in US dollars.

        Args:
            model: As for `of`.
            input_tokens: Tokens of the prompt, those from the provider's cache included.
            output_tokens: Tokens of the answer, reasoning included.
            cached_tokens: How many of the prompt's tokens came from the provider's cache.
            reasoning_tokens: How many of the answer's tokens were reasoning.
            owned: As for `of`.

        Raises:
            ConfigError: The model is hosted and no line prices it.
        """
        price = self.of(model, owned=owned)
        cached_price = price.input if price.cached_input is None else price.cached_input
        reasoning_price = price.output if price.reasoning is None else price.reasoning
        fresh, said = max(input_tokens - cached_tokens, 0), max(output_tokens - reasoning_tokens, 0)
        read = fresh * price.input + cached_tokens * cached_price
        return (read + said * price.output + reasoning_tokens * reasoning_price) / 1_000_000

    def most_usd(self, model: str, input_tokens: int, output_tokens: int, *, owned: bool | None = None) -> float:
        """Return the most a call can cost, in US dollars, however its tokens are divided.

        Raises:
            ConfigError: The model is hosted and no line prices it.
        """
        price = self.of(model, owned=owned)
        read = max(price.input, price.cached_input or 0.0)
        return (input_tokens * read + output_tokens * max(price.output, price.reasoning or 0.0)) / 1_000_000

    def _looks_owned(self, model: str) -> bool:
        provider, _, name = model.lower().rpartition(":")
        if provider:
            return provider in self._shipped.owned_providers
        return any(
            fnmatchcase(spelling, pattern)
            for spelling in (name, _last_segment(name))
            for pattern in self._shipped.patterns
        )

    def _unpriced(self, model: str) -> ConfigError:
        bare = next(reversed(list(_spellings(model))))
        close = get_close_matches(bare, [*self._own, *self._shipped.hosted], n=1, cutoff=0.8)
        hint = f" (or did you mean {close[0]}?)" if close else ""
        return ConfigError(
            "has no known price, and a hosted model is never taken for free",
            key=f'prices."{model}"',
            mend=f'add under [prices]: "{model}" = {{ input = ..., output = ... }}, dollars per million tokens{hint}',
        )


def per_million(price: Price) -> Price:
    """Return a price per million tokens: one by the hour of a GPU becomes what its time costs.

    Tokens from the prefix cache are not read again and cost nothing.
    """
    if price.gpu_hour is None or price.tokens_per_second is None:
        return price
    second = price.gpu_hour * price.gpus / 3600 / price.utilisation
    reading = price.prompt_tokens_per_second
    read = second / reading * 1_000_000 if reading else 0.0
    figures = {"input": read, "cached_input": 0.0, "output": second / price.tokens_per_second * 1_000_000}
    return price.model_copy(update=figures)


def _in_dollars(model: str, price: Price, rates: Mapping[str, float]) -> Price:
    rate = rates.get(price.currency)
    if rate is None:
        raise ConfigError(
            "is a currency that nothing is known of",
            key=f'prices."{model}".currency',
            value=price.currency,
            mend=f"give its worth in US dollars: [currencies] {price.currency} = ...",
        )
    if rate == 1.0:
        return price
    named = ("input", "cached_input", "output", "reasoning")
    figures = {key: value * rate for key in named if (value := getattr(price, key)) is not None}
    return price.model_copy(update={**figures, "currency": "USD"})


@dataclass(frozen=True, slots=True)
class _Shipped:
    hosted: dict[str, Price]
    owned_providers: frozenset[str]
    patterns: tuple[str, ...]


@cache
def _shipped() -> _Shipped:
    text = resources.files("moslm.budgets").joinpath("prices.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)
    return _Shipped(
        hosted={name: Price.model_validate(line) for name, line in table["hosted"].items()},
        owned_providers=frozenset(table["owned"]["providers"]),
        patterns=tuple(table["owned"]["patterns"]),
    )


def _spellings(model: str) -> Iterator[str]:
    """Yield the names a model's line may stand under, the most exact first."""
    name = model.strip().lower()
    yield name
    # openai:gpt-4o, us.anthropic.claude-3-haiku-20240307-v1:0, models/gemini-..., openai/gpt-4o
    for bare in (re.sub(r"^[a-z_]+:", "", name), _last_segment(re.sub(r"^[a-z_]+:", "", name))):
        yield bare
        while (shorter := _DATED.sub("", bare)) != bare:
            yield shorter
            bare = shorter


def _last_segment(name: str) -> str:
    return re.sub(r"^(us\.|eu\.|apac\.)?(anthropic|openai)\.", "", name.rpartition("/")[2])


def _first(table: Mapping[str, Price], names: list[str]) -> Price | None:
    return next((table[name] for name in names if name in table), None)
