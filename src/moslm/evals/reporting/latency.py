"""`Latency`: how long reading and answering took, beside the service levels of the reference design."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

from moslm.evals.figures import Figure
from moslm.evals.metrics.quantiles import quantile
from moslm.evals.metrics.scope import asked
from moslm.evals.outcomes import Outcome
from moslm.evals.reporting.part import Part

Time = tuple[float, str]
"""Milliseconds, and the group of the request."""

_SHARES = tuple(np.round(np.linspace(0.02, 1.0, 50), 2).tolist())
_QUANTILES = (0.5, 0.85, 0.9, 0.95, 0.99)
_LEVELS = (("reading a request", 0.95, 50.0), ("answered locally", 0.90, 300.0), ("escalated", 0.85, 3000.0))
"""What is timed, which quantile of it is held, and against how many milliseconds."""


class ServiceLevel(Part):
    """One promise about time."""

    quantile: float
    limit_ms: float
    figure: Figure
    """The quantile that was measured, in milliseconds."""
    verdict: Literal["kept", "missed", "not measured"]


class Timed(Part):
    """One kind of time of one system."""

    name: str
    n: int
    quantiles: dict[str, float]
    """Milliseconds at ``p50``, ``p85``, ``p90``, ``p95`` and ``p99``."""
    curve: tuple[tuple[float, float], ...]
    """(milliseconds, share of the requests that took no longer); begins at none."""
    level: ServiceLevel


class Latency(Part):
    """One system."""

    system: str
    times: tuple[Timed, ...]
    """Those that were measured or promised; the promised come first."""
    why: str = ""
    """Why there are none."""


def latency(system: str, outcomes: Sequence[Outcome]) -> Latency:
    """Return the times of one system."""
    there = asked(outcomes)

    def of(about: Sequence[Outcome], time_of: Callable[[Outcome], float | None]) -> list[Time]:
        timed = [(time_of(each), f"{each.suite}/{each.group}") for each in about]
        return [(time, group) for time, group in timed if time is not None]

    return latency_of(
        system,
        reading=of(outcomes, lambda each: each.classify_ms),
        local=of([each for each in there if each.way == "local"], lambda each: each.total_ms),
        escalated=of([each for each in there if each.way == "escalated"], lambda each: each.total_ms),
    )


def latency_of(system: str, *, reading: Sequence[Time], local: Sequence[Time], escalated: Sequence[Time]) -> Latency:
    """Return times as they were measured, beside the service levels.

    Args:
        system: Whose they are.
        reading: How long reading each request took.
        local: How long requests took that small models answered.
        escalated: How long requests took that the large model answered.
    """
    found = (reading, local, escalated)
    times = tuple(
        _timed(name, [time for time, _ in timed], [group for _, group in timed], at, limit)
        for (name, at, limit), timed in zip(_LEVELS, found, strict=True)
    )
    return Latency(system=system, times=times, why="" if any(found) else "no outcome says how long it took")


def _timed(name: str, times: Sequence[float], groups: Sequence[str], at: float, limit: float) -> Timed:
    figure = quantile(times, groups, at)
    verdict: Literal["kept", "missed", "not measured"] = "not measured"
    if figure.value is not None:
        verdict = "kept" if figure.value <= limit else "missed"
    level = ServiceLevel(quantile=at, limit_ms=limit, figure=figure, verdict=verdict)
    if not times:
        return Timed(name=name, n=0, quantiles={}, curve=(), level=level)
    found = np.quantile(np.asarray(times), _QUANTILES)
    shares = [share for share in _SHARES if share * len(times) >= 1]
    curve = np.quantile(np.asarray(times), shares)
    return Timed(
        name=name,
        n=len(times),
        quantiles={f"p{100 * q:g}": float(ms) for q, ms in zip(_QUANTILES, found, strict=True)},
        curve=((min(times), 0.0), *((float(ms), share) for ms, share in zip(curve, shares, strict=True))),
        level=level,
    )
