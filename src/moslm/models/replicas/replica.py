"""`Replica`: what is known of one server, and whether it may be asked. Not thread-safe: its pool holds the lock."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from moslm.models.replicas.breaker import Breaker
from moslm.models.replicas.prefixes import PrefixMemory

Standing = Literal["in_service", "full", "resting", "ejected", "down", "open", "trial"]

_EJECTED_S = 5.0
_EJECTED_LONGEST_S = 60.0
_LATEST = 20
_LATELY_S = 2.0
_PACE_WEIGHT = 0.2
_PACE_FADES_S = 10.0
_ABOUT = 1.5


@dataclass(frozen=True, slots=True)
class ReplicaState:
    """What an operator sees of one server."""

    model: str
    replica: int
    """Its place among the configured addresses, from 1."""
    address: str
    standing: Standing
    """``in_service``; ``full``: has all the calls it may have; ``resting``: asked to be left alone for a while;
    ``ejected``: fails more often than its peers; ``down``: does not answer at all; ``open``: the circuit is broken;
    ``trial``: it is being tried again."""
    in_flight: int
    calls: int
    failures: int
    opened: int
    """How often its circuit broke."""
    deaths: int
    """How often it went down."""
    seconds_per_call: float | None
    """Moving average of the calls it answered."""
    why: str
    """Its last failure, one sentence; empty if there was none."""


@dataclass(slots=True)
class Replica:
    """One server."""

    index: int
    address: str
    breaker: Breaker
    most: int
    """Calls it may have at the same time."""
    down: bool = False
    down_since: float = 0.0
    resting_until: float = 0.0
    ejected_until: float = 0.0
    in_flight: int = 0
    outstanding: float = 0.0
    """Work given and not done; see `moslm.models.replicas.balancing`."""
    held: PrefixMemory = field(default_factory=PrefixMemory)
    life: int = 0
    """How often it came back after it was down."""
    calls: int = 0
    failures: int = 0
    seconds: float | None = None
    why: str = ""
    watched: bool = False
    """Whether somebody looks at it until it is well."""
    _latest: deque[bool] = field(default_factory=lambda: deque(maxlen=_LATEST))
    _ejections: int = 0
    _pace: float | None = None
    _paced_at: float = 0.0

    def standing(self, now: float) -> Standing:
        """Say whether it may be asked, and why not."""
        if self.down:
            return "down"
        if not self.breaker.admits():
            return "open"
        if self.resting_until > now:
            return "resting"
        if self.in_flight >= self.most:
            return "full"
        if self.ejected_until > now:
            return "ejected"
        return "in_service" if self.breaker.state == "closed" else "trial"

    def latest(self) -> tuple[int, int]:
        """Return how many of its last calls failed, and how many there were."""
        return self._latest.count(False), len(self._latest)

    def pace(self, now: float, usual: float) -> float:
        """Return its seconds per unit of work; what was measured long ago fades towards the usual."""
        # near the usual it is taken for it: chance must not move conversations from server to server
        if self._pace is None or usual / _ABOUT < self._pace < usual * _ABOUT:
            return usual
        # a slow server must be tried again some day, and only its fading pace brings that day
        return usual + (self._pace - usual) * math.exp2((self._paced_at - now) / _PACE_FADES_S)

    def measured_pace(self) -> float | None:
        """Return its pace as last measured."""
        return self._pace

    def answered(self, seconds: float, work: float, now: float) -> None:
        """Take note of an answer: the seconds it took, and the work that stood before it."""
        self._latest.append(True)
        self.seconds = seconds if self.seconds is None else self.seconds + _PACE_WEIGHT * (seconds - self.seconds)
        pace = seconds / max(work, 1.0)
        self._pace = pace if self._pace is None else self._pace + _PACE_WEIGHT * (pace - self._pace)
        self._paced_at = now

    def failed(self, why: str, *, counts: bool) -> bool:
        """Take note of a failure of its own; return whether it counts against it as it is now."""
        self.failures, self.why = self.failures + 1, why
        if counts:
            self._latest.append(False)
        return counts

    def died(self, now: float) -> None:
        """Take it out of service until it answers again; its cache is gone with it."""
        self.down, self.down_since = True, now
        self.breaker.died()
        self.held.forget()

    def fell_lately(self, now: float) -> bool:
        """Tell whether it went down a moment ago, so that it may be back in a moment."""
        return self.down and now - self.down_since < _LATELY_S

    def revived(self) -> None:
        """Take it back: it has answered."""
        self.down, self.life = False, self.life + 1

    def eject(self, now: float) -> None:
        """Leave it out for a while, longer each time."""
        self._ejections += 1
        self.ejected_until = now + min(_EJECTED_LONGEST_S, _EJECTED_S * self._ejections)
        self._latest.clear()
