"""From settings to the address of a Postgres; one that would carry threads in the clear, or to anybody, is refused."""

from __future__ import annotations

import os

from moslm.config import Config
from moslm.errors import ConfigError, MissingExtraError
from moslm.privacy.egress import is_allowed_host

_EXAMPLE = "postgresql://moslm:password@db.internal/moslm?sslmode=verify-full&sslrootcert=/etc/ssl/db-ca.pem"
_PROVEN = ("verify-full", "verify-ca")


def postgres_address(config: Config, file: str | None) -> str | None:
    """Return the address that ``[checkpoints]`` names; None where it names none.

    Args:
        config: The settings.
        file: File they stand in, for messages.

    Raises:
        ConfigError: It is missing, is none, or TLS is not demanded where it must be.
        MissingExtraError: Postgres' client is not installed.
    """
    named = config.checkpoints
    key, shown, url = "checkpoints.postgres_url", named.postgres_url or "", named.postgres_url or ""
    if named.postgres_url_env:
        key, shown = "checkpoints.postgres_url_env", named.postgres_url_env
        url = os.environ.get(named.postgres_url_env, "")
        if not url:
            problem, mend = "names an environment variable that is not set", f"set it to e.g. {_EXAMPLE}"
            raise ConfigError(problem, file=file, key=key, value=shown, mend=mend)
    if not url:
        return None
    problem, mend = _problem(url, config.allow_hosts)
    if problem:
        # the address may carry a password, so it is not shown
        head, at, tail = url.rpartition("@")
        value = shown if named.postgres_url_env else f"{head.partition('://')[0]}://…@{tail}" if at else url
        raise ConfigError(problem, file=file, key=key, value=value, mend=mend)
    return url


def _problem(url: str, allow: list[str]) -> tuple[str, str]:
    """Return what is wrong with an address and its mend; two empty texts if nothing is."""
    try:
        from psycopg import ProgrammingError
        from psycopg.conninfo import conninfo_to_dict
    except ImportError as error:
        raise MissingExtraError("checkpoints in Postgres", "postgres") from error
    try:
        parts = conninfo_to_dict(url)
    except ProgrammingError:
        return "is not an address of Postgres", f"write e.g. {_EXAMPLE}"
    # what an address leaves open, libpq takes from the environment
    hosts = [each for name in ("host", "hostaddr") for each in str(parts.get(name) or "").split(",") if each]
    if not hosts or "service" in parts:
        return "names no host", f"write e.g. {_EXAMPLE}"
    far = [each for each in hosts if each[0] not in "/@" and not is_allowed_host(each, ["loopback", "private", *allow])]
    if far and parts.get("sslmode") not in _PROVEN:
        return (
            "does not demand TLS and proof of who answers, at a host outside of loopback and private addresses",
            f'add sslmode=verify-full, or "{far[0]}" to allow_hosts if only your own network lies between',
        )
    return "", ""
