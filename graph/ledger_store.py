"""Which store keeps the ledger, by the settings; an address that would carry it in the clear is refused."""

from __future__ import annotations

import os
from urllib.parse import parse_qsl, urlsplit

from moslm.budgets.stores import Store
from moslm.budgets.stores.redis import RedisStore
from moslm.budgets.stores.sqlite import SQLiteStore
from moslm.config import BudgetSettings, Config, home
from moslm.errors import ConfigError
from moslm.privacy.egress import is_allowed_host

_EXAMPLE = "rediss://:password@redis.internal:6380/0"
_OPTIONS = {"db", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile"}
"""What an address may set besides; others would undo what the store promises, such as its time-outs or TLS's checks."""


def ledger_store(config: Config, file: str | None) -> Store:
    """Return the store that the settings name; nothing is opened before it is used.

    Args:
        config: The settings.
        file: File they stand in, for messages.

    Raises:
        ConfigError: Redis' address is missing, or is none that may carry the ledger.
        MissingExtraError: Redis' client is not installed.
    """
    budgets = config.budgets
    answers_s = budgets.keep_answers_minutes * 60
    if budgets.redis_url or budgets.redis_url_env:
        url = _redis_url(budgets, config.allow_hosts, file)
        return RedisStore(url, prefix=budgets.redis_prefix, answers_s=answers_s, durable=budgets.redis_durable)
    return SQLiteStore(budgets.file or home() / "ledger.sqlite", answers_s=answers_s, synced=budgets.sync)


def _redis_url(budgets: BudgetSettings, allow: list[str], file: str | None) -> str:
    key, shown, url = "budgets.redis_url", budgets.redis_url or "", budgets.redis_url or ""
    if budgets.redis_url_env:
        key, shown, url = "budgets.redis_url_env", budgets.redis_url_env, os.environ.get(budgets.redis_url_env, "")
        if not url:
            raise ConfigError(
                "names an environment variable that is not set",
                file=file,
                key=key,
                value=shown,
                mend=f"set it to the address, such as {_EXAMPLE}",
            )
    problem, mend = _problem(url, allow)
    if problem:
        # the address may carry a password, so it is not shown
        value = shown if budgets.redis_url_env else _without_password(url)
        raise ConfigError(problem, file=file, key=key, value=value, mend=mend)
    return url


def _problem(url: str, allow: list[str]) -> tuple[str, str]:
    """Return what is wrong with an address and its mend; two empty texts if nothing is."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is not an address", f"write e.g. {_EXAMPLE}"
    if parts.scheme not in ("redis", "rediss", "unix") or not (host or parts.scheme == "unix"):
        return "is not an address of Redis", f"write e.g. {_EXAMPLE}"
    foreign = sorted({name for name, _ in parse_qsl(parts.query, keep_blank_values=True)} - _OPTIONS)
    if foreign:
        return f"sets {foreign[0]}", f"leave it out; an address may set {', '.join(sorted(_OPTIONS))}"
    if parts.scheme == "redis" and not is_allowed_host(host or "", ["loopback", "private", *allow]):
        return (
            "would carry the ledger in the clear to a host outside of loopback and private addresses",
            f'write rediss://, or add "{host}" to allow_hosts if only your own network lies between',
        )
    return "", ""


def _without_password(url: str) -> str:
    head, at, tail = url.rpartition("@")
    return f"{head.partition('://')[0]}://…@{tail}" if at else url
