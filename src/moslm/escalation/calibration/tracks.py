"""How drafts ran before they ended: what a running confidence is worth, and below which one a draft is given up.

A draft is looked at when it has 4, 6, 8, 12, 16, 24 ... tokens. Its *track* is the confidence it ended with and the
lowest it ran at on the way. Among labelled drafts that reached a threshold, a running confidence below the k-th lowest
track is one that a new such draft falls below with a chance of at most k / (n + 1): the split-conformal quantile (Vovk,
Gammerman and Shafer, 2005), for any model and any threshold, as long as drafts are exchangeable. Needs no labels; knows
nothing of signals or models.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Track:
    """How one draft ran.

    Attributes:
        end: The confidence it ended with.
        lowest: The lowest running confidence at the looks; 1 for a draft that ended before the first one.
    """

    end: float
    lowest: float


@dataclass(frozen=True, slots=True)
class Floor:
    """The running confidence below which a draft is given up.

    Attributes:
        least: That confidence.
        reached: The rate holds for drafts that reach this confidence.
        drafts: How many labelled drafts did.
        rate: Share of such drafts that are given up all the same, at most.
    """

    least: float
    reached: float
    drafts: int
    rate: float


def is_look(before: int, tokens: int) -> bool:
    """Tell whether a draft that grew from so many tokens to so many is looked at now."""
    step = 4
    while step <= tokens:
        if before < step <= tokens or before < step * 3 // 2 <= tokens:
            return True
        step *= 2
    return False


def running(confidences: Sequence[float]) -> float | None:
    """Return the running confidence from those of the looks so far: the higher one of the last two.

    A single look may fall on a word that the next one redeems.

    Returns:
        None before the second look.
    """
    return max(confidences[-2:]) if len(confidences) > 1 else None


def track(end: float, looks: Sequence[float]) -> Track:
    """Return the track of a finished draft."""
    ran = (running(looks[: count + 1]) for count in range(len(looks)))
    return Track(end, min((each for each in ran if each is not None), default=1.0))


def floor(tracks: Iterable[Track], threshold: float, rate: float) -> Floor | None:
    """Return the running confidence below which drafts are given up.

    Args:
        tracks: Tracks of drafts that were finished.
        threshold: The confidence a draft needs. Where too few drafts reached it, those that came nearest are added, as
            many as the rate needs: the rate then holds for drafts that reach what these reached.
        rate: Share of the drafts that reach it which may be given up.

    Returns:
        None where there are too few drafts for such a rate.
    """
    best = sorted(tracks, key=lambda each: each.end, reverse=True)
    above = [each for each in best if each.end >= threshold]
    while len(above) < len(best) and int(rate * (len(above) + 1)) < 1:
        above.append(best[len(above)])
    given_up = int(rate * (len(above) + 1))
    if given_up < 1:
        return None
    lowest = sorted(each.lowest for each in above)
    return Floor(lowest[given_up - 1], min(threshold, above[-1].end), len(above), given_up / (len(above) + 1))
