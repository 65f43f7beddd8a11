"""Do the drafts that are served still look like the answers a calibration was fitted on?

Conformal test martingales (Vovk, Gammerman and Shafer, 2005; Volkhonskiy et al., 2017). A draft's value is ranked
among the reference and all drafts before it; while all of them are exchangeable, these p-values are uniform and
independent of each other. A gambler who stakes one unit on their not being so gets as rich as 1 / alpha with a chance
of at most alpha, however long the play (Ville's inequality): the rate of false alarms is kept although every draft is
looked at. The rank is taken among a grid's cells, with ties broken by lot, so what must be remembered is bounded and
the promise exact, however many drafts there are.

Knows nothing of graphs, files or what follows from an alarm.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from moslm.escalation.calibration.calibrator import Scale, known

PROBABILITY = "probability"
"""Name under which the calibrated probability itself is watched."""

_PER_SPREAD = 16
"""Cells of the grid for one standard deviation."""
_HALF = 6 * _PER_SPREAD
"""A scale holds values within six standard deviations."""
_CELLS = 2 * _HALF + 2
_ABSENT = 0
"""The cell of values that are missing: that more of them are is drift as well."""

_STAKES = (-0.8, -0.3, 0.3, 0.8)
"""On a change of level first, then on a change of spread."""
_EPOCH = 25
"""Drafts after which the gambler stakes afresh a part of what was held back: a late change meets fresh money."""


@dataclass(frozen=True, slots=True)
class Reference:
    """How one value was spread over the labelled answers of a domain.

    Attributes:
        scale: The value's name, and how it becomes a place on the grid.
        cells: (cell, answers in it), ascending; cells without an answer are left out. 0 holds answers without a value.
    """

    scale: Scale
    cells: tuple[tuple[int, int], ...]

    @property
    def name(self) -> str:
        """The value that is watched."""
        return self.scale.name


def reference(scale: Scale, values: Iterable[float | None]) -> Reference:
    """Return the reference of one value over labelled answers."""
    return Reference(scale, tuple(sorted(Counter(_cell(scale, value) for value in values).items())))


@dataclass(slots=True)
class Martingale:
    """A gambler's bets on one value, from the reference on; see `martingale`.

    Attributes:
        before: How many values the reference holds.
        counts: How many values lie in each cell: those of the reference and of all drafts so far.
        wealth: What stands on each bet.
        reserve: What was not staked yet.
        seen: Drafts so far.
    """

    before: int
    counts: list[int]
    wealth: list[float] = field(default_factory=lambda: [0.0] * 2 * len(_STAKES))
    reserve: float = 1.0
    seen: int = 0

    @property
    def capital(self) -> float:
        """Return what the gambler owns; 1 at the start."""
        return self.reserve + sum(self.wealth)

    def play(self, place: int, lot: float) -> None:
        """Bet on where the next value lies, and take it in.

        Args:
            place: Its cell.
            lot: A number drawn uniformly between 0 and 1, which breaks ties.
        """
        if self.seen % _EPOCH == 0:
            self._stake(self.seen // _EPOCH + 1)
        self.counts[place] += 1
        self.seen += 1
        p = (sum(self.counts[place + 1 :]) + lot * self.counts[place]) / (self.before + self.seen)
        level = 2 * p - 1
        spread = 2 * abs(level) - 1
        half = len(_STAKES)
        for i, stake in enumerate(_STAKES):
            self.wealth[i] *= 1 + stake * level
            self.wealth[half + i] *= 1 + stake * spread

    def finding(self) -> str:
        """Return which way the values went, by the bet that won most."""
        best = max(range(len(self.wealth)), key=lambda i: self.wealth[i])
        on_spread, i = divmod(best, len(_STAKES))
        if on_spread:
            return "more spread out" if _STAKES[i] > 0 else "less spread out"
        return "lower" if _STAKES[i] > 0 else "higher"

    def _stake(self, epoch: int) -> None:
        left = 1 / math.sqrt(epoch + 1)
        fresh, self.reserve = self.reserve - left, left
        self.wealth = [own + fresh / len(self.wealth) for own in self.wealth]


def martingale(known_values: Reference) -> Martingale:
    """Return a gambler who has seen the reference and nothing else."""
    counts = [0] * _CELLS
    for place, answers in known_values.cells:
        counts[place] = answers
    return Martingale(sum(counts), counts)


def place_of(known_values: Reference, value: float | None) -> int:
    """Return the cell of a value on the grid of its reference."""
    return _cell(known_values.scale, value)


def limit(references: Sequence[Reference], domains: int, alpha: float) -> float:
    """Return the capital that is an alarm: no value of no domain reaches it but for a chance of ``alpha`` in all."""
    return max(1, len(references)) * max(1, domains) / alpha


def _cell(scale: Scale, value: float | None) -> int:
    found = known(value)
    return _ABSENT if found is None else 1 + _HALF + round(scale.standardised(found) * _PER_SPREAD)
