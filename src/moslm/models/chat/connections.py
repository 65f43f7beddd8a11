"""The HTTP clients of a served model: they follow no redirect, use no proxy, and keep no connection between calls.

A redirect would leave the hosts that were checked, and a proxy of the environment would see every request. A kept
connection belongs to the event loop that opened it, and the next call may come from another; and nobody closes a chat
model, so it would stay open until the garbage collector finds it. Opening one costs a server nearby a part of a
millisecond.
"""

from __future__ import annotations

import ssl
from typing import Any

import openai


def client(timeout: openai.Timeout, tls: ssl.SSLContext | None = None) -> openai.DefaultHttpxClient:
    """Return a client for synchronous calls; without a context of its own it trusts whom the system trusts."""
    own = _own(timeout, tls)
    return openai.DefaultHttpxClient(**own)


def async_client(timeout: openai.Timeout, tls: ssl.SSLContext | None = None) -> openai.DefaultAsyncHttpxClient:
    """Return a client for calls on an event loop."""
    own = _own(timeout, tls)
    return openai.DefaultAsyncHttpxClient(**own)


def _own(timeout: openai.Timeout, tls: ssl.SSLContext | None) -> dict[str, Any]:
    verify = {} if tls is None else {"verify": tls}
    return {"timeout": timeout, "follow_redirects": False, "trust_env": False, "limits": _limits(), **verify}


def _limits() -> Any:
    limits = openai.DEFAULT_CONNECTION_LIMITS
    return type(limits)(max_connections=limits.max_connections, max_keepalive_connections=0)
