"""Asks a server's ``/health``, as vLLM and most compatible servers have it."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from moslm.privacy.egress import resolve_and_check

_PATIENCE_S = 1.0


def health_of(allow_hosts: Sequence[str], tls: ssl.SSLContext | None = None) -> Callable[[str], bool]:
    """Return what tells whether the server at an address says that it is well.

    A server that has no such page but answers counts as well; so the function never raises, and takes a second at most.

    Args:
        allow_hosts: Hosts that an address may lead to; looked up anew each time.
        tls: For addresses with https; None trusts whom the system trusts.
    """

    def is_well(address: str) -> bool:
        try:
            return _status(address, allow_hosts, tls) < 500
        except Exception:  # whatever keeps it from answering, it does not answer
            return False

    return is_well


def _status(address: str, allow_hosts: Sequence[str], tls: ssl.SSLContext | None) -> int:
    parts = urlsplit(address)
    resolve_and_check(parts.hostname or "", allow_hosts)
    host, port = parts.hostname or "", parts.port
    connection = (
        http.client.HTTPSConnection(host, port, timeout=_PATIENCE_S, context=tls)
        if parts.scheme == "https"
        else http.client.HTTPConnection(host, port, timeout=_PATIENCE_S)
    )
    try:
        connection.request("GET", f"{parts.path.rstrip('/').removesuffix('/v1')}/health")
        return connection.getresponse().status
    finally:
        connection.close()
