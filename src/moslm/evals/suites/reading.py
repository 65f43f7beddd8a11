"""Suites from files: a TOML head, and JSON lines of cases beside it. A mistake is named by file, line, key and mend.

The head says what its cases have in common; a case says what is its own. Labelled questions of ``moslm calibrate`` are
taken over by reference.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from moslm.errors import ConfigError
from moslm.evals.cases import ROUTING, Case
from moslm.evals.graders import GRADERS, RUBRIC
from moslm.evals.suites.labelled import cases_of_questions
from moslm.evals.suites.suite import Suite
from moslm.mistakes import first_mistake


class Labelled(BaseModel):
    """A file of labelled questions whose questions are cases of the suite."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str
    """Its path, from the folder of the head."""
    half: Literal["all", "reporting"] = "all"
    """``reporting``: those that ``moslm calibrate`` reports on and does not fit on."""
    task: str = ""
    groups: list[str] = []
    """Those whose group begins with one of these; by default all."""


class Head(BaseModel):
    """What the cases of a suite have in common."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    about: str = Field(min_length=1)
    licence: str = Field(min_length=1)
    domain: str | None = None
    """The domain of cases that name none."""
    task: str = ""
    """The task of cases whose tags name none."""
    grader: str = "exact"
    """The grader of cases that name none."""
    options: dict[str, dict[str, JsonValue]] = {}
    """By grader: what it is told for every case that does not say otherwise."""
    cases: list[str] | None = None
    """Files of cases, from the folder of the head; by default the one beside it that bears its name."""
    questions: list[Labelled] = []


def read_suite(head: Path) -> Suite:
    """Read a suite.

    Args:
        head: Its TOML head.

    Raises:
        ConfigError: The head or a case cannot stand, or two cases have one id.
    """
    told = _head(head)
    given = told.cases if told.cases is not None else [f"{head.stem}.jsonl"]
    found: dict[str, tuple[Case, str]] = {}
    for case, where in _cases(told, head, given):
        if case.id in found:
            mend = f"{found[case.id][1]} has it already; give each case an id of its own"
            raise ConfigError("is taken", file=where, key="id", value=case.id, mend=mend)
        found[case.id] = case, where
    if not found:
        raise ConfigError("has no cases", file=str(head), mend=f"write some to {given[0] if given else 'a file'}")
    return Suite(told.name, told.about, told.licence, tuple(case for case, _ in found.values()))


def check_case(case: Case, where: str) -> Case:
    """Return a case whose grader is known and can hold answers against what it expects.

    Raises:
        ConfigError: It is not; names the case's place.
    """
    if case.only_routed:
        if case.domain is None and case.escalate is None:
            mend = "add domain, or escalate = true or false"
            raise ConfigError(
                "is missing: a routing case needs where it should go", file=where, key="domain", mend=mend
            )
        return case
    if case.grader not in GRADERS:
        close = get_close_matches(case.grader, [*GRADERS, ROUTING], n=1)
        mend = f"did you mean {close[0]}?" if close else f"one of: {', '.join([*GRADERS, ROUTING])}"
        raise ConfigError("no such grader", file=where, key="grader", value=case.grader, mend=mend)
    if case.expected is None and case.grader != RUBRIC:
        mend = 'add what a right answer is; or write "grader": "routing"'
        raise ConfigError("is missing", file=where, key="expected", mend=mend)
    try:
        GRADERS[case.grader](case)
    except ValueError as error:
        problem = f"cannot be graded by {case.grader}: {error}"
        raise ConfigError(problem, file=where, key="expected", value=case.expected) from None
    return case


def _head(file: Path) -> Head:
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=str(file)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"not TOML: {error}", file=str(file)) from None
    try:
        return Head.model_validate(values)
    except ValidationError as error:
        raise first_mistake(error, Head, str(file), "") from None


def _cases(told: Head, head: Path, given: list[str]) -> Iterator[tuple[Case, str]]:
    for name in given:
        file = head.parent / name
        for number, values in lines_of(file):
            where = f"{file}:{number}"
            yield check_case(_case(_with_defaults(values, told), where), where), where
    for each in told.questions:
        file = head.parent / each.file
        for case in cases_of_questions(file, each.half == "reporting"):
            if not each.groups or case.group.startswith(tuple(each.groups)):
                tags = {"task": each.task or told.task} if each.task or told.task else {}
                yield check_case(case.model_copy(update={"tags": tags}), str(file)), str(file)


def _with_defaults(values: dict[str, Any], told: Head) -> dict[str, Any]:
    filled = {"grader": told.grader, **values}
    if "domain" not in filled:
        filled["domain"] = told.domain
    own = filled.get("options", {})
    if isinstance(own, dict) and isinstance(filled["grader"], str):
        filled["options"] = {**told.options.get(filled["grader"], {}), **own}
    if told.task and isinstance(filled.get("tags", {}), dict):
        filled["tags"] = {"task": told.task, **filled.get("tags", {})}
    return filled


def _case(values: dict[str, Any], where: str) -> Case:
    try:
        case = Case.model_validate(values)
    except ValidationError as error:
        raise first_mistake(error, Case, where, "") from None
    return case if case.group else case.model_copy(update={"group": case.id})


def lines_of(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the JSON objects of a file with the numbers of their lines.

    Raises:
        ConfigError: The file cannot be read, or a line is no JSON object; names the line.
    """
    try:
        with file.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield number, _object(line, f"{file}:{number}")
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=str(file)) from None
    except UnicodeDecodeError:
        raise ConfigError("is not UTF-8 text", file=str(file), mend="save it as UTF-8") from None


def _object(line: str, where: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        problem = getattr(error, "msg", "nested too deeply")
        raise ConfigError(f"not JSON: {problem}", file=where, mend="write one object a line") from None
    if not isinstance(value, dict):
        raise ConfigError("is no JSON object", file=where, mend='write {"id": "...", "question": "...", ...}')
    return value
