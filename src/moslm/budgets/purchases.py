"""What is bought and by whom, and what the ledger says to it. Plain values; they know no store."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from moslm.budgets.windows import Every

Per = Literal["system", "tenant", "user", "conversation", "request", "domain", "model"]
Unit = Literal["usd", "tokens", "calls", "share"]


@dataclass(frozen=True, slots=True)
class Payer:
    """On whose account a call is made.

    Attributes:
        tenant: Whose data and money it is.
        user: Opaque id of who asks; None where nobody says.
        conversation: The thread; None outside of one.
        request: Id of the request.
        domain: The domain the request belongs to; None where it was not settled.
    """

    tenant: str
    user: str | None
    conversation: str | None
    request: str
    domain: str | None

    def subject(self, per: Per, model: str) -> str:
        """Return what a cap counts this payer under: one tenant's is never another's."""
        return {
            "system": "",
            "tenant": self.tenant,
            "user": _joined(self.tenant, self.user or ""),
            "conversation": _joined(self.tenant, self.conversation or self.request),
            "request": _joined(self.tenant, self.request),
            "domain": self.domain or "",
            "model": model,
        }[per]


@dataclass(frozen=True, slots=True)
class Amount:
    """What a call takes of every unit.

    Attributes:
        nanos: Money, in billionths of a dollar.
        tokens: Tokens, in and out together.
        calls: Calls.
    """

    nanos: int
    tokens: int
    calls: int = 1

    def of(self, unit: Unit) -> int:
        """Return what it takes of one unit."""
        return {"usd": self.nanos, "tokens": self.tokens, "calls": self.calls, "share": self.calls}[unit]


NOTHING = Amount(0, 0, 0)


@dataclass(frozen=True, slots=True)
class Purchase:
    """A call that is to be paid.

    Attributes:
        key: Names the step it is made in: the same step of a resumed, retried or forked run has the same key.
        payer: On whose account.
        model: What is called.
        most: The most it can take.
        seconds: How long it may take; a reservation whose holder is gone lapses a little later.
    """

    key: str
    payer: Payer
    model: str
    most: Amount
    seconds: float


@dataclass(frozen=True, slots=True)
class Standing:
    """How one cap stood when a purchase was held against it.

    Attributes:
        cap: Name of the cap.
        per: What it counts by.
        every: In which windows.
        unit: What it counts; for a ``share`` the numbers are calls.
        limit: The cap.
        taken: Spent and set aside before this purchase.
        amount: What this purchase may take.
        frees: The moment it has room again, seconds since the epoch; None where it never has.
    """

    cap: str
    per: Per
    every: Every
    unit: Unit
    limit: int
    taken: int
    amount: int
    frees: float | None

    @property
    def left(self) -> int:
        """What was left before this purchase."""
        return max(self.limit - self.taken, 0)


@dataclass(frozen=True, slots=True)
class Hold:
    """Set aside for one purchase, until it is settled or released.

    Attributes:
        key: Key of the purchase.
        attempt: Which attempt under that key, from 1.
        most: What is set aside.
        standings: Every cap it was held against.
        token: Names its holder, where the store knows holders by more than key and attempt.
        tenant: Whose it is, where answers are sealed; the ledger notes it.
    """

    key: str
    attempt: int
    most: Amount
    standings: tuple[Standing, ...] = ()
    token: str = ""
    tenant: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class AtCap:
    """A purchase that a cap does not allow.

    Attributes:
        cap: The cap that stands in the way.
        standings: Every cap it was held against.
    """

    cap: Standing
    standings: tuple[Standing, ...]


@dataclass(frozen=True, slots=True)
class Bought:
    """The same step was paid before: its answer is there, and nothing is paid again.

    Attributes:
        answer: What was kept of it.
    """

    answer: bytes


@dataclass(frozen=True, slots=True)
class Underway:
    """The same step is being paid for at this moment, by another run.

    Attributes:
        lapses: The moment from which its holder counts as gone, seconds since the epoch.
    """

    lapses: float


Verdict = Hold | AtCap | Bought | Underway


def _joined(*parts: str) -> str:
    # the length of the first part goes along, so that ("a/b", "c") and ("a", "b/c") stay apart
    return "/".join([str(len(parts[0])), *parts])
