"""Other languages than English: whole requests, and a sentence beside an English one (``tests/models/languages``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from measures.judged import Judge
from measures.rows import WRITTEN, Record, records


def sentences() -> dict[str, Callable[[str, int], str]]:
    """Return the change for each place; a request's number picks the language."""
    found = [row["text"] for row in _written("sentence")]
    return {
        "other_language_before": lambda text, number: f"{found[number % len(found)]} {text}",
        "other_language_after": lambda text, number: f"{text} {found[number % len(found)]}",
    }


def of_whole_requests(judge: Judge) -> dict[str, Any]:
    """Return what becomes of requests in languages the classifier was not fitted on; they should go up.

    ``familiar`` is the share that is not flagged as unfamiliar; ``answered`` the share that a small model answers, and
    ``answered_wrongly`` the share that the small model of another domain answers. ``familiar_in_english`` is the first
    for the same requests in English.
    """
    rows = _written("request")
    judged = [judge(row["text"]) for row in rows]
    english = [judge(row["english"]) for row in rows]
    languages = sorted({row["language"] for row in rows})
    by_language = {
        name: _share([not each.unfamiliar for each, row in zip(judged, rows, strict=True) if row["language"] == name])
        for name in languages
    }
    wrong = [each.answered and each.domain != row["domain"] for each, row in zip(judged, rows, strict=True)]
    return {
        "requests": len(rows),
        "languages": len(languages),
        "familiar": _share([not each.unfamiliar for each in judged]),
        "answered": _share([each.answered for each in judged]),
        "answered_wrongly": _share(wrong),
        "right_domain": _share([each.domain == row["domain"] for each, row in zip(judged, rows, strict=True)]),
        "familiar_in_english": _share([not each.unfamiliar for each in english]),
        "familiar_by_language": by_language,
    }


def _written(kind: str) -> list[Record]:
    return [row for row in records(WRITTEN / "languages" / "written.jsonl") if row["kind"] == kind]


def _share(chosen: list[bool]) -> float:
    return sum(chosen) / len(chosen)
