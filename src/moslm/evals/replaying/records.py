"""`Record`: a decision as it was made, with the scores that were measured for it, where some were."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from moslm.decision import Decision
from moslm.errors import ConfigError
from moslm.evals.comparing.baselines import LARGE
from moslm.evals.outcomes import Outcome

_OUTCOMES = "outcomes.jsonl"


@dataclass(frozen=True, slots=True)
class Record:
    """One request.

    Attributes:
        decision: What was decided.
        group: Requests of one group stand and fall together: a conversation, or what a suite says.
        score: Points of the answer that was given; None where nobody graded it.
        draft_score: Points of the small model's draft, shown or not.
        large_score: Points of the large model's answer to the same case, where a run has both.
    """

    decision: Decision
    group: str
    score: float | None = None
    draft_score: float | None = None
    large_score: float | None = None


def of_decisions(decisions: Sequence[Decision]) -> list[Record]:
    """Return records of live traffic: a conversation is a group, nothing is graded."""
    return [Record(each, f"{each.tenant}/{each.thread_id or each.id}") for each in decisions]


def of_outcomes(outcomes: Sequence[Outcome]) -> list[Record]:
    """Return records of a run: outcomes that hold a decision, with what the large model made of the same cases.

    Raises:
        ConfigError: None of them holds a decision, or one holds a decision that cannot be read.
    """
    large = {(each.suite, each.case): each.score for each in outcomes if each.system == LARGE}
    found = [
        Record(
            _decision(each.decision, f"{each.suite}/{each.case}"),
            f"{each.suite}/{each.group}",
            None if each.ending == "unparsed" else each.score,
            each.draft_score,
            large.get((each.suite, each.case)),
        )
        for each in outcomes
        if each.decision is not None
    ]
    if not found:
        raise ConfigError("hold no decision", key="the outcomes", mend="replay a run of a system that makes decisions")
    return found


Notice = Callable[[str], object]
"""Told what was amiss and did no harm: a last line that was cut off while it was written."""


def read_records(path: Path, notice: Notice) -> list[Record]:
    """Read records.

    Args:
        path: Decisions as ``moslm log --json -n 0`` prints them, outcomes of a run one a line, or the run's folder.
        notice: Told of a last line that was cut off.

    Raises:
        ConfigError: It cannot be read, or a line is neither; names the line.
    """
    file = path / _OUTCOMES if path.is_dir() else path
    rows = _rows(file, notice)
    if not rows:
        raise ConfigError("holds no record", file=str(file))
    if all("schema_version" in row for _, row in rows):
        return of_decisions([_decision(row, f"{file}:{number}") for number, row in rows])
    return of_outcomes([_outcome(row, f"{file}:{number}") for number, row in rows])


def read_outcomes(path: Path, notice: Notice) -> list[Outcome]:
    """Read the outcomes of a run, from its folder or its file.

    Args:
        path: The folder or the file.
        notice: Told of a last line that was cut off.

    Raises:
        ConfigError: It cannot be read, or a line is no outcome; names the line.
    """
    file = path / _OUTCOMES if path.is_dir() else path
    return [_outcome(row, f"{file}:{number}") for number, row in _rows(file, notice)]


def _rows(file: Path, notice: Notice) -> list[tuple[int, dict[str, Any]]]:
    try:
        lines = file.read_text(encoding="utf-8").split("\n")
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=str(file)) from None
    except UnicodeDecodeError:
        raise ConfigError("is not UTF-8 text", file=str(file)) from None
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            if number == len(lines):  # no line end follows
                notice(f"{file}:{number} was cut off while it was written and is left out")
                continue
            raise ConfigError("is no JSON", file=f"{file}:{number}", mend="remove the line") from None
        if not isinstance(row, dict):
            raise ConfigError("is no JSON object", file=f"{file}:{number}")
        found.append((number, row))
    return found


def _outcome(row: dict[str, Any], where: str) -> Outcome:
    try:
        return Outcome.model_validate(row)
    except ValidationError as error:
        raise _none(error, "outcome", where) from None


def _decision(row: dict[str, Any], where: str) -> Decision:
    try:
        return Decision.model_validate(row)
    except ValidationError as error:
        raise _none(error, "decision of this version", where) from None


def _none(error: ValidationError, what: str, where: str) -> ConfigError:
    first = error.errors()[0]
    return ConfigError(f"is no {what}: {first['msg']}", file=where, key=".".join(map(str, first["loc"])))
