"""Public data sets as suites: rows of ``{id, domain, question, context, answer, answer_type, ...}``, and of routing.

Which grader reads which kind of answer is a table here. The rows are read where they lie; none ships.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from moslm.errors import ConfigError
from moslm.evals.cases import ROUTING, Case
from moslm.evals.suites.reading import check_case, lines_of
from moslm.evals.suites.suite import Suite

Row = dict[str, Any]

_ROUTE = "moslm-route"
_TICKET = re.compile(r"exactly one of:\s*(.+?)\.\s")


def _numeric(row: Row) -> Row:
    scale = str(row.get("scale") or "")
    options: Row = {"tolerance": 0.01, **({"scale": scale} if scale else {})}
    return {"grader": "number", "expected": str(row["answer"]), "options": options}


def _choice(row: Row) -> Row:
    choices = row.get("choices")
    return {"grader": "choice", "expected": row["answer"], "options": {"choices": choices} if choices else {}}


def _label(row: Row) -> Row:
    named = _TICKET.search(row["question"])
    choices = [each.strip() for each in named[1].split(",")] if named else [row["answer"]]
    return {"grader": "choice", "expected": row["answer"], "options": {"choices": choices, "letters": False}}


def _passages(row: Row) -> Row:
    # the context is the passage itself: shown to whoever is asked, it would be the answer
    return {"grader": "members", "expected": str(row["answer"]).split("|"), "context": ""}


GRADED_BY: dict[str, Callable[[Row], Row]] = {
    "numeric": _numeric,
    "choice": _choice,
    "label": _label,
    "span": lambda row: {"grader": "exact", "expected": row["answer"], "options": {"words": True}},
    "exact": lambda row: {"grader": "exact", "expected": row["answer"]},
    "math": lambda row: {"grader": "exact", "expected": row["answer"]},
    "passage_ids": _passages,
}
"""By the type of an answer: how it is graded."""


def public_suites(folder: Path) -> list[Suite]:
    """Return every data set of a folder as a suite: ``qa/*.jsonl`` and ``moslm-route/test.jsonl``, or its ``*.jsonl``.

    Raises:
        ConfigError: There is none, or a row cannot be graded; names its line.
    """
    files = sorted((folder / "qa").glob("*.jsonl")) or sorted(folder.glob("*.jsonl"))
    route = folder / _ROUTE / "test.jsonl"
    found = [_suite(file.stem, file) for file in files]
    if route.is_file():
        found.append(_suite(_ROUTE, route))
    if not found:
        mend = "name a folder with qa/*.jsonl, moslm-route/test.jsonl or *.jsonl in it"
        raise ConfigError("holds no data sets", key="--data", value=str(folder), mend=mend)
    return found


def _suite(name: str, file: Path) -> Suite:
    cases: dict[str, Case] = {}
    licences: set[str] = set()
    for number, row in lines_of(file):
        where = f"{file}:{number}"
        case = check_case(_case(row, where), where)
        if case.id in cases:
            raise ConfigError("is taken", file=where, key="id", value=case.id, mend="give each row an id of its own")
        cases[case.id] = case
        licences.add(str(row.get("license") or "unknown"))
    if not cases:
        raise ConfigError("has no rows", file=str(file))
    plain = re.sub(r"[^a-z0-9_-]", "_", name.lower())
    return Suite(plain, f"public rows of {name}", ", ".join(sorted(licences)), tuple(cases.values()))


def _case(row: Row, where: str) -> Case:
    missing = next((key for key in ("id",) if not row.get(key)), None)
    if missing:
        raise ConfigError("is missing", file=where, key=missing)
    if "text" in row and "question" not in row:
        return _routed(row)
    made = GRADED_BY.get(str(row.get("answer_type")))
    if made is None:
        mend = f"one of: {', '.join(GRADED_BY)}"
        raise ConfigError("no such type", file=where, key="answer_type", value=row.get("answer_type"), mend=mend)
    if row.get("answer") in (None, "", []) or not row.get("question"):
        raise ConfigError("is missing", file=where, key="question" if row.get("answer") else "answer")
    graded = made(row)
    return Case(
        **{
            "id": str(row["id"]),
            "question": _with_choices(row),
            "context": str(row.get("context") or ""),
            "domain": row.get("domain"),
            # questions about one document stand and fall together
            "group": _group(row),
            "tags": {"task": str(row.get("subset") or row.get("source") or "")},
            **graded,
        }
    )


def _routed(row: Row) -> Case:
    kinds = {"multi": row.get("multi_domain"), "explicit": row.get("explicit_escalation"), "novel": row.get("novel")}
    kind = next((name for name, holds in kinds.items() if holds), "one")
    return Case(
        id=str(row["id"]),
        question=str(row["text"]),
        grader=ROUTING,
        # on rows that go up whatever they are about, no domain is right or wrong
        domain=row.get("domain") if row.get("constructed") is None and not row.get("novel") else None,
        escalate=bool(row.get("escalate")),
        group=str(row["id"]),
        tags={"task": kind, "source": str(row.get("source") or "")},
    )


def _with_choices(row: Row) -> str:
    choices = row.get("choices") or []
    lines = [f"({chr(65 + place)}) {text}" for place, text in enumerate(choices)]
    return "\n".join([str(row["question"]), *lines])


def _group(row: Row) -> str:
    context = str(row.get("context") or "")
    return f"context {hashlib.sha256(context.encode()).hexdigest()[:12]}" if len(context) > 200 else str(row["id"])
