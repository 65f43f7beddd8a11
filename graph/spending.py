"""From settings to what money passes through: the ledger with its caps, and the till of each model that costs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import RunnableLambda

from moslm.budgets.caps import Cap, caps_of
from moslm.budgets.ledger import Ledger
from moslm.budgets.money import nanos
from moslm.budgets.pace import LocalWindow, Pace, bucket
from moslm.budgets.prices import FREE, PriceTable
from moslm.budgets.stores.redis import RedisStore
from moslm.budgets.stores.redis_window import RedisWindow
from moslm.budgets.throttle import Asking, Throttle
from moslm.config import AtCapAction, Config, HostedModel, LargeModelSettings, ModelSettings
from moslm.domains import Domain
from moslm.errors import ConfigError, LedgerError
from moslm.graph.ledger_store import ledger_store
from moslm.models.paying import PriceOf, Till, unkept
from moslm.nodes.accounts import payer_of
from moslm.sealing import Sealing
from moslm.state import Request

_LOG = logging.getLogger("moslm.budgets")
LONGEST_ANSWER = 1024
"""Tokens a paid model may answer with where neither it nor its settings say."""


def build_ledger(
    config: Config,
    file: str | None,
    domains: Mapping[str, Domain],
    large: tuple[str, LargeModelSettings] | None,
    sealing: Sealing | None = None,
) -> Ledger:
    """Return the ledger under all configured caps; nothing is opened before it is used.

    Args:
        config: The settings.
        file: File they stand in, for messages.
        domains: The domains that are served.
        large: The large model's name and section; None where there is none.
        sealing: Encrypts the answers it keeps.

    Raises:
        ConfigError: A cap names a domain that is not there, or the store's address is missing.
    """
    _check_subjects(config, domains, file)
    caps = [*caps_of(config.budgets.caps), *(_caps_of_large(*large) if large else ())]
    return Ledger(ledger_store(config, file), caps, config.budgets.alerts, sealing=sealing)


def throttle_of(ledger: Ledger, name: str, settings: LargeModelSettings) -> Throttle:
    """Return what paces the large model: for all processes that share a ledger in Redis, else for this one alone."""
    tokens = settings.tokens_per_minute
    pace = Pace(bucket(settings.requests_per_minute), bucket(tokens) if tokens else None)
    store = ledger.store
    window = RedisWindow(store, name, pace) if isinstance(store, RedisStore) else LocalWindow(pace)
    return Throttle(pace, window, settings.max_wait_ms)


def till_of(
    ledger: Ledger,
    name: str,
    given: BaseChatModel | None,
    settings: ModelSettings,
    prices: PriceTable,
    throttle: Throttle | None = None,
) -> Till:
    """Return where the calls of a model are paid; a hosted model without a price is refused now.

    Args:
        ledger: Who keeps account.
        name: The model's name.
        given: The model passed in code, in the place of the configured one.
        settings: The configured one.
        prices: What models cost.
        throttle: Who lets calls pass to its provider; None lets all pass.

    Raises:
        ConfigError: The model is hosted and nobody knows its price.
    """
    owned = _owned(given, settings)
    return Till(
        model=name,
        ledger=ledger,
        price=price_of(prices, name, given, settings),
        most=partial(prices.most_usd, name, owned=owned),
        max_tokens=longest_answer(given, settings),
        admit=_admitting(throttle, name) if throttle else None,
        rest=throttle.rest if throttle else None,
        streams=bool(getattr(given, "halts", False)) if given is not None else isinstance(settings, HostedModel),
    )


def costs(config: Config, prices: PriceTable, name: str, given: BaseChatModel | None, settings: ModelSettings) -> bool:
    """Tell whether a model's calls go through the ledger: those that cost, and those that a cap is for."""
    if any(cap.per == "model" and cap.only == name for cap in config.budgets.caps):
        return True
    return prices.of(name, owned=_owned(given, settings)) != FREE


def price_of(prices: PriceTable, name: str, given: BaseChatModel | None, settings: ModelSettings) -> PriceOf:
    """Return what calls of this model cost; a hosted model without a price is refused now, not when the bill comes."""
    owned = _owned(given, settings)
    prices.of(name, owned=owned)
    return partial(prices.cost_usd, name, owned=owned)


def longest_answer(given: BaseChatModel | None, settings: ModelSettings) -> int:
    """Return the longest answer a model may give: a passed model's own limit, or that of its settings."""
    own = getattr(given, "max_tokens", None)
    if isinstance(own, int) and own > 0:
        return own
    return LONGEST_ANSWER if given is not None else getattr(settings, "max_tokens", LONGEST_ANSWER)


def counting(ledger: Ledger, model: str | None) -> Callable[[Request, str | None], None] | None:
    """Return what counts a request for the caps on the share that may go up; None where there are none."""
    if not ledger.counts:
        return None

    def count(request: Request, domain: str | None) -> None:
        try:
            ledger.count(payer_of(request, domain), model or "")
        except LedgerError as error:  # uncounted requests lower a share: nothing is allowed that should not be
            _LOG.error("%s", error)

    return count


def at_cap(config: Config, domains: Mapping[str, Domain]) -> Callable[[str | None], AtCapAction]:
    """Return what happens at a cap to the requests of a domain; only one with a small model can answer locally."""

    def action(domain: str | None) -> AtCapAction:
        found = domains.get(domain or "")
        said = found.settings.at_cap if found else config.defaults.at_cap
        local = found is not None and not found.large_model_only
        return "hand_over" if said == "answer_locally" and not local else said

    return action


def _caps_of_large(name: str, settings: LargeModelSettings) -> tuple[Cap, Cap]:
    usd, calls = settings.max_usd_per_day, settings.max_calls_per_day
    return (
        Cap(f"{calls} calls a day of the large model", "model", name, "day", "calls", calls),
        Cap(f"${usd:,.10g} a day of the large model", "model", name, "day", "usd", nanos(usd)),
    )


def _check_subjects(config: Config, domains: Mapping[str, Domain], file: str | None) -> None:
    for i, cap in enumerate(config.budgets.caps):
        if cap.per == "domain" and cap.only is not None and cap.only not in domains:
            raise ConfigError(
                "names no domain that is served",
                file=file,
                key=f"budgets.caps.{i}.only",
                value=cap.only,
                mend=f"there are {', '.join(domains)}",
            )


def _owned(given: BaseChatModel | None, settings: ModelSettings) -> bool | None:
    return None if given is not None else not isinstance(settings, HostedModel)


def _admitting(throttle: Throttle, model: str) -> RunnableLambda[Asking, bool]:
    def admitted(asking: Asking) -> bool:
        try:
            return throttle.acquire(asking)
        except LedgerError as error:
            raise unkept(model, error) from error

    async def aadmitted(asking: Asking) -> bool:
        try:
            return await throttle.aacquire(asking)
        except LedgerError as error:
            raise unkept(model, error) from error

    return RunnableLambda(admitted, afunc=aadmitted, name="throttle")
