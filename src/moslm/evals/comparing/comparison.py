"""`Comparison`: two systems on the same cases, in points and in money."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from moslm.evals.comparing.differences import Difference, difference
from moslm.evals.comparing.mcnemar import McNemar, mcnemar
from moslm.evals.comparing.pairing import Pairs, named, paired
from moslm.evals.figures import Figure, bootstrap
from moslm.evals.outcomes import Outcome

RIGHT = 0.5
"""Points from which a case counts as right for McNemar's test."""


class Comparison(BaseModel):
    """The second system against the first."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    first: str
    second: str
    cases: int
    """Cases that both have."""
    groups: int
    first_points: Figure
    second_points: Figure
    points: Difference
    """Second less first, in points a case."""
    mcnemar: McNemar
    first_usd: Figure
    second_usd: Figure
    usd: Difference
    """Second less first, US dollars a case, over the cases that are priced for both."""
    unpriced: tuple[str, ...] = ()
    """Cases without a price in either system; they count for points, and not for money."""
    only_first: tuple[str, ...] = ()
    """Cases that only the first has; they count for nothing."""
    only_second: tuple[str, ...] = ()
    unparsed: tuple[int, int] = (0, 0)
    """Answers of each that no grader could read; they count as no points."""
    notes: tuple[str, ...] = ()
    """What to know before believing it, a sentence each."""


def compare(
    first: str,
    one: Sequence[Outcome],
    second: str,
    other: Sequence[Outcome],
    *,
    margin: float | None = None,
    seed: int = 0,
    notes: tuple[str, ...] = (),
) -> Comparison:
    """Compare two systems on the cases that both have.

    Args:
        first: Name of the system that is compared with.
        one: Its outcomes.
        second: Name of the system that is judged.
        other: Its outcomes.
        margin: Points a case that the second may be worse by; None asks for no such verdict.
        seed: Of the resampling.
        notes: Sentences about how the two came about.

    Raises:
        ConfigError: A case stands twice, or in two groups.
    """
    pairs = paired(one, other)
    groups = pairs.groups
    points = [[each.worth for each in side] for side in (pairs.first, pairs.second)]
    money = _money(pairs, seed)
    return Comparison(
        first=first,
        second=second,
        cases=len(groups),
        groups=len(set(groups)),
        first_points=bootstrap(points[0], groups, seed=seed),
        second_points=bootstrap(points[1], groups, seed=seed),
        points=difference(points[0], points[1], groups, margin=margin, seed=seed),
        mcnemar=_tested(pairs),
        first_usd=money.first,
        second_usd=money.second,
        usd=money.gap,
        unpriced=money.lacking,
        only_first=pairs.only_first,
        only_second=pairs.only_second,
        unparsed=(_unparsed(pairs.first), _unparsed(pairs.second)),
        notes=(*notes, *_notes(pairs)),
    )


def _tested(pairs: Pairs) -> McNemar:
    right = [[each.worth >= RIGHT for each in side] for side in (pairs.first, pairs.second)]
    only_first = sum(a and not b for a, b in zip(*right, strict=True))
    only_second = sum(b and not a for a, b in zip(*right, strict=True))
    return mcnemar(only_first, only_second)


@dataclass(frozen=True, slots=True)
class _Money:
    first: Figure
    second: Figure
    gap: Difference
    lacking: tuple[str, ...]


def _money(pairs: Pairs, seed: int) -> _Money:
    rows = list(zip(pairs.first, pairs.second, pairs.groups, strict=True))
    priced = [(a.usd, b.usd, group) for a, b, group in rows if a.usd is not None and b.usd is not None]
    groups = [group for _, _, group in priced]
    sides = [one for one, _, _ in priced], [two for _, two, _ in priced]
    lacking = tuple(named((a.suite, a.case)) for a, b, _ in rows if a.usd is None or b.usd is None)
    return _Money(
        bootstrap(sides[0], groups, unit="usd", seed=seed),
        bootstrap(sides[1], groups, unit="usd", seed=seed),
        difference(sides[0], sides[1], groups, unit="usd", more_is_better=False, seed=seed),
        lacking,
    )


def _unparsed(outcomes: Sequence[Outcome]) -> int:
    return sum(each.ending == "unparsed" for each in outcomes)


def _notes(pairs: Pairs) -> tuple[str, ...]:
    notes = []
    if lost := len(pairs.only_first) + len(pairs.only_second):
        notes.append(f"{lost} cases have no counterpart and count for nothing.")
    if len(set(pairs.groups)) < len(pairs.groups):
        notes.append("Groups have several cases: McNemar's test takes them for independent, the intervals do not.")
    if any(0 < each.worth < 1 for side in (pairs.first, pairs.second) for each in side):
        notes.append(f"Some cases have a part of the points; McNemar's test takes {RIGHT:g} and more for right.")
    return tuple(notes)
