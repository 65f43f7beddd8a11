"""`RetryBudget`: how many calls may be made again, as a share of the calls there are.

A count per call multiplies the load exactly when servers have too much of it; a share does not. Knows no call.
"""

from __future__ import annotations

from dataclasses import dataclass

_RESERVE = 5.0
"""Retries that a share of few calls would not allow; of them no more are ever saved up."""


@dataclass(slots=True)
class RetryBudget:
    """At no time were there more retries than a share of the calls, and five."""

    share: float
    """Retries for each call, between 0 and 1; with 0 there are none."""
    calls: int = 0
    retries: int = 0
    refused: int = 0
    """Retries that were wished for and not granted."""
    _saved: float = _RESERVE

    def called(self) -> None:
        """Take note of a first attempt."""
        self.calls += 1
        self._saved = min(_RESERVE, self._saved + self.share)

    def grant(self) -> bool:
        """Spend one retry, if there is one."""
        if self.share > 0 and self._saved >= 1:
            self._saved -= 1
            self.retries += 1
            return True
        self.refused += 1
        return False
