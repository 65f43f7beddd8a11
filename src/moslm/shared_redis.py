"""A Redis server that several rooms keep things in: its client, its name for people, and what it would forget.

Knows addresses and the server's own account of itself; nothing of what is kept in it.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from moslm.errors import MissingExtraError

if TYPE_CHECKING:
    from redis import Redis


def connect(url: str, timeout_s: float, feature: str) -> Redis:
    """Return a client, which opens nothing before it is used, and which threads and forks may share.

    Args:
        url: ``redis://``, ``rediss://`` or ``unix://``.
        timeout_s: How long the server may take to be reached, and to answer, seconds.
        feature: What is kept there, for the message where the client is missing.

    Raises:
        MissingExtraError: The client is not installed.
    """
    try:
        import redis
    except ImportError as error:
        raise MissingExtraError(feature, "redis") from error
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    # the client's own retries would ask again without knowing whether that is safe
    once = Retry(NoBackoff(), 0)
    client: Redis = redis.Redis.from_url(
        url, socket_timeout=timeout_s, socket_connect_timeout=timeout_s, retry=once, decode_responses=False
    )
    # nobody closes what lives as long as a graph; without this its sockets may be collected before it
    weakref.finalize(client, client.connection_pool.disconnect)
    return client


def place_of(url: str) -> str:
    """Return what people call the server at an address: without user, password and options."""
    parts = urlsplit(url)
    return f"Redis at {parts.hostname or parts.path}" + (f":{parts.port}" if parts.port else "")


def forgets(info: Mapping[str, Any], durable: bool = True, setting: str = "") -> tuple[str, str] | None:
    """Return how a server would forget what it acknowledged, and the mend; None where it would not.

    Args:
        info: What it says to ``INFO``, because servers that others run seldom allow ``CONFIG``.
        durable: Whether it must keep things on its disk.
        setting: What demands that, for the mend.
    """
    if durable and not int(info.get("aof_enabled", 0)):
        return "keeps nothing on its disk", f"start it with appendonly yes, or set {setting} = false"
    policy = info.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        return f"drops keys when its memory is full (maxmemory-policy {policy})", "set maxmemory-policy noeviction"
    return None
