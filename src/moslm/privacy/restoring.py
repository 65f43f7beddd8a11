"""`Restorer`: puts values back where placeholders stand, in a text that arrives in pieces. Knows no vault."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from moslm.privacy.placeholders import PLACEHOLDER, begun

Lookup = Callable[[str, int], str | None]
"""What a placeholder of this kind and number stands for; None where nobody gave it out."""


def restored(text: str, lookup: Lookup) -> str:
    """Put values back into a whole text, in one pass: what a value holds is never looked up again."""

    def value(match: re.Match[str]) -> str:
        found = lookup(match["kind"], int(match["number"]))
        return match.group() if found is None else found

    return PLACEHOLDER.sub(value, text)


def restored_value(value: Any, lookup: Lookup) -> Any:
    """Put values back into every text of nested dicts, lists and tuples; a tool call's arguments."""
    if isinstance(value, str):
        return restored(value, lookup)
    if isinstance(value, dict):
        return {restored_value(key, lookup): restored_value(each, lookup) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)([restored_value(each, lookup) for each in value])
    return value


class Restorer:
    """Restores a stream: holds back only what may still become a placeholder, a few characters after a ``<``.

    Args:
        lookup: Who knows what placeholders stand for.
    """

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._held = ""

    def feed(self, piece: str) -> str:
        """Take the next piece; return what can be shown by now."""
        text = self._held + piece
        end = begun(text)
        self._held = text[end:]
        return restored(text[:end], self._lookup)

    def close(self) -> str:
        """Return what was held back: no placeholder after all. The restorer may be used for a next text."""
        held, self._held = self._held, ""
        return held
