"""`Breaker`: leaves a server alone that keeps failing, and lets one call at a time find out whether it has recovered.

Counts the outcomes of real calls. Knows neither servers nor clocks: whoever asks says what time it is.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Literal

BreakerState = Literal["closed", "open", "half_open"]

_WINDOW = 20
_FEWEST = 10
_SHARE = 0.6
_LONGEST_S = 15.0


@dataclass(slots=True)
class Breaker:
    """A circuit breaker.

    Closed, it opens after so many failures in a row, or when 6 in 10 of the last 20 calls failed (10 at least:
    small models see little traffic). Open, it admits nobody until `probed` says that the server is well again. Half
    open, it admits one call; that one closes it, or opens it for twice as long.

    Every call carries the epoch in which it began, and an outcome of an earlier epoch changes nothing: fifty calls that
    die together with their server are one failure of one server, and what failed before a recovery does not undo it.
    """

    failures_to_open: int
    """Failures in a row."""
    open_s: float
    """How long it stays open at first, seconds; doubled with every trial that fails."""
    state: BreakerState = "closed"
    epoch: int = 0
    open_until: float = 0.0
    """When the server may be looked at again."""
    opened: int = 0
    """How often it has opened."""
    _in_a_row: int = 0
    _ended: deque[bool] = field(default_factory=lambda: deque(maxlen=_WINDOW))
    _trial_out: bool = False
    _hold_s: float = 0.0

    def admits(self) -> bool:
        """Tell whether a call may be made now."""
        return self.state == "closed" or (self.state == "half_open" and not self._trial_out)

    def began(self) -> int:
        """Take note of an admitted call; return the epoch, which its outcome must carry."""
        self._trial_out = self.state == "half_open"
        return self.epoch

    def succeeded(self, epoch: int) -> None:
        """Take note of an answer."""
        if epoch != self.epoch:
            return
        if self.state == "half_open":
            self._turn("closed")
            self._hold_s = 0.0
        self._in_a_row = 0
        self._ended.append(True)

    def failed(self, epoch: int, now: float) -> None:
        """Take note of a failure that was the server's own."""
        if epoch != self.epoch or self.state == "open":
            return
        self._in_a_row += 1
        self._ended.append(False)
        if self.state == "half_open" or self._in_a_row >= self.failures_to_open or self._mostly_failed():
            self._open(now)

    def left(self, epoch: int) -> None:
        """Take note of a call that ended without telling anything: its caller went away, or asked for nonsense."""
        if epoch == self.epoch:
            self._trial_out = False

    def died(self) -> None:
        """Begin a new epoch: the server went down as a whole, and the calls that went down with it count once."""
        self.epoch += 1
        self._trial_out = False

    def probed(self, well: bool, now: float) -> None:
        """Take note of a look at the server after `open_until`: well, it gets its trial; else it is left alone on."""
        if self.state == "open" and now >= self.open_until:
            if well:
                self._turn("half_open")
            else:
                self.open_until = now + self._longer()

    def _mostly_failed(self) -> bool:
        return len(self._ended) >= _FEWEST and self._ended.count(False) >= _SHARE * len(self._ended)

    def _open(self, now: float) -> None:
        self.open_until = now + self._longer()
        self.opened += 1
        self._turn("open")

    def _longer(self) -> float:
        self._hold_s = min(_LONGEST_S, 2 * self._hold_s) if self._hold_s else self.open_s
        return self._hold_s

    def _turn(self, state: BreakerState) -> None:
        self.state, self._trial_out, self._in_a_row = state, False, 0
        self._ended.clear()
        self.epoch += 1
