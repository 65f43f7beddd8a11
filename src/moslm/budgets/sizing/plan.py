"""From a load and a service level to replicas: approximated first, and simulated where that is not close enough."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from moslm.budgets.sizing.queueing import (
    allen_cunneen,
    mean_wait,
    scv,
    takes_longer,
    takes_longer_than,
    waiting_probability,
)
from moslm.budgets.sizing.simulation import Simulated, simulated

CLOSE = 0.05
"""How far an approximated mean wait may be from the simulated one, as a share of it, to be used."""
_MOST = 20_000
_REQUESTS = 200_000
_MOST_REQUESTS = 3_200_000
_ERROR = 0.01
"""Standard error of a simulated mean wait, as a share of it, that is small enough."""
_SHORT = 1e-3
"""Waits below this share of an answer are taken for none: a relative error of nothing says nothing."""


@dataclass(frozen=True, slots=True)
class Load:
    """What is to be answered.

    Attributes:
        rate: Requests a second, at the peak.
        answer_s: Seconds an answer takes on average while ``side_by_side`` are written.
        side_by_side: Answers that one replica writes side by side.
        samples: Seconds that answers took so; their mean takes the place of ``answer_s``. Empty where nobody measured.
        arrivals_scv: Squared coefficient of variation of the times between requests.
        service_scv: The same of the times that answers take, where there are no samples.
    """

    rate: float
    answer_s: float
    side_by_side: int
    samples: Sequence[float] = ()
    arrivals_scv: float = 1.0
    service_scv: float = 1.0

    @property
    def exact(self) -> bool:
        """Whether M/M/c says it all."""
        return not self.samples and self.arrivals_scv == 1 and self.service_scv == 1


@dataclass(frozen=True, slots=True)
class Level:
    """A service level: so many of the requests within so many seconds, waiting and answer together."""

    percentile: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What it takes.

    Attributes:
        replicas: That keep the level; a spare one comes on top.
        places: Answers written side by side, over all of them.
        load: Answers being written at any time, in erlangs.
        utilisation: Share of the places in use.
        waiting: Share of the requests that wait at all.
        mean_wait: Seconds a request waits on average.
        late: Share of the requests that take longer than the level; None without a level.
        method: What the figures come from: ``M/M/c`` is exact under its assumptions; ``Allen-Cunneen`` was within
            5 % of a simulation; ``simulation`` because it was not.
        approximated: Mean wait by Allen-Cunneen, seconds; None for M/M/c.
        simulated: Mean wait in the simulation, seconds; None for M/M/c.
        error: Standard error of that.
    """

    replicas: int
    places: int
    load: float
    utilisation: float
    waiting: float
    mean_wait: float
    late: float | None
    method: Literal["M/M/c", "Allen-Cunneen", "simulation"]
    approximated: float | None = None
    simulated: float | None = None
    error: float | None = None


def planned(load: Load, level: Level | None, *, most_used: float = 0.7, seed: int = 7) -> Plan:
    """Return the fewest replicas that keep a service level and are not used too much.

    Args:
        load: What is to be answered.
        level: What is promised; None promises only that the queue has an end.
        most_used: Utilisation that is left as headroom for bursts.
        seed: Of the simulation.

    Raises:
        ValueError: The answer alone takes longer than the level allows, or no number of replicas is enough.
    """
    samples = _samples(load, seed)
    answer_s = math.fsum(samples) / len(samples) if samples else load.answer_s
    _check_alone(load, level, samples)
    erlangs = load.rate * answer_s
    least = max(1, math.ceil(erlangs / most_used / load.side_by_side - 1e-9))
    if load.exact:
        return _exact(load, level, erlangs, least)
    found = _search(lambda n: _approximate_late(load, level, samples, erlangs, n), level, least)
    run = _run(load, samples, found, seed)
    # the approximation may have taken too few or too many: the run decides
    while level and run.later(level.seconds) > 1 - level.percentile and found < _MOST:
        found += 1
        run = _run(load, samples, found, seed)
    while level and found > least:
        fewer = _run(load, samples, found - 1, seed)
        if fewer.later(level.seconds) > 1 - level.percentile:
            break
        found, run = found - 1, fewer
    return _compared(load, level, samples, found, _settled(load, samples, found, seed))


