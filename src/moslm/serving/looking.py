"""Looking at a model server from outside: does it answer, is it well, which models does it serve?

Asks ``/health``, ``/v1/models`` and ``/metrics``, as vLLM and other OpenAI-compatible servers have them, with short
deadlines; asks no model anything.
"""

from __future__ import annotations

import http.client
import json
import re
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

TIMEOUT_S = 2.0

_METRIC = re.compile(
    r"^vllm:(num_requests_running|num_requests_waiting|generation_tokens_total)(?:\{[^}\n]*\})? ([0-9.eE+]+)$", re.M
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a server showed of itself."""

    base_url: str
    problem: str | None
    """Why it counts as missing; None when it answers and is well."""
    models: tuple[str, ...] = ()
    """Names of the models and adapters it serves."""


def look(
    addresses: Sequence[str], key: str | None, timeout_s: float = TIMEOUT_S, tls: ssl.SSLContext | None = None
) -> list[Seen]:
    """Look at every server, all at the same time.

    Args:
        addresses: Base addresses, each ending in ``/v1``.
        key: What to send as the bearer's key, if the servers ask for one.
        timeout_s: How long each may take for an answer.
        tls: For addresses with https; None trusts whom the system trusts.
    """
    if not addresses:
        return []
    with ThreadPoolExecutor(min(len(addresses), 16)) as pool:
        return list(pool.map(lambda address: _one(address, key, timeout_s, tls), addresses))


@dataclass(frozen=True, slots=True)
class Load:
    """How busy a server is, as its ``/metrics`` say."""

    running: int
    """Requests that are being answered."""
    waiting: int
    """Requests that wait for their turn."""
    written: float
    """Tokens it has written since it started."""


def load_of(
    base_url: str, key: str | None, timeout_s: float = TIMEOUT_S, tls: ssl.SSLContext | None = None
) -> Load | None:
    """Ask a server how busy it is; None where it does not say so as vLLM does."""
    status, body = _get(f"{base_url.rstrip('/').removesuffix('/v1')}/metrics", key, timeout_s, tls)
    if status != 200:
        return None
    sums: dict[str, float] = {}
    for name, value in _METRIC.findall(body):
        sums[name] = sums.get(name, 0.0) + float(value)
    if "generation_tokens_total" not in sums:
        return None
    running, waiting = (int(sums.get(f"num_requests_{state}", 0)) for state in ("running", "waiting"))
    return Load(running, waiting, sums["generation_tokens_total"])


def _one(base_url: str, key: str | None, timeout_s: float, tls: ssl.SSLContext | None) -> Seen:
    base = base_url.rstrip("/")
    status, body = _get(f"{base.removesuffix('/v1')}/health", key, timeout_s, tls)
    if status is None:
        return Seen(base_url, body)
    # servers that are only compatible need not have /health
    if status >= 500:
        return Seen(base_url, f"says that it is not well (/health answers {status})")
    status, body = _get(f"{base}/models", key, timeout_s, tls)
    if status is None:
        return Seen(base_url, body)
    if status in (401, 403):
        return Seen(base_url, f"refuses the key (/models answers {status})")
    if status != 200:
        return Seen(base_url, f"is no OpenAI-compatible server (/models answers {status})")
    names = _names(body)
    return Seen(base_url, None, names) if names is not None else Seen(base_url, "lists no models that can be read")


def _get(url: str, key: str | None, timeout_s: float, tls: ssl.SSLContext | None) -> tuple[int | None, str]:
    """Return the status and the body; or None and why there is no answer."""
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {key}"} if key else {})
    # model servers stand on this host or a private network: no proxy is on the way
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=tls))
    try:
        with opener.open(request, timeout=timeout_s) as response:
            return response.status, _body(response, timeout_s)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, ""
    except TimeoutError:
        return None, f"did not answer within {timeout_s:g} s"
    except urllib.error.URLError as error:
        if isinstance(error.reason, TimeoutError):
            return None, f"did not answer within {timeout_s:g} s"
        if isinstance(error.reason, ssl.SSLError):
            said = getattr(error.reason, "verify_message", "") or error.reason.reason or "no TLS is spoken there"
            return None, f"its certificate does not count ({said}); name its authority in tls.ca_file"
        return None, "nothing answers there"
    except (OSError, ValueError, http.client.HTTPException):
        return None, "nothing answers there as web servers do"


def _body(response: http.client.HTTPResponse, timeout_s: float) -> str:
    """Read what comes within the time and a megabyte: a server that trickles does not hold anyone up."""
    deadline, read = time.monotonic() + timeout_s, bytearray()
    while len(read) < 1_000_000 and (piece := response.read1(65_536)):
        read += piece
        if time.monotonic() > deadline:
            raise TimeoutError
    return read.decode("utf-8", "replace")


def _names(body: str) -> tuple[str, ...] | None:
    try:
        return tuple(str(each["id"]) for each in json.loads(body)["data"])
    except (ValueError, KeyError, TypeError):
        return None
