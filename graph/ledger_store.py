"""Which store keeps the ledger, by the settings."""

from __future__ import annotations

from moslm.budgets.stores import Store
from moslm.budgets.stores.redis import RedisStore
from moslm.budgets.stores.sqlite import SQLiteStore
from moslm.config import Config, home
from moslm.graph.redis_address import redis_address


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
    if url := redis_address(budgets, "budgets", config.allow_hosts, file):
        return RedisStore(url, prefix=budgets.redis_prefix, answers_s=answers_s, durable=budgets.redis_durable)
    return SQLiteStore(budgets.file or home() / "ledger.sqlite", answers_s=answers_s, synced=budgets.sync)