def _samples(load: Load, seed: int) -> Sequence[float]:
    if load.samples or load.exact:
        return load.samples
    if load.service_scv == 0:
        return [load.answer_s]
    generator = np.random.default_rng(seed)
    drawn = generator.gamma(1 / load.service_scv, load.answer_s * load.service_scv, 5000)
    # what was drawn has the mean that was said
    return [float(each) for each in drawn * load.answer_s / drawn.mean()]


def _check_alone(load: Load, level: Level | None, samples: Sequence[float]) -> None:
    if level is None:
        return
    if samples:
        alone = float(np.quantile(np.asarray(samples), level.percentile))
    else:
        alone = -load.answer_s * math.log(1 - level.percentile)
    if alone > level.seconds:
        raise ValueError(
            f"an answer alone takes {alone:.3g} s at the {100 * level.percentile:g}th percentile, and"
            f" {level.seconds:g} s are allowed: no number of replicas makes one faster"
        )


def _exact(load: Load, level: Level | None, erlangs: float, least: int) -> Plan:
    answer_s, side = load.answer_s, load.side_by_side

    def late(replicas: int) -> float:
        return takes_longer(level.seconds, replicas * side, erlangs, answer_s) if level else 0.0

    found = _search(late, level, least)
    places = found * side
    return Plan(
        replicas=found,
        places=places,
        load=erlangs,
        utilisation=erlangs / places,
        waiting=waiting_probability(places, erlangs),
        mean_wait=mean_wait(places, erlangs, answer_s),
        late=late(found) if level else None,
        method="M/M/c",
    )


def _search(late: Callable[[int], float], level: Level | None, least: int) -> int:
    if level is None:
        return least
    for replicas in range(least, _MOST):
        if late(replicas) <= 1 - level.percentile:
            return replicas
    raise ValueError(f"more than {_MOST:,} replicas would be needed")


def _approximate_late(load: Load, level: Level | None, samples: Sequence[float], erlangs: float, count: int) -> float:
    if level is None:
        return 0.0
    # a thousand samples tell the shape: the run decides
    few = samples[:: max(len(samples) // 1000, 1)]
    places = count * load.side_by_side
    return takes_longer_than(level.seconds, places, erlangs, few, load.arrivals_scv, scv(samples))


def _run(load: Load, samples: Sequence[float], replicas: int, seed: int, requests: int = _REQUESTS) -> Simulated:
    places = replicas * load.side_by_side
    return simulated(load.rate, places, samples, arrivals_scv=load.arrivals_scv, seed=seed, requests=requests)


def _settled(load: Load, samples: Sequence[float], replicas: int, seed: int) -> Simulated:
    """Run until chance moves the mean wait by little, or for as long as anybody would wait for it."""
    requests = _REQUESTS
    while True:
        run = _run(load, samples, replicas, seed, requests)
        if run.error <= _ERROR * run.mean_wait or requests >= _MOST_REQUESTS:
            return run
        requests *= 4


def _compared(load: Load, level: Level | None, samples: Sequence[float], replicas: int, run: Simulated) -> Plan:
    answer_s, places = math.fsum(samples) / len(samples), replicas * load.side_by_side
    erlangs = load.rate * answer_s
    near = allen_cunneen(places, erlangs, answer_s, load.arrivals_scv, scv(samples))
    # the run is only known up to its own error: the approximation must be close whatever that is
    off = abs(near - run.mean_wait) + 2 * run.error
    close = off <= CLOSE * run.mean_wait or max(near, run.mean_wait) < _SHORT * answer_s
    return Plan(
        replicas=replicas,
        places=places,
        load=erlangs,
        utilisation=erlangs / places,
        waiting=waiting_probability(places, erlangs) if close else run.waited,
        mean_wait=near if close else run.mean_wait,
        late=run.later(level.seconds) if level else None,
        method="Allen-Cunneen" if close else "simulation",
        approximated=near,
        simulated=run.mean_wait,
        error=run.error,
    )
