"""`Vault`: what placeholders stand for, by tenant and conversation. In this process's memory, or sealed on disk."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Value:
    """Something that was hidden."""

    kind: str
    text: str
    """The value as it first stood in the conversation."""
    sameness: str
    """What equal values have in common: one placeholder stands for all of them."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A value and the number its placeholder bears among those of its kind."""

    kind: str
    number: int
    text: str


class Vault(Protocol):
    """Keeps values apart by tenant and conversation: what one put in, no other gets out.

    Every method raises `moslm.errors.VaultError` where it cannot do its work.
    """

    def keep(self, tenant: str, conversation: str, values: Sequence[Value]) -> list[int]:
        """Return each value's number, the same as before where the same value was kept before."""
        ...

    def value(self, tenant: str, conversation: str, kind: str, number: int) -> str | None:
        """Return what a placeholder stands for; None where it was never given out here."""
        ...

    def kept(self, tenant: str, conversation: str) -> list[Kept]:
        """Return everything kept for a conversation."""
        ...

    def forget(self, tenant: str, conversation: str | None = None) -> None:
        """Delete a conversation's values, or all of a tenant's."""
        ...


@dataclass(slots=True)
class _Conversation:
    numbers: dict[tuple[str, str], int] = field(default_factory=dict)
    texts: dict[tuple[str, int], str] = field(default_factory=dict)
    last: dict[str, int] = field(default_factory=dict)


class MemoryVault:
    """A vault in this process's memory.

    Args:
        most_conversations: How many are kept; the one unused for longest goes first, and its placeholders are unknown
            from then on.
    """

    def __init__(self, most_conversations: int = 10_000) -> None:
        self._most = most_conversations
        self._conversations: OrderedDict[tuple[str, str], _Conversation] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, tenant: str, conversation: str, values: Sequence[Value]) -> list[int]:
        """Return each value's number."""
        with self._lock:
            own = self._conversations.setdefault((tenant, conversation), _Conversation())
            self._conversations.move_to_end((tenant, conversation))
            while len(self._conversations) > self._most:
                self._conversations.popitem(last=False)
            return [_number(own, value) for value in values]

    def value(self, tenant: str, conversation: str, kind: str, number: int) -> str | None:
        """Return what a placeholder stands for."""
        with self._lock:
            own = self._conversations.get((tenant, conversation))
            return own.texts.get((kind, number)) if own else None

    def kept(self, tenant: str, conversation: str) -> list[Kept]:
        """Return everything kept for a conversation."""
        with self._lock:
            own = self._conversations.get((tenant, conversation))
            return [Kept(kind, number, text) for (kind, number), text in own.texts.items()] if own else []

    def forget(self, tenant: str, conversation: str | None = None) -> None:
        """Delete a conversation's values, or all of a tenant's."""
        with self._lock:
            for key in [each for each in self._conversations if each[0] == tenant and conversation in (None, each[1])]:
                del self._conversations[key]


def _number(own: _Conversation, value: Value) -> int:
    key = (value.kind, value.sameness)
    if key not in own.numbers:
        number = own.last[value.kind] = own.last.get(value.kind, 0) + 1
        own.numbers[key] = number
        own.texts[value.kind, number] = value.text
    return own.numbers[key]
