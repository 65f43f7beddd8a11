"""Caps: who may spend how much in which window, as lines that a store can count.

Pure functions of settings, payer and moment. That a line is never exceeded is the store's business.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from moslm.budgets.money import nanos
from moslm.budgets.purchases import Amount, Payer, Per, Standing, Unit
from moslm.budgets.windows import Every, slices_at, window_at
from moslm.config import CapSettings

ABOUT_TO_CLOSE = 1
"""The request that escalates counts among all requests, though it is counted when it ends."""


@dataclass(frozen=True, slots=True)
class Cap:
    """One cap.

    Attributes:
        name: How a person knows it.
        per: What it counts by.
        only: The one subject it holds for (a tenant, a domain, a model ...); None means each.
        every: In which windows it counts.
        unit: What it counts.
        limit: The most: billionths of a dollar, tokens or calls.
        share: For ``unit = "share"``: the largest share of requests that may make such calls.
        free: For a share: calls that are allowed whatever the share, so that the first request of a day may go up.
    """

    name: str
    per: Per
    only: str | None
    every: Every
    unit: Unit
    limit: int
    share: float = 0.0
    free: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """One counter that a purchase is held against.

    Attributes:
        cap: The cap it belongs to.
        subject: Whose counter it is.
        start: First second of its window.
        ends: When the window ends; None where it never does.
        amount: What the purchase may take.
        slices: Starts of the slices of a sliding window, the current one last; empty for a window that stands.
    """

    cap: Cap
    subject: str
    start: int
    ends: float | None
    amount: int
    slices: tuple[int, ...] = ()

    def allows(self, taken: int, requests: int) -> bool:
        """Tell whether there is room.

        Args:
            taken: What the counter holds.
            requests: For a share, the requests counted in the same window; else 0.
        """
        return taken + self.amount <= self.limit(requests)

    def limit(self, requests: int) -> int:
        """Return the most the counter may hold."""
        if self.cap.unit != "share":
            return self.cap.limit
        return max(self.cap.free, int(self.cap.share * (requests + ABOUT_TO_CLOSE) + 1e-9))

    def standing(self, taken: int, requests: int) -> Standing:
        """Return how the cap stands."""
        cap = self.cap
        limit = self.limit(requests)
        return Standing(cap.name, cap.per, cap.every, cap.unit, limit, taken, self.amount, self.ends)


def caps_of(settings: Sequence[CapSettings]) -> tuple[Cap, ...]:
    """Return the caps that the settings name."""
    return tuple(_cap(each) for each in settings)


def lines(caps: Sequence[Cap], payer: Payer, model: str, most: Amount, now: float) -> tuple[Line, ...]:
    """Return every counter that a purchase at this moment is held against."""
    found = []
    for cap in caps:
        if not concerns(cap, payer, model):
            continue
        subject = payer.subject(cap.per, model)
        if cap.unit == "share":
            slices = slices_at(cap.every, now)
            frees = slices[-1] + (slices[-1] - slices[-2])
            found.append(Line(cap, subject, slices[-1], float(frees), most.of("share"), slices))
        else:
            window = window_at(cap.every, now)
            found.append(Line(cap, subject, window.start, window.ends, most.of(cap.unit)))
    return tuple(found)


def concerns(cap: Cap, payer: Payer, model: str) -> bool:
    """Tell whether a cap counts this payer at all."""
    if cap.only is None:
        return True
    plain = {"user": payer.user, "conversation": payer.conversation, "request": payer.request}
    return cap.only == plain.get(cap.per, payer.subject(cap.per, model))


def _cap(settings: CapSettings) -> Cap:
    unit, value = settings.measure
    return Cap(
        name=settings.label,
        per=settings.per,
        only=settings.only,
        every=settings.window,
        unit=unit,
        limit=nanos(value) if unit == "usd" else 0 if unit == "share" else int(value),
        share=value if unit == "share" else 0.0,
        free=settings.free,
    )
