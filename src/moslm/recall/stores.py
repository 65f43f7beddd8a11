"""Where answers are kept: the one protocol, and what every store promises.

A store for several machines (Redis) would be a file beside this one; there is none yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from moslm.recall.entries import Entry


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
