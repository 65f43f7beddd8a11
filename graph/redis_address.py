"""From settings to the address of a Redis; one that would carry what is kept in the clear is refused."""

from __future__ import annotations

import os
from urllib.parse import parse_qsl, urlsplit

from moslm.config import RedisPlace
from moslm.errors import ConfigError
from moslm.privacy.egress import is_allowed_host

_EXAMPLE = "rediss://:password@redis.internal:6380/0"
_OPTIONS = {"db", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile"}
"""What an address may set besides; others would undo what the store promises, such as its time-outs or TLS's checks."""


def redis_address(place: RedisPlace, section: str, allow: list[str], file: str | None) -> str | None:
    """Return the address that a section names; None where it names no Redis.

    Args:
        place: The section.
        section: Its name.
        allow: Hosts that may be reached; see `moslm.privacy.egress`.
        file: File it stands in, for messages.

    Raises:
        ConfigError: It is missing, is none, or would be reached in the clear.
    """
    if not place.in_redis:
        return None
    key, shown, url = f"{section}.redis_url", place.redis_url or "", place.redis_url or ""
    if place.redis_url_env:
        key, shown, url = f"{section}.redis_url_env", place.redis_url_env, os.environ.get(place.redis_url_env, "")
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
        value = shown if place.redis_url_env else _without_password(url)
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
            "would be reached in the clear, at a host outside of loopback and private addresses",
            f'write rediss://, or add "{host}" to allow_hosts if only your own network lies between',
        )
    return "", ""


def _without_password(url: str) -> str:
    head, at, tail = url.rpartition("@")
    return f"{head.partition('://')[0]}://…@{tail}" if at else url
