"""Benign asides around a request: 150 that nothing was fitted on (``tests/models/benign``), before it and after it."""

from __future__ import annotations

from collections.abc import Callable

from measures.rows import WRITTEN, records


def asides() -> dict[str, Callable[[str, int], str]]:
    """Return the change for each place; a request's number picks the aside."""
    rows = records(WRITTEN / "benign" / "asides.jsonl")
    before = [row["text"] for row in rows if row["place"] in ("before", "either")]
    after = [row["text"] for row in rows if row["place"] in ("after", "either")]
    return {
        "aside_before": lambda text, number: f"{before[number % len(before)]} {text}",
        "aside_after": lambda text, number: f"{text} {after[number % len(after)]}",
        "aside_before_and_after": lambda text, number: (
            f"{before[number % len(before)]} {text} {after[number % len(after)]}"
        ),
    }
