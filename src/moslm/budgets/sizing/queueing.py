"""Waiting in one queue before many places: Erlang's formulas for M/M/c, and Allen-Cunneen's for G/G/c. Pure functions.

M/M/c is exact where requests arrive at random (Poisson) and answers take random times (exponential). Anything else is
an approximation: M/M/c's wait times the mean of two squared coefficients of variation, of the times between requests
and of the times that answers take (Allen and Cunneen; with one place it is Kingman's, and exact for random arrivals).
It is up to a tenth too short for real answers that vary less than exponential ones, and up to nine tenths too long for
those that vary much more (``bench/waiting.py``): `moslm.budgets.sizing.plan` holds it against a run.

A place is one answer written side by side with others: a replica that writes ``k`` has ``k`` places.
"""

from __future__ import annotations

import math
from collections.abc import Sequence


def waiting_probability(places: int, load: float) -> float:
    """Return the probability that a request has to wait (Erlang C).

    Args:
        places: How many requests are answered side by side, over all replicas.
        load: Requests a second times seconds an answer, in erlangs; from ``places`` on everybody waits.
    """
    if load >= places:
        return 1.0
    # Erlang B by its recursion, which neither overflows nor cancels
    blocked = 1.0
    for count in range(1, places + 1):
        blocked = load * blocked / (count + load * blocked)
    return blocked / (1 - load / places * (1 - blocked))


def waits_longer(seconds: float, places: int, load: float, answer_s: float) -> float:
    """Return the probability that a request waits longer than so many seconds before it is begun (M/M/c)."""
    if load >= places:
        return 1.0
    return waiting_probability(places, load) * math.exp(-(places - load) * seconds / answer_s)


def takes_longer(seconds: float, places: int, load: float, answer_s: float) -> float:
    """Return the probability that a request takes longer than so many seconds, waiting and answer together (M/M/c)."""
    if load >= places:
        return 1.0
    waits, served, freed = waiting_probability(places, load), 1 / answer_s, (places - load) / answer_s
    at_once = math.exp(-served * seconds)
    if math.isclose(served, freed, rel_tol=1e-9):
        after = (1 + served * seconds) * at_once
    else:
        after = (freed * at_once - served * math.exp(-freed * seconds)) / (freed - served)
    return (1 - waits) * at_once + waits * after


def mean_wait(places: int, load: float, answer_s: float) -> float:
    """Return how long a request waits on average, in seconds (M/M/c)."""
    if load >= places:
        return math.inf
    return waiting_probability(places, load) * answer_s / (places - load)


def allen_cunneen(places: int, load: float, answer_s: float, arrivals_scv: float, service_scv: float) -> float:
    """Return how long a request waits on average, in seconds (G/G/c, approximated).

    Args:
        places: As for `waiting_probability`.
        load: As for `waiting_probability`.
        answer_s: Seconds an answer takes on average.
        arrivals_scv: Squared coefficient of variation of the times between requests: variance over squared mean; 1 for
            random arrivals, more where they come in bursts.
        service_scv: The same of the times that answers take; 0 where all take the same.
    """
    return mean_wait(places, load, answer_s) * (arrivals_scv + service_scv) / 2


def takes_longer_than(
    seconds: float, places: int, load: float, samples: Sequence[float], arrivals_scv: float, service_scv: float
) -> float:
    """Return the probability that a request takes longer than so many seconds (G/G/c, approximated).

    Those that wait are taken to wait exponentially long, as in M/M/c, with the mean of Allen and Cunneen; how long the
    answer itself takes is as in the samples.

    Args:
        seconds: Waiting and answer together.
        places: As for `waiting_probability`.
        load: As for `waiting_probability`.
        samples: Seconds that answers took.
        arrivals_scv: As for `allen_cunneen`.
        service_scv: As for `allen_cunneen`.
    """
    if load >= places:
        return 1.0
    answer_s = math.fsum(samples) / len(samples)
    waits = waiting_probability(places, load)
    mean = allen_cunneen(places, load, answer_s, arrivals_scv, service_scv)
    late = 0.0
    for each in samples:
        left = seconds - each
        if left < 0:
            late += 1.0
        elif waits > 0 and mean > 0:
            late += waits * math.exp(-left * waits / mean)
    return late / len(samples)


def scv(samples: Sequence[float]) -> float:
    """Return the squared coefficient of variation: variance over squared mean."""
    mean = math.fsum(samples) / len(samples)
    return math.fsum((each - mean) ** 2 for each in samples) / len(samples) / mean**2
