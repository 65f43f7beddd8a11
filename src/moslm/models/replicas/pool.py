"""`ReplicaPool`: the servers of one model, and who of them takes the next call.

Each model of each domain has a pool of its own, and with it its own places: a domain whose servers hang fills its own
pool and leaves the others alone. Thread-safe. Knows no protocol: it is told how calls ended, and asks a given function
whether a server is well.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from weakref import WeakSet

from moslm.config import ResilienceSettings
from moslm.models.replicas.balancing import Candidate, choose, work
from moslm.models.replicas.breaker import Breaker
from moslm.models.replicas.outliers import outlier
from moslm.models.replicas.prefixes import Prompt
from moslm.models.replicas.replica import Replica, ReplicaState
from moslm.models.replicas.retries import RetryBudget
from moslm.models.replicas.watching import watch

_ANSWER_TOKENS = 64.0
"""How long answers are thought to be before there was one."""
_AVERAGE_WEIGHT = 0.1


@dataclass(frozen=True, slots=True)
class Seat:
    """A place at a server, taken for one attempt."""

    replica: int
    life: int
    """Which life of the server: after a restart it is another server."""
    why: str
    """Why this server: one sentence."""
    epoch: int
    own: float
    """Work of the call itself."""
    before: float
    """Work that stood before the answer, the call's own included."""
    began: float


@dataclass(frozen=True, slots=True)
class Refusal:
    """Nobody can take the call now."""

    full: bool
    """Whether it is for want of places; else the servers are down or left alone."""
    wait_s: float | None
    """After which it may be worth asking again; None when that is not soon."""
    why: str


_POOLS: WeakSet[ReplicaPool] = WeakSet()
_KNOWN = threading.Lock()


def pools() -> tuple[ReplicaPool, ...]:
    """Return every pool that is in use in this process, for meters."""
    with _KNOWN:
        return tuple(_POOLS)


