"""What comes in on stdin: told to whoever must type it, and read as text."""

from __future__ import annotations

import sys
from collections.abc import Callable

from moslm.errors import RequestError


def tell_who_types() -> None:
    """Say on stderr that a command reads from the terminal: it would seem to hang, and few know how to end it."""
    if sys.stdin.isatty():
        print("Reading from the terminal; end with Ctrl-D.", file=sys.stderr)


def typed(read: Callable[[], str]) -> str:
    """Return what was read from stdin, without the white space around it.

    A line's end is no part of a request: small models answer differently with it and without.

    Raises:
        RequestError: What came in is no text.
    """
    try:
        return read().strip()
    except UnicodeDecodeError:
        raise RequestError("not_text", f"what came in on stdin is no text in {sys.stdin.encoding.upper()}") from None
