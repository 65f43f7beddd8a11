"""What the answers of a recorded table cost: list prices as data, and what has to be assumed beside them.

The tables say little of tokens, so tokens are counted from characters. A small model on hardware one owns has no list
price; what a million of its tokens costs is an input, and results are shown for several values of it.
"""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

from moslm.config import Price


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What the tables do not say."""

    local_usd_per_million: float | None = None
    """Price of a million tokens of a small model, in or out. None takes the list price that hosts ask for a model of
    its size, which is on the safe side: owning the hardware is cheaper where it is busy."""
    characters_per_token: float = 4.0
    """Of English text, in and out."""
    tokens_per_word: float = 4 / 3
    output_tokens: float = 200.0
    """Tokens of an answer whose length the table does not say, for every model alike."""


def price_of(model: str, assumptions: Assumptions, *, is_small: bool) -> Price | None:
    """Return the price of a model in a recorded table; None where none is known."""
    if is_small and assumptions.local_usd_per_million is not None:
        each = assumptions.local_usd_per_million
        return Price(input=each, output=each, as_of="assumed")
    return _listed().get(model)


def usd(price: Price | None, input_tokens: float, output_tokens: float) -> float:
    """Return what one answer cost in US dollars; NaN where there is no price or no count."""
    if price is None:
        return math.nan
    return (input_tokens * price.input + output_tokens * price.output) / 1_000_000


@cache
def _listed() -> dict[str, Price]:
    table = tomllib.loads(resources.files("moslm.evals.tables").joinpath("prices.toml").read_text(encoding="utf-8"))
    found = {}
    for line in table["price"]:
        price = Price(input=line["input"], output=line["output"], as_of=line["as_of"])
        found.update(dict.fromkeys(line["models"], price))
    return found
