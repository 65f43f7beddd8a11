"""`Supervisor`: several replicas side by side, started, looked at in turns, and ended together. Knows no terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from moslm.serving.launching import Launch
from moslm.serving.looking import Seen, load_of, look
from moslm.serving.replica import Replica, Start, start_child

_LOOK_S = 2.0
"""Between two looks at servers that are healthy; those that load are looked at in every step."""
_MEASURE_S = 4.0


class Supervisor:
    """Replicas under one roof. Use it as a context: leaving it ends every process it started, and no other.

    Args:
        launches: What is to run.
        logs: Folder of their logs.
        clock: Seconds that only go forward.
        start: How processes are started.
    """

    def __init__(
        self,
        launches: Sequence[Launch],
        logs: Path,
        clock: Callable[[], float] = time.monotonic,
        start: Start = start_child,
    ) -> None:
        self._clock = clock
        self.replicas = tuple(Replica(launch, logs / launch.log, clock, start) for launch in launches)
        self._looked = self._measured = clock()

    def __enter__(self) -> Supervisor:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def all_failed(self) -> bool:
        """Whether nothing is left to watch."""
        return all(replica.state == "failed" for replica in self.replicas)

    @property
    def settled(self) -> bool:
        """Whether none is still on its way to being healthy."""
        return not any(replica.state in ("new", "loading", "restarting") for replica in self.replicas)

    def begin(self) -> None:
        """Adopt what runs already and start the rest; returns at once.

        Raises:
            ConfigError: The variable of a key is not set; nothing is started then.
        """
        for replica, seen in _seen(self.replicas).items():
            replica.begin(seen)

    def step(self) -> None:
        """Look after every replica once."""
        now = self._clock()
        all_of_them = now - self._looked >= _LOOK_S
        if all_of_them:
            self._looked = now
        watched = [r for r in self.replicas if r.state == "loading" or (all_of_them and r.state in _ALIVE)]
        seen = _seen(watched)
        for replica in self.replicas:
            replica.step(seen.get(replica))
        if now - self._measured >= _MEASURE_S:
            self._measured = now
            for replica in self.replicas:
                if replica.state == "healthy":
                    replica.measured(load_of(replica.launch.base_url, replica.launch.key))

    def stop(self) -> None:
        """End every process that was started here; returns when they are gone."""
        for replica in self.replicas:
            replica.ask_to_stop()
        for replica in self.replicas:
            replica.stop()


_ALIVE = ("healthy", "unwell")


def _seen(replicas: Sequence[Replica]) -> dict[Replica, Seen]:
    """Look at all replicas, those that ask for the same key at the same time."""
    seen: dict[Replica, Seen] = {}
    keys = {replica: replica.launch.key for replica in replicas}
    for key in set(keys.values()):
        asked = [replica for replica in replicas if keys[replica] == key]
        seen |= dict(zip(asked, look([replica.launch.base_url for replica in asked], key), strict=True))
    return seen
