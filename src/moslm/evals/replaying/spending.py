"""What a recorded request costs along another way: recorded calls as they were, new ones of the large model estimated.

A call that was never made has no usage. It is reckoned with the tokens of the request's own drafts, as the record's own
baseline is, times how much longer the large model's answers were than the drafts wherever the records hold both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from moslm.budgets.prices import PriceTable
from moslm.decision import Decision, Usage
from moslm.errors import ConfigError
from moslm.evals.replaying.changes import Changes
from moslm.evals.replaying.routes import Route, Unsupported

_FEWEST = 20
"""Requests with calls of both models from which on their lengths are compared."""


@dataclass(frozen=True, slots=True)
class LargeCalls:
    """What is taken for a call of the large model that was never made.

    Attributes:
        model: Its name.
        table: Prices.
        longer_in: Tokens of its prompts to those of the drafts' prompts.
        longer_out: Tokens of its answers to those of the drafts.
        seen: Requests those two rest on; 0 where the drafts' own tokens are taken.
    """

    model: str
    table: PriceTable
    longer_in: float
    longer_out: float
    seen: int


def large_calls(decisions: Sequence[Decision], changes: Changes) -> LargeCalls | None:
    """Return what is taken for a new call of the large model; None where no record names one."""
    calls = [use for each in decisions for use in each.usage if use.role == "large"]
    names = [use.model for use in calls]
    model = changes.large or (max(set(names), key=names.count) if names else None)
    if model is None:
        return None
    both = [(_tokens(each, "small"), _tokens(each, "large")) for each in decisions]
    both = [(small, large) for small, large in both if min(*small, *large) > 0]
    table = changes.prices or PriceTable()
    if len(both) < _FEWEST:
        return LargeCalls(model, table, 1.0, 1.0, 0)
    ratios = [sum(large[i] for _, large in both) / sum(small[i] for small, _ in both) for i in (0, 1)]
    return LargeCalls(model, table, ratios[0], ratios[1], len(both))


def recorded_usd(decision: Decision, changes: Changes) -> float:
    """Return what a request cost as it was recorded, at the prices in force.

    Raises:
        ConfigError: A model has no price.
    """
    return sum(_priced(use, changes) for use in decision.usage)


def replayed_usd(decision: Decision, route: Route, changes: Changes, large: LargeCalls | None) -> float:
    """Return what it would cost along its way under the changes.

    Raises:
        Unsupported: A call of the large model would have to be reckoned, and the record has no tokens for it.
        ConfigError: A model has no price, or no large model is known.
    """
    own = sum(_priced(use, changes) for use in decision.usage if use.role != "large")
    if not route.changed:
        bought = [use for use in decision.usage if use.role == "large"]
        if changes.large is None or not bought:
            return own + sum(_priced(use, changes) for use in bought)
        table = changes.prices or PriceTable()
        return own + sum(table.cost_usd(changes.large, use.input_tokens, use.output_tokens) for use in bought)
    if route.now != "escalated":
        return own
    if large is None:
        mend = "name one: --set large_model.model.name=NAME"
        raise ConfigError("no record names a large model that would answer", key="large_model", mend=mend)
    tokens_in, tokens_out = _tokens(decision, "small")
    if not tokens_in or not tokens_out:
        raise Unsupported("the usage of its small model is missing, so a call of the large one cannot be reckoned")
    asked, said = round(tokens_in * large.longer_in), round(tokens_out * large.longer_out)
    drafted = own if route.drafted else sum(_priced(use, changes) for use in decision.usage if use.role == "classifier")
    return drafted + large.table.cost_usd(large.model, asked, said)


def _tokens(decision: Decision, role: str) -> tuple[int, int]:
    uses = [use for use in decision.usage if use.role == role]
    return sum(use.input_tokens for use in uses), sum(use.output_tokens for use in uses)


def _priced(use: Usage, changes: Changes) -> float:
    if changes.prices is None:
        return use.cost_usd
    return changes.prices.cost_usd(use.model, use.input_tokens, use.output_tokens)