class ReplicaPool:
    """The servers of one model.

    Args:
        name: Name of the model.
        addresses: Addresses of its servers.
        settings: How they are treated.
        is_well: Tells whether the server at an address says that it is well; must not take long, and not raise.
        clock: Seconds.
        balanced: Whether each address stands for several servers: asked again, it gives the call to another one.
    """

    def __init__(
        self,
        name: str,
        addresses: Sequence[str],
        settings: ResilienceSettings,
        is_well: Callable[[str], bool],
        clock: Callable[[], float] = time.monotonic,
        *,
        balanced: bool = False,
    ) -> None:
        self.name, self.settings, self.clock, self.balanced = name, settings, clock, balanced
        self.probe_s = settings.probe_ms / 1000
        self._is_well = is_well
        self.retries = RetryBudget(settings.retry_share)
        self._lock = threading.Lock()
        self._turn = 0
        self._answer_tokens = _ANSWER_TOKENS
        self._replicas = [
            Replica(i, address, Breaker(settings.failures_to_open, settings.open_ms / 1000), settings.max_in_flight)
            for i, address in enumerate(addresses)
        ]
        with _KNOWN:
            _POOLS.add(self)

    def __len__(self) -> int:
        return len(self._replicas)

    def take(self, prompt: Prompt, tried: Collection[tuple[int, int]] = ()) -> Seat | Refusal:
        """Take a place for one attempt.

        Args:
            prompt: What is to be asked.
            tried: Servers (with their life) that this call has already asked in vain.
        """
        with self._lock:
            now = self.clock()
            standings = [each.standing(now) for each in self._replicas]
            untried = [r for r in self._replicas if (r.index, r.life) not in tried]
            able = [each for each in untried if standings[each.index] in ("in_service", "trial")]
            # rather one that fails often than nobody
            able = able or [each for each in untried if standings[each.index] == "ejected"]
            return self._seat(able, prompt, now) if able else self._refusal(untried, now)

    def may_go_elsewhere(self, seat: Seat) -> bool:
        """Tell whether another server could take the call now."""
        with self._lock:
            now = self.clock()
            return any(
                each.index != seat.replica and each.standing(now) in ("in_service", "ejected")
                for each in self._replicas
            )

    def answered(self, seat: Seat, answer_tokens: int | None) -> None:
        """Take note of a whole answer."""
        with self._lock:
            now, replica = self.clock(), self._vacated(seat)
            replica.answered(now - seat.began, seat.before, now)
            replica.breaker.succeeded(seat.epoch)
            if answer_tokens:
                self._answer_tokens += _AVERAGE_WEIGHT * (answer_tokens - self._answer_tokens)

    def failed(self, seat: Seat, why: str, *, died: bool) -> None:
        """Take note of a failure that was the server's own.

        Args:
            seat: Its place.
            why: One sentence.
            died: Whether the server went away, rather than answering wrongly or not at all.
        """
        with self._lock:
            now, replica = self.clock(), self._vacated(seat)
            # fifty calls that died with their server are one failure; of a server that is back they say nothing
            if replica.failed(why, counts=seat.epoch == replica.breaker.epoch) and died:
                replica.breaker.failed(seat.epoch, now)
                replica.died(now)
            else:
                replica.breaker.failed(seat.epoch, now)
            serving = [each for each in self._replicas if each.standing(now) in ("in_service", "full", "resting")]
            worst = outlier({each.index: each.latest() for each in serving}, len(serving))
            if worst is not None:
                self._replicas[worst].eject(now)
            self._watch(replica, now)

    def lost(self, seat: Seat, why: str) -> None:
        """Take note that the server behind a balancer's address went away; the address still stands.

        The calls that went down with one server are one failure of the address; many in a row break its circuit.
        """
        with self._lock:
            now, replica = self.clock(), self._vacated(seat)
            if replica.failed(why, counts=seat.epoch == replica.breaker.epoch):
                replica.breaker.failed(seat.epoch, now)
                if replica.breaker.state == "closed":
                    replica.breaker.died()
            self._watch(replica, now)

    def rests(self, seat: Seat, seconds: float, why: str) -> None:
        """Take note that the server has too much to do and asked to be left alone for so many seconds."""
        with self._lock:
            replica = self._vacated(seat)
            replica.breaker.left(seat.epoch)
            replica.resting_until = max(replica.resting_until, self.clock() + seconds)
            replica.why = why

    def left(self, seat: Seat) -> None:
        """Take note of an attempt that says nothing about the server: its caller went away, or asked for nonsense."""
        with self._lock:
            self._vacated(seat).breaker.left(seat.epoch)

    def due(self, index: int) -> float | None:
        """Return the seconds until somebody should look at a server; None when it needs nobody any more."""
        with self._lock:
            replica, now = self._replicas[index], self.clock()
            if replica.down:
                return 0.0
            if replica.breaker.state == "open":
                return max(0.0, replica.breaker.open_until - now)
            replica.watched = False
            return None

    def look(self, index: int) -> bool:
        """Look at a server and take note of what it shows."""
        well = self._is_well(self._replicas[index].address)
        with self._lock:
            replica, now = self._replicas[index], self.clock()
            if well and replica.down:
                replica.revived()
            replica.breaker.probed(well, now)
        return well

    def granted(self) -> bool:
        """Spend one retry of the budget, if there is one."""
        with self._lock:
            return self.retries.grant()

    def called(self) -> None:
        """Take note of a new call."""
        with self._lock:
            self.retries.called()

    def states(self) -> tuple[ReplicaState, ...]:
        """Return what an operator sees of each server."""
        with self._lock:
            now = self.clock()
            return tuple(
                ReplicaState(
                    model=self.name,
                    replica=each.index + 1,
                    address=each.address,
                    standing=each.standing(now),
                    in_flight=each.in_flight,
                    calls=each.calls,
                    failures=each.failures,
                    opened=each.breaker.opened,
                    deaths=each.life + each.down,
                    seconds_per_call=each.seconds,
                    why=each.why,
                )
                for each in self._replicas
            )

    def _seat(self, able: Sequence[Replica], prompt: Prompt, now: float) -> Seat:
        usual = self._usual_pace()
        candidates = [
            Candidate(each.index, each.outstanding, each.held.held(prompt), each.pace(now, usual)) for each in able
        ]
        chosen, why = choose(candidates, prompt.length, self._answer_tokens, self._turn)
        self._turn += 1
        replica = self._replicas[chosen.index]
        own = work(chosen.held, prompt.length, self._answer_tokens)
        replica.in_flight, replica.calls = replica.in_flight + 1, replica.calls + 1
        replica.outstanding += own
        replica.held.keep(prompt)
        return Seat(replica.index, replica.life, why, replica.breaker.began(), own, replica.outstanding, now)

    def _vacated(self, seat: Seat) -> Replica:
        replica = self._replicas[seat.replica]
        replica.in_flight -= 1
        # sums of floats drift; an idle server has nothing before it
        replica.outstanding = max(0.0, replica.outstanding - seat.own) if replica.in_flight else 0.0
        return replica

    def _refusal(self, untried: Sequence[Replica], now: float) -> Refusal:
        standings = {each.standing(now) for each in untried}
        if standings & {"full", "resting"}:
            rests = [each.resting_until - now for each in untried if each.standing(now) == "resting"]
            wait = 0.0 if "full" in standings else min(rests)
            return Refusal(True, wait, "all its servers have as much to do as they may")
        # one that went down a moment ago may be back in a moment; a broken circuit stays broken for longer
        back_soon = 0.0 if any(each.fell_lately(now) for each in self._replicas) else None
        why = "none of its servers answers" if "down" in standings else "its servers are left alone after many failures"
        return Refusal(False, back_soon, why if untried else "all its servers were asked in vain")

    def _usual_pace(self) -> float:
        known = [pace for each in self._replicas if (pace := each.measured_pace()) is not None]
        return sum(known) / len(known) if known else 1.0

    def _watch(self, replica: Replica, now: float) -> None:
        if not replica.watched and (replica.down or replica.breaker.state == "open"):
            replica.watched = True
            watch(self, replica.index)
