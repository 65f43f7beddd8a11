"""The HTTP clients of a served model: they follow no redirect, use no proxy, and keep no connection between calls.

A redirect would leave the hosts that were checked, and a proxy of the environment would see every request. A kept
connection belongs to the event loop that opened it, and the next call may come from another; and nobody closes a chat
model, so it would stay open until the garbage collector finds it. Opening one costs a server nearby a part of a
millisecond.
"""

from __future__ import annotations

from typing import Any

import openai


def client(timeout: openai.Timeout) -> openai.DefaultHttpxClient:
    """Return a client for synchronous calls."""
    return openai.DefaultHttpxClient(timeout=timeout, follow_redirects=False, trust_env=False, limits=_limits())


def async_client(timeout: openai.Timeout) -> openai.DefaultAsyncHttpxClient:
    """Return a client for calls on an event loop."""
    return openai.DefaultAsyncHttpxClient(timeout=timeout, follow_redirects=False, trust_env=False, limits=_limits())


def _limits() -> Any:
    limits = openai.DEFAULT_CONNECTION_LIMITS
    return type(limits)(max_connections=limits.max_connections, max_keepalive_connections=0)
