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
    was = [_worth(each, "was", way, large_quality, changes) for each, way in zip(records, routes, strict=True)]
    now = [_worth(each, "now", way, large_quality, changes) for each, way in zip(records, routes, strict=True)]
    paid = [recorded_usd(each.decision, changes) for each in records]
    moved = Counter(f"{way.was} > {way.now}" for way in routes if way.changed)
    return Replay(
        requests=len(records),
        groups=len(set(groups)),
        before=_side([way.was for way in routes], was, paid, groups, seed),
        after=_side([way.now for way in routes], now, costs, groups, seed),
        quality_gained=_gained(was, now, groups, seed),
        usd_saved=bootstrap([a - b for a, b in zip(paid, costs, strict=True)], groups, unit="usd", seed=seed),
        moved=dict(moved),
        measured=sum(_is_measured(each, way) for each, way in zip(records, routes, strict=True)),
        notes=_notes(records, routes, large, large_quality),
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


def _worth(record: Record, when: str, way: Route, large_quality: float | None, changes: Changes) -> float | None:
    """Return the points of a request, as it was or under the changes; None where nothing is known of them."""
    at = way.was if when == "was" else way.now
    same = not way.changed or when == "was"
    if at == "escalated":
        if same and record.score is not None and (changes.large is None or when == "was"):
            return record.score
        return record.large_score if record.large_score is not None and changes.large is None else large_quality
    if same and record.score is not None:
        return record.score
    if at == "local":
        return record.draft_score if record.draft_score is not None else _calibrated(record)
    return None if at == "recalled" else 0.0


def _calibrated(record: Record) -> float | None:
    """Return the probability that a draft is right, where its confidence is one."""
    found = record.decision.confidence
    uses = [draft.calibration for draft in record.decision.drafts]
    return found if uses and all(use is not None and use.state == "in_force" for use in uses) else None


def _is_measured(record: Record, way: Route) -> bool:
    if not way.changed:
        return record.score is not None
    return (record.draft_score if way.now == "local" else record.large_score) is not None


def _side(
    ways: Sequence[str], worth: Sequence[float | None], usd: Sequence[float], groups: Sequence[str], seed: int
) -> Side:
    local = [i for i, way in enumerate(ways) if way == "local"]
    return Side(
        quality=_mean(worth, groups, seed),
        kept_quality=_mean([worth[i] for i in local], [groups[i] for i in local], seed),
        usd=bootstrap(usd, groups, unit="usd", seed=seed),
        escalated=_share(ways, "escalated", groups, seed),
        kept=_share(ways, "local", groups, seed),
    )


def _share(ways: Sequence[str], wanted: str, groups: Sequence[str], seed: int) -> Figure:
    return bootstrap([float(way == wanted) for way in ways], groups, unit="share", seed=seed)


def _mean(worth: Sequence[float | None], groups: Sequence[str], seed: int) -> Figure:
    known = [each for each in worth if each is not None]
    if len(known) < len(worth):
        why = f"nothing is known of the quality of {len(worth) - len(known)} of {len(worth)} answers"
        return Figure(value=None, n=len(worth), unit="score", why=why)
    return bootstrap(known, groups, seed=seed)


def _gained(was: Sequence[float | None], now: Sequence[float | None], groups: Sequence[str], seed: int) -> Figure:
    return _mean([None if a is None or b is None else b - a for a, b in zip(was, now, strict=True)], groups, seed)


def _notes(
    records: Sequence[Record], routes: Sequence[Route], large: LargeCalls | None, large_quality: float | None
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
    if large_quality is not None:
        notes.append(f"An answer of the large model that was not measured counts {large_quality:g} points, as stated.")

    local = [(each, way) for each, way in zip(records, routes, strict=True) if way.now == "local"]
    estimated = sum(not _is_measured(each, way) for each, way in local)
    if estimated:
        notes.append(
            f"{estimated} kept answers count their calibrated probability of being right; the intervals hold what the"
            " draw of requests moves, not an error of the calibration."
        )
    guessed = sum(any(not use.known for use in each.decision.usage) for each in records)
    if guessed:
        notes.append(f"{guessed} records hold token counts that were estimated from the text.")
    if any(way.was == "recalled" for way in routes):
        notes.append("What was answered from memory stays so; what would have been remembered is not asked anew.")
    return tuple(notes)
