"""The HTTP clients of a served model: they follow no redirect, use no proxy, and are closed when nobody uses them.

A redirect would leave the hosts that were checked, and a proxy of the environment would see every request.
"""

from __future__ import annotations

from contextlib import suppress

import openai


class _Client(openai.DefaultHttpxClient):
    """Closes its kept connections when it is forgotten: nobody closes a chat model."""

    def __del__(self) -> None:
        if not self.is_closed:
            with suppress(Exception):  # whatever is wrong with them, they are of no use to anyone any more
                self.close()


def client(timeout: openai.Timeout) -> openai.DefaultHttpxClient:
    """Return a client for synchronous calls, which keeps its connections for the next call."""
    return _Client(timeout=timeout, follow_redirects=False, trust_env=False)


def async_client(timeout: openai.Timeout) -> openai.DefaultAsyncHttpxClient:
    """Return a client for calls on an event loop, which keeps no connection.

    A kept one belongs to the event loop that opened it, and the next call may come from another.
    """
    limits = openai.DEFAULT_CONNECTION_LIMITS
    limits = type(limits)(max_connections=limits.max_connections, max_keepalive_connections=0)
    return openai.DefaultAsyncHttpxClient(timeout=timeout, follow_redirects=False, trust_env=False, limits=limits)
