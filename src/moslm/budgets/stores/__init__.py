"""Where the ledger is kept: the one protocol, and what every store promises.

A store decides and writes in one step that nothing can come between: a purchase is reserved only where every line has
room, and then all of them have taken it. What the ledger was told stays, also when the process is killed at any moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from moslm.budgets.caps import Line
from moslm.budgets.purchases import Amount, Hold, Purchase, Verdict

LAPSE_S = 30.0
"""How long after its call's deadline a reservation counts as its holder's: longer than any honest delay."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What a call took in the end.

    Attributes:
        amount: Money, tokens and calls.
        known: Whether the provider said so; else it is the most it could be, or an estimate.
    """

    amount: Amount
    known: bool = True


@dataclass(frozen=True, slots=True)
class Total:
    """What all settled purchases came to.

    Attributes:
        nanos: Money, in billionths of a dollar.
        tokens: Tokens.
        calls: Calls.
        unknown: How many of the calls were booked without the provider's word.
        held_nanos: Money that is set aside and not settled.
    """

    nanos: int
    tokens: int
    calls: int
    unknown: int
    held_nanos: int


class Store(Protocol):
    """Counters and purchases, durable and shared by every process that uses the same store."""

    def now(self) -> float:
        """Return the time by which this store counts, seconds since the epoch."""

    def reserve(self, purchase: Purchase, lines: Sequence[Line], now: float) -> Verdict:
        """Set the most of a purchase aside on every line, or say why not.

        Raises:
            LedgerError: The store cannot be written.
        """

    def sending(self, hold: Hold) -> bool:
        """Note that the call is about to be made: from now on it may cost money whoever dies.

        Returns:
            False where the reservation has lapsed; the call must not be made then.

        Raises:
            LedgerError: The store cannot be written.
        """

    def settle(self, hold: Hold, spent: Spent, answer: bytes | None) -> None:
        """Book what a call took in the place of what was set aside; only the first settling counts.

        Raises:
            LedgerError: The store cannot be written; the reservation stays as it is.
        """

    def release(self, hold: Hold) -> None:
        """Give back what was set aside: the call was not made.

        Raises:
            LedgerError: The store cannot be written; the reservation lapses by itself.
        """

    def count(self, lines: Sequence[Line]) -> None:
        """Count one request on lines that cap a share.

        Raises:
            LedgerError: The store cannot be written.
        """

    def taken(self, lines: Sequence[Line]) -> list[tuple[int, int]]:
        """Return what each line has taken, and for a share the requests counted beside it.

        Raises:
            LedgerError: The store cannot be read.
        """

    def total(self) -> Total:
        """Return what all purchases came to.

        Raises:
            LedgerError: The store cannot be read.
        """

    def close(self) -> None:
        """Let go of files and connections; the next use takes them again."""
