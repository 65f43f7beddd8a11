"""The ledger: what may be bought, what is being bought, what was paid.

The most a call can cost is set aside before it is made and settled with what the provider says it took, so that calls
that run at the same moment, in any number of processes, cannot go over a cap together. A reservation whose holder has
died lapses: it is given back where the call had not been made, and booked in full where it may have been.

Knows caps and a store; nothing of models, prompts or prices.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

from moslm.budgets.caps import Cap, Line, lines
from moslm.budgets.purchases import NOTHING, Amount, AtCap, Bought, Hold, Payer, Purchase, Standing, Verdict
from moslm.budgets.stores import Spent, Store, Total
from moslm.errors import LedgerError, SealError
from moslm.sealing import Sealing

_LOG = logging.getLogger("moslm.budgets")
Alert = Callable[[float, Standing], None]
"""Told that a level of a cap is reached: (level, how the cap stands)."""


class Ledger:
    """Reserves, settles and releases under caps; safe to share between threads, and by its store between processes.

    Args:
        store: Where it is kept.
        caps: What may be spent.
        alerts: Levels of a cap, as shares of it, that are told when they are reached.
        tell: Who is told; by default the log ``moslm.budgets``.
        sealing: Encrypts the answers that are kept, in whatever store; one that was not encrypted is not given again.
    """

    def __init__(
        self,
        store: Store,
        caps: Sequence[Cap] = (),
        alerts: Sequence[float] = (),
        tell: Alert | None = None,
        sealing: Sealing | None = None,
    ) -> None:
        self._sealing = sealing
        self._store, self._caps = store, tuple(caps)
        self._alerts, self._tell = tuple(sorted(alerts, reverse=True)), tell or _log
        self._told: dict[tuple[str, str, int], float] = {}
        self._telling = threading.Lock()
        self._shares = tuple(cap for cap in caps if cap.unit == "share")

    @property
    def store(self) -> Store:
        """Where it is kept."""
        return self._store

    def reserve(self, purchase: Purchase) -> Verdict:
        """Set aside the most a call can take.

        Returns:
            A `Hold`, to be settled or released; or what stands in the way.

        Raises:
            LedgerError: The ledger cannot be kept; nothing may be bought.
        """
        now = self._store.now()
        asked = lines(self._caps, purchase.payer, purchase.model, purchase.most, now)
        verdict = self._store.reserve(purchase, asked, now)
        if isinstance(verdict, Hold | AtCap):
            self._alert(asked, verdict)
        return self._readable(verdict, purchase)

    def sending(self, hold: Hold) -> bool:
        """Note that the call is about to be made; False where the reservation has lapsed, and it must not be.

        Raises:
            LedgerError: The ledger cannot be kept; the call must not be made.
        """
        return self._store.sending(hold)

    def settle(self, hold: Hold, spent: Spent, answer: bytes | None = None) -> None:
        """Book what the call took; its answer is kept for the same step of a repeated run.

        Raises:
            LedgerError: The ledger cannot be kept; the reservation stands, and is booked in full once it lapses.
        """
        if answer is not None and self._sealing is not None:
            answer = self._sealing.seal(answer, hold.tenant, "ledger", hold.key)
        self._store.settle(hold, spent, answer)

    def release(self, hold: Hold) -> None:
        """Give back what was set aside, because the call was not made or cost nothing.

        Raises:
            LedgerError: The ledger cannot be kept; the reservation stands until it lapses.
        """
        self._store.release(hold)

    @property
    def counts(self) -> bool:
        """Whether a cap on a share asks for every request to be counted."""
        return bool(self._shares)

    def count(self, payer: Payer, model: str) -> None:
        """Count a request, for the caps on the share of requests that may call this model.

        Raises:
            LedgerError: The ledger cannot be kept.
        """
        if self._shares:
            self._store.count(lines(self._shares, payer, model, NOTHING, self._store.now()))

    def standings(self, payer: Payer, model: str) -> list[Standing]:
        """Return how every cap on this payer's calls of a model stands.

        Raises:
            LedgerError: The ledger cannot be read.
        """
        asked = lines(self._caps, payer, model, Amount(0, 0, 0), self._store.now())
        return [line.standing(*taken) for line, taken in zip(asked, self._store.taken(asked), strict=True)]

    def total(self) -> Total:
        """Return what all purchases came to.

        Raises:
            LedgerError: The ledger cannot be read.
        """
        return self._store.total()

    def now(self) -> float:
        """Return the time by which the ledger counts, seconds since the epoch."""
        return self._store.now()

    def close(self) -> None:
        """Let go of the store's files and connections; the next use takes them again."""
        self._store.close()

    def _readable(self, verdict: Verdict, purchase: Purchase) -> Verdict:
        if self._sealing is None:
            return verdict
        tenant = purchase.payer.tenant
        if isinstance(verdict, Hold):
            return replace(verdict, tenant=tenant)
        if not isinstance(verdict, Bought):
            return verdict
        try:
            return Bought(self._sealing.open(verdict.answer, tenant, "ledger", purchase.key))
        except SealError as error:
            raise LedgerError(f"the ledger's answer to a step that was paid before is refused: {error}") from None

    def _alert(self, asked: Sequence[Line], verdict: Hold | AtCap) -> None:
        """Tell of each level the first time this process sees it reached in a window."""
        for line, standing in zip(asked, verdict.standings, strict=True):
            full = isinstance(verdict, AtCap) and standing == verdict.cap
            taken = standing.limit if full else standing.taken + (standing.amount if isinstance(verdict, Hold) else 0)
            share = taken / standing.limit if standing.limit else 1.0
            level = next((each for each in self._alerts if share >= each), None)
            # a share is always near its cap; only reaching it is news
            if level is not None and (full or standing.unit != "share") and self._is_news(line, level):
                self._tell(level, standing)

    def _is_news(self, line: Line, level: float) -> bool:
        key = (line.cap.name, line.subject, line.start)
        with self._telling:
            if level <= self._told.get(key, 0.0):
                return False
            if len(self._told) >= 10_000:
                self._told.clear()  # windows of the past, most of them
            self._told[key] = level
            return True


def _log(level: float, standing: Standing) -> None:
    _LOG.warning("%.0f %% of the cap %r is taken (per %s)", level * 100, standing.cap, standing.per)
