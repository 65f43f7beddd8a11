"""Where teams keep results: one tracker a file, by name in `TRACKERS`, imported when it is used.

A tracker is told an `Account` and nothing else, so that what may not be told cannot be sent.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from moslm.errors import ConfigError, MissingExtraError
from moslm.evals.trackers.account import Account

Keep = Callable[[Account, str | None, str], str]
"""Keeps an account: (account, address or None for the default, project) -> where it is kept, in words."""

TRACKERS: dict[str, tuple[str, str | None]] = {
    "mlflow": ("moslm.evals.trackers.mlflow", "mlflow"),
    "wandb": ("moslm.evals.trackers.wandb", "wandb"),
    "langsmith": ("moslm.evals.trackers.langsmith", None),
}
"""Every tracker: its module, which has a function ``keep``, and the extra it needs."""


def tracker(name: str) -> Keep:
    """Return a tracker.

    Raises:
        ConfigError: There is none of the name.
        MissingExtraError: Its packages are not installed.
    """
    if name not in TRACKERS:
        raise ConfigError("no such tracker", key="--to", value=name, mend=f"one of: {', '.join(TRACKERS)}")
    module, extra = TRACKERS[name]
    try:
        keep: Keep = import_module(module).keep
    except ModuleNotFoundError as error:
        if extra is None or (error.name or "").startswith("moslm"):
            raise
        raise MissingExtraError(f"keeping results in {name}", extra) from None
    return keep
