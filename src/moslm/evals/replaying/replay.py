"""`Replay`: quality, cost and escalations of recorded requests under changes, beside what they were.

Quality is measured where a score was, and else estimated: a kept draft is right with its calibrated probability; for
the large model's answers somebody must state what they are worth. Where a record does not support the question the
whole replay is refused, because what is left would be another, easier population.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from moslm.errors import ConfigError
from moslm.evals.figures import Figure, bootstrap
from moslm.evals.replaying.changes import Changes
from moslm.evals.replaying.records import Record
from moslm.evals.replaying.routes import Route, Unsupported, route
from moslm.evals.replaying.spending import LargeCalls, large_calls, recorded_usd, replayed_usd
from moslm.evals.replaying.worth import Worth, gained_worth, mean_worth, worth


class Side(BaseModel):
    """The requests one way: as they were, or under the changes."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    quality: Figure
    """Points a request; nobody's answer counts as none."""
    kept_quality: Figure
    """Points of a request that small models answered."""
    usd: Figure
    """US dollars a request."""
    escalated: Figure
    """Share of the requests that the large model answers."""
    kept: Figure
    """Share that small models answer."""


class Replay(BaseModel):
    """Both sides, and what the estimate rests on."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    requests: int
    groups: int
    before: Side
    after: Side
    quality_gained: Figure
    """After less before, points a request."""
    usd_saved: Figure
    """Before less after, US dollars a request."""
    moved: dict[str, int]
    """How many requests go another way, by ``was > now``."""
    measured: int
    """Requests whose quality under the changes was measured; of the others it is estimated."""
    notes: tuple[str, ...] = ()


def replay(records: Sequence[Record], changes: Changes, *, large_quality: float | None = None, seed: int = 0) -> Replay:
    """Replay records under changes.

    Args:
        records: What was decided.
        changes: What is set otherwise.
        large_quality: Points that an answer of the large model is worth where none was measured; None leaves the
            quality of all requests unsaid where that matters.
        seed: Of the resampling.

    Raises:
        ConfigError: There is no record, some do not support the question, or a price or the large model is not known.
    """
    if not records:
        raise ConfigError("there is no record to replay", key="records")
    _check(records, changes)
    large = large_calls([each.decision for each in records], changes)
    routes, costs = _followed(records, changes, large)
    groups = [each.group for each in records]
    both = list(zip(records, routes, strict=True))
    was = [worth(each, "was", way, large_quality, changes) for each, way in both]
    now = [worth(each, "now", way, large_quality, changes) for each, way in both]
    paid = [recorded_usd(each.decision, changes) for each in records]
    moved = Counter(f"{way.was} > {way.now}" for way in routes if way.changed)
    return Replay(
        requests=len(records),
        groups=len(set(groups)),
        before=_side([way.was for way in routes], was, paid, groups, seed),
        after=_side([way.now for way in routes], now, costs, groups, seed),
        quality_gained=gained_worth(was, now, groups, seed),
        usd_saved=bootstrap([a - b for a, b in zip(paid, costs, strict=True)], groups, unit="usd", seed=seed),
        moved=dict(moved),
        measured=sum(each is not None and each.measured for each in now),
        notes=_notes(records, routes, now, large, large_quality),
    )


def _check(records: Sequence[Record], changes: Changes) -> None:
    known = {draft.domain for each in records for draft in each.decision.drafts}
    strange = sorted(set(changes.by_domain) - known)
    if strange:
        mend = f"one of: {', '.join(sorted(known)) or 'none'}"
        raise ConfigError("no record has a draft of this domain", key=f"domains.{strange[0]}.threshold", mend=mend)


def _followed(records: Sequence[Record], changes: Changes, large: LargeCalls | None) -> tuple[list[Route], list[float]]:
    routes: list[Route] = []
    costs: list[float] = []
    refused: dict[str, list[str]] = {}
    for each in records:
        try:
            way = route(each.decision, changes)
            costs.append(replayed_usd(each.decision, way, changes, large))
            routes.append(way)
        except Unsupported as error:
            refused.setdefault(str(error), []).append(each.decision.id)
    if refused:
        reasons = "; ".join(f"{len(ids)} such as {ids[0]}: {reason}" for reason, ids in refused.items())
        count = sum(map(len, refused.values()))
        problem = f"{count} of {len(records)} records do not support the question ({reasons})"
        raise ConfigError(problem, key="records", mend="ask it of records that do, or run the cases anew")
    return routes, costs


def _side(
    ways: Sequence[str], points: Sequence[Worth | None], usd: Sequence[float], groups: Sequence[str], seed: int
) -> Side:
    local = [i for i, way in enumerate(ways) if way == "local"]
    return Side(
        quality=mean_worth(points, groups, seed),
        kept_quality=mean_worth([points[i] for i in local], [groups[i] for i in local], seed),
        usd=bootstrap(usd, groups, unit="usd", seed=seed),
        escalated=_share(ways, "escalated", groups, seed),
        kept=_share(ways, "local", groups, seed),
    )


def _share(ways: Sequence[str], wanted: str, groups: Sequence[str], seed: int) -> Figure:
    return bootstrap([float(way == wanted) for way in ways], groups, unit="share", seed=seed)


def _notes(
    records: Sequence[Record],
    routes: Sequence[Route],
    now: Sequence[Worth | None],
    large: LargeCalls | None,
    large_quality: float | None,
) -> tuple[str, ...]:
    notes = []
    new = sum(way.changed and way.now == "escalated" for way in routes)
    if new and large is not None:
        how = (
            f"prompts {large.longer_in:.2f} and answers {large.longer_out:.2f} times as long as the drafts', as in"
            f" {large.seen} recorded requests"
            if large.seen
            else "the tokens of the drafts, because too few records hold calls of both models"
        )
        notes.append(f"{new} new calls of {large.model} are reckoned with {how}.")
    guessed = [way.now for way, each in zip(routes, now, strict=True) if each is not None and not each.measured]
    if "escalated" in guessed:
        notes.append(
            f"{guessed.count('escalated')} answers of the large model count {large_quality:g} points, as stated. What"
            " goes up is harder than the rest: state what it is worth on such requests, not on all."
        )
    if "local" in guessed:
        notes.append(
            f"{guessed.count('local')} kept answers count their calibrated probability of being right; the intervals"
            " hold the draw of requests and of right and wrong, not an error of the calibration."
        )
    if unsure := sum(any(not use.known for use in each.decision.usage) for each in records):
        notes.append(f"{unsure} records hold token counts that were estimated from the text.")
    if any(way.was == "recalled" for way in routes):
        notes.append("What was answered from memory stays so; what would have been remembered is not asked anew.")
    return tuple(notes)
