"""What people disagree about, back as suites: cases to be settled, and cases whose expectation people corrected.

A rating is of an answer and stays with its run; what goes back into a suite is what it says about the case.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from pydantic import JsonValue

from moslm.errors import ConfigError
from moslm.evals.cases import Case
from moslm.evals.graders.said import normalised
from moslm.evals.people.findings import RatedRow
from moslm.evals.suites.reading import check_case
from moslm.evals.suites.suite import Suite

REVIEW, WHY, BEFORE = "review", "review_why", "expected_before"
"""Tags of a case that people sent back: what it is, why, and what it expected before they corrected it."""


@dataclass(frozen=True, slots=True)
class Settled:
    """One case that goes back."""

    suite: str
    case: Case
    what: Literal["to settle", "corrected"]
    why: str


def to_settle(rows: Sequence[RatedRow]) -> list[Settled]:
    """Return the cases about which raters differ from each other or from the grader, or which they corrected."""
    by_case: dict[tuple[str, str], list[RatedRow]] = {}
    for row in rows:
        by_case.setdefault((row.shown.suite, row.shown.case.id), []).append(row)
    found = [_settled(suite, theirs) for (suite, _), theirs in by_case.items()]
    return [each for each in found if each is not None]


def write_suites(folder: Path, settled: Sequence[Settled], suites: dict[str, Suite]) -> list[Path]:
    """Write the cases that go back: for each suite a head and its cases, which ``moslm eval`` reads.

    Args:
        folder: Made where it is not there.
        settled: The cases.
        suites: Those they come from.

    Returns:
        The heads.

    Raises:
        ConfigError: A file is there already or cannot be written.
    """
    heads = []
    for name in dict.fromkeys(each.suite for each in settled):
        theirs = [each.case.model_dump(mode="json", exclude_defaults=True) for each in settled if each.suite == name]
        about = f"Cases of {name} that people sent back: to be settled, or with a corrected expectation."
        told = {"name": f"{name}_review", "about": about, "licence": suites[name].licence}
        head = folder / f"{name}_review.toml"
        _write(head, "".join(f"{key} = {json.dumps(text, ensure_ascii=False)}\n" for key, text in told.items()))
        _write(head.with_suffix(".jsonl"), "".join(json.dumps(case) + "\n" for case in theirs))
        heads.append(head)
    return heads


def _settled(suite: str, rows: Sequence[RatedRow]) -> Settled | None:
    case = rows[0].shown.case
    said = [each.correction for row in rows for each in row.ratings if each.correction]
    given = {normalised(each): each for each in said if _as_expected(case, each) != case.expected}
    amiss = next(filter(None, map(_amiss, rows)), "")
    if len(given) > 1:
        amiss = f"people give different corrections: {'; '.join(sorted(given.values()))}"
    elif given and not any(map(_split, rows)):
        return _corrected(suite, case, next(iter(given.values())))
    return _tagged(Settled(suite, case, "to settle", amiss)) if amiss or given else None


def _corrected(suite: str, case: Case, correction: str) -> Settled:
    expected = _as_expected(case, correction)
    try:
        corrected = check_case(case.model_copy(update={"expected": expected}), "")
    except ConfigError as error:
        return _tagged(Settled(suite, case, "to settle", f"people correct it to {correction!r}, which {error.problem}"))
    before = {BEFORE: json.dumps(case.expected, ensure_ascii=False)}
    tagged = corrected.model_copy(update={"tags": {**corrected.tags, **before}})
    return _tagged(Settled(suite, tagged, "corrected", f"people say that {correction!r} is right"))


def _tagged(settled: Settled) -> Settled:
    tags = {**settled.case.tags, REVIEW: settled.what, WHY: settled.why}
    return replace(settled, case=settled.case.model_copy(update={"tags": tags}))


def _amiss(row: RatedRow) -> str:
    if not row.verdicts:
        return "nobody can tell"
    if _split(row):
        told = ", ".join(f"{count} {verdict}" for verdict, count in Counter(row.verdicts).most_common())
        return f"raters differ: {told}"
    if row.majority != row.graded:
        return f"people say {row.majority}, the grader says {row.graded}"
    return ""


def _split(row: RatedRow) -> bool:
    return len(set(row.verdicts)) > 1


def _as_expected(case: Case, correction: str) -> JsonValue:
    """Return a correction as the kind of value that the case expects: words stay words, all else is read as JSON."""
    if isinstance(case.expected, str):
        return correction
    try:
        value: JsonValue = json.loads(correction)
    except (ValueError, RecursionError):
        return correction
    return value


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as opened:
            opened.write(text)
    except FileExistsError:
        raise ConfigError("is there already", key="--cases", value=str(file), mend="name another folder") from None
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror}", key="--cases", value=str(file)) from None
