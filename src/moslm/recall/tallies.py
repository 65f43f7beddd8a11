"""How often answers were given again, what that saved, and how often it was wrong: counts, by domain.

A hit that is answered again tells whether the remembered answer held. Where more were wrong than may be, at the upper
end of what the counts do not contradict, similar requests of that domain are no longer answered from memory.
"""

from __future__ import annotations

from dataclasses import dataclass

from moslm.tails import upper_bound

CONFIDENCE = 0.95
"""Of the bound: in one case of twenty the true rate lies above it."""


@dataclass(frozen=True, slots=True)
class Tally:
    """One domain's counts."""

    domain: str
    exact: int = 0
    semantic: int = 0
    saved_usd: float = 0.0
    """What answering these requests had cost the first time."""
    checked: int = 0
    """Semantic hits that were answered again."""
    wrong: int = 0
    """Those whose two answers do not say the same."""

    @property
    def bound(self) -> float:
        """The highest false-hit rate that the checks do not contradict (Clopper and Pearson, 95 %, one-sided)."""
        return upper_bound(self.wrong, self.checked, 1 - CONFIDENCE)

    def closed(self, most: float) -> bool:
        """Tell whether more hits were wrong than may be.

        Without one that was wrong the bound says only how few were checked; that closes nothing.
        """
        return self.wrong > 0 and self.bound > most
