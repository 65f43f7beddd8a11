"""`Attempts`: one call, made at one server after another until one answers or there is reason to stop.

A call goes on to another server where its failure was the server's own. After a death that is free, since the dead take
no further calls; after an error, a timeout or a refusal for want of places it is a retry, which the pool's budget must
grant. A server is not asked twice, unless it was restarted in between, or is a load balancer with others behind it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from langchain_core.messages import BaseMessage

from moslm.decision import ReplicaUse
from moslm.errors import BackendBusy, BackendDown, BackendError, BackendTimeout, MoSLMError
from moslm.models.chat.failures import as_backend_error
from moslm.models.replicas.blame import Blame, blame_for, lost_behind, retry_after
from moslm.models.replicas.pool import Refusal, ReplicaPool, Seat
from moslm.models.replicas.prefixes import read

_MOST = 4
_LOOK_AGAIN_S = 0.02
_SHARE_OF_FIRST = 0.5
"""What the first server may use of the time there is, where another could still take the call."""


class Attempts:
    """The attempts of one call.

    Args:
        pool: The servers.
        messages: The prompt.
        deadline: `time.monotonic()` at which the call is given up.
    """

    def __init__(self, pool: ReplicaPool, messages: Sequence[BaseMessage], deadline: float) -> None:
        self._pool, self._prompt, self.deadline = pool, read(messages), deadline
        self._seat: Seat | None = None
        self._tried: set[tuple[int, int]] = set()
        self._met: list[str] = []
        self._owes_grant = False
        self._last: BackendError | None = None
        self._waits_until = 0.0
        pool.called()

    def next(self) -> int:
        """Take a place at a server, waiting a moment if need be; return the server's index.

        Raises:
            BackendError: There is none to be had: the last attempt's failure, else `BackendBusy` or `BackendDown`.
        """
        self._begin()
        while isinstance(taken := self._take(), float):
            time.sleep(taken)
        return taken

    async def anext(self) -> int:
        """Take a place at a server, as `next` does, on the event loop."""
        self._begin()
        while isinstance(taken := self._take(), float):
            await asyncio.sleep(taken)
        return taken

    def seconds(self) -> float:
        """Return how long this attempt may take; half of what is left where another server could still be asked."""
        left = max(0.001, self.deadline - time.monotonic())
        alone = self._met or self._seat is None or not self._pool.may_go_elsewhere(self._seat)
        return left if alone else _SHARE_OF_FIRST * left

    def failed(self, error: Exception, *, begun: bool = False) -> None:
        """Take note that the attempt failed; return if the call may be made again, else raise.

        Args:
            error: What was raised.
            begun: Whether a part of the answer had come.
        """
        lost = self._pool.balanced and lost_behind(error)
        blame = Blame.DIED if lost else blame_for(error)
        if blame is Blame.CALLER or self._seat is None:
            self.left()
            raise error if isinstance(error, MoSLMError) else self._told(as_backend_error(error, self._pool.name))
        failure = as_backend_error(error, self._pool.name)
        if blame is Blame.DIED and begun:
            failure = BackendDown(self._pool.name, f"{self._pool.name} broke off in the middle of its answer")
            failure.__cause__ = error
        elif lost:
            failure = BackendDown(self._pool.name, f"{self._pool.name} lost the server behind its address")
            failure.__cause__ = error
        self._end(blame, failure, error, lost=lost)
        self._last = failure
        if len(self._met) >= _MOST or time.monotonic() >= self.deadline:
            raise self._told(failure)

    def answered(self, answer_tokens: int | None) -> ReplicaUse:
        """Take note of the whole answer; return what the Decision says about the call."""
        use, seat = self.use(), self._seat
        self._seat = None
        if seat is not None:
            self._pool.answered(seat, answer_tokens)
        return use

    def use(self) -> ReplicaUse:
        """Return what the Decision says about the call: who has it, and what the attempts before met."""
        return ReplicaUse(
            replica=None if self._seat is None else self._seat.replica + 1,
            of=len(self._pool),
            attempts=len(self._met) + (self._seat is not None),
            why=self._seat.why if self._seat else "",
            met=list(self._met),
        )

    def left(self) -> None:
        """Take note that the caller went away; at its deadline that is the server's failure."""
        seat, self._seat = self._seat, None
        if seat is None:
            return
        if time.monotonic() >= self.deadline - 0.05:
            self._pool.failed(seat, f"{self._pool.name} did not answer before its deadline", died=False)
        else:
            self._pool.left(seat)

    def _begin(self) -> None:
        self._waits_until = min(self.deadline, time.monotonic() + self._pool.settings.max_wait_ms / 1000)

    def _take(self) -> int | float:
        """Return a server's index, or how long to wait before the next look."""
        taken = self._pool.take(self._prompt, self._tried)
        if isinstance(taken, Refusal):
            wait = None if taken.wait_s is None else max(taken.wait_s, _LOOK_AGAIN_S)
            if wait is None or time.monotonic() + wait > self._waits_until:
                raise self._told(self._last or self._refused(taken))
            return wait
        if self._owes_grant and not self._pool.granted():
            self._pool.left(taken)
            assert self._last is not None
            raise self._told(self._last)
        self._owes_grant, self._seat = False, taken
        return taken.replica

    def _refused(self, refusal: Refusal) -> BackendError:
        words = f"{self._pool.name} cannot be asked: {refusal.why}"
        if refusal.full:
            return BackendBusy(self._pool.name, words, retry_after_s=max(refusal.wait_s or 0.0, 1.0))
        return BackendDown(self._pool.name, words)

    def _end(self, blame: Blame, failure: BackendError, error: Exception, *, lost: bool) -> None:
        seat, self._seat = self._seat, None
        assert seat is not None
        if lost:
            self._pool.lost(seat, str(failure))
        elif blame is Blame.BUSY:
            self._pool.rests(seat, retry_after(error), str(failure))
        else:
            self._pool.failed(seat, str(failure), died=blame is Blame.DIED)
        if not self._pool.balanced:
            self._tried.add((seat.replica, seat.life))
        words = str(failure).removeprefix(f"{failure.backend} ")
        self._met.append(f"replica {seat.replica + 1} {words}")
        self._owes_grant = blame is not Blame.DIED

    def _told(self, failure: BackendError) -> BackendError:
        failure.replicas = self.use().model_dump(mode="json")
        return failure


def out_of_time(name: str) -> BackendTimeout:
    """Return the error of a model that did not answer in time."""
    return BackendTimeout(name, f"{name} did not answer before its deadline")
