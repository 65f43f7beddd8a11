"""From what raters wrote to their ratings, wherever they wrote it: every entry is taken or named, and none is lost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from moslm.errors import ConfigError
from moslm.evals.people.ratings import VERDICTS, Rating, sha256_of
from moslm.evals.people.shown import Shown

Entry = tuple[str, Mapping[str, str]]
"""Where something was written, such as ``file:line``, and what, by column."""
BEYOND = ""
"""Column of what stands beside the last column."""

_FILLED_IN = ("verdict", "satisfaction", "correction", "comment", BEYOND)


@dataclass(frozen=True, slots=True)
class Came:
    """What came back."""

    ratings: list[Rating]
    unrated: int
    """Entries that nobody has filled in yet."""
    mistakes: list[str]
    """One line for each entry that could not be taken: where, column, value and mend."""


def take(entries: Iterable[Entry], shown: Sequence[Shown]) -> Came:
    """Take what raters wrote.

    Args:
        entries: What they wrote.
        shown: Every answer of the run.
    """
    ratings: dict[tuple[str, str], tuple[Rating, str]] = {}
    mistakes: list[str] = []
    unrated = 0
    by_id, places = {row.id: row for row in shown}, {row.place for row in shown}
    for where, cells in entries:
        if not any(cells.get(name) for name in _FILLED_IN):
            unrated += 1
            continue
        try:
            rating = _rating(where, cells, by_id, places)
            before, there = ratings.setdefault(rating.of, (rating, where))
            if before != rating:
                problem, mend = f"was rated twice by {rating.rater}", f"{there} rates it too; keep one of them"
                raise ConfigError(problem, file=where, key="row", value=rating.row, mend=mend)
        except ConfigError as error:
            mistakes.append(str(error))
    return Came([rating for rating, _ in ratings.values()], unrated, mistakes)


def _rating(where: str, cells: Mapping[str, str], by_id: Mapping[str, Shown], places: set[str]) -> Rating:
    row = by_id.get(cells["row"])
    if row is None:
        changed = cells["row"].partition("-")[0] in places
        problem = "what was rated is not an answer of the run any more" if changed else "no such row in this run"
        mend = "export it again, and have the new answer rated" if changed else "keep the ids as they were exported"
        raise ConfigError(problem, file=where, key="row", value=cells["row"], mend=mend)
    if cells.get(BEYOND):
        mend = f"row {row.id}: move it under one of the columns, and put cells that hold a separator in quotes"
        raise ConfigError("stands beside the last column", file=where, key="cell", value=cells[BEYOND], mend=mend)
    if not cells["rater"]:
        raise ConfigError("is missing", file=where, key="rater", mend="write who rated")
    return Rating(
        row=row.id,
        suite=row.suite,
        case=row.case.id,
        answer_sha256=sha256_of(row.answer),
        rater=cells["rater"],
        verdict=_verdict(where, cells["verdict"]),
        satisfaction=_satisfaction(where, cells["satisfaction"]),
        correction=cells.get("correction", ""),
        comment=cells["comment"],
    )


def _verdict(where: str, text: str) -> str:
    verdict = " ".join(text.casefold().replace("_", " ").split())
    mend = f"write one of: {', '.join(VERDICTS)}"
    if not verdict:
        raise ConfigError("is missing", file=where, key="verdict", mend=mend)
    if verdict not in VERDICTS:
        raise ConfigError("is no verdict", file=where, key="verdict", value=text, mend=mend)
    return verdict


def _satisfaction(where: str, text: str) -> int | None:
    if not text:
        return None
    # spreadsheets write 4 as 4.0 where a column holds numbers
    whole = text.removesuffix(".0").removesuffix(",0")
    if whole not in ("1", "2", "3", "4", "5"):
        mend = "write a whole number from 1 to 5, or leave it empty"
        raise ConfigError("is no rating", file=where, key="satisfaction", value=text, mend=mend)
    return int(whole)
