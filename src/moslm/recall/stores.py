"""Where answers and their counts are kept: the protocols, and what every store promises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from moslm.recall.entries import Entry, How
from moslm.recall.tallies import Tally


@dataclass(frozen=True, slots=True)
class Which:
    """Which answers are forgotten; what is None does not narrow."""

    tenant: str | None = None
    domain: str | None = None
    decision: str | None = None
    """Id of the Decision that an answer came from."""


class Store(Protocol):
    """Keeps answers.

    What is purged is not found again by anybody once `purge` has returned: a store keeps no second copy in a process.
    All raise `RecallError` where what they keep things in cannot be used.
    """

    def find(self, entry_of: Sequence[str], key: str) -> Entry | None:
        """Return the answer under an exact key.

        Args:
            entry_of: Tenant and role.
            key: The key.
        """

    def alike(self, entry_of: Sequence[str], wording: str, most: int) -> Sequence[Entry]:
        """Return the newest answers of one wording."""

    def keep(self, entry: Entry) -> None:
        """Keep an answer; one that stood under its key before is gone."""

    def purge(self, which: Which) -> int:
        """Forget answers and return how many there were."""


class OwnStore(Store, Protocol):
    """A store of MoSLM's own, which counts too."""

    @property
    def place(self) -> str:
        """What people call the place it keeps things in."""

    def hit(self, domain: str, how: How, saved_usd: float) -> None:
        """Count an answer that was given again."""

    def check(self, domain: str, wrong: bool) -> None:
        """Count a hit that was answered again, and whether it was wrong."""

    def forget_checks(self, domain: str | None = None) -> int:
        """Begin to count anew whether hits are wrong, in one domain or in all; return in how many."""

    def tally(self, domain: str) -> Tally:
        """Return one domain's counts."""

    def tallies(self) -> Sequence[Tally]:
        """Return the counts of every domain."""

    def held(self, tenant: str | None = None) -> dict[str, int]:
        """Return how many answers hold now, by domain; of one tenant or of all."""

    def close(self) -> None:
        """Let go of what it keeps things in; the next use opens it again."""
