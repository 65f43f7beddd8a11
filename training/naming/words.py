"""Words that stand around names, and words that look like names and are none: one list a file, one entry a line."""

from __future__ import annotations

from pathlib import Path


def words(name: str) -> tuple[str, ...]:
    """Return a list."""
    file = Path(__file__).parent / "wordlists" / f"{name}.txt"
    return tuple(file.read_text(encoding="utf-8").splitlines())


TITLES = words("titles")
JOBS = words("jobs")
PRODUCTS = words("products")
SECTORS = words("sectors")
VERBS = words("verbs")
WHEN = words("when")
PLAIN = words("plain")
