"""Word lists written as words, turned into patterns. Knows nothing of wishes."""

from __future__ import annotations

import re


def any_of(*lists: str) -> str:
    """Return the pattern of any of these phrases, separated by ``/`` or line ends; longer phrases are tried first."""
    listed = [phrase.strip() for phrases in lists for phrase in re.split(r"[/\n]", phrases) if phrase.strip()]
    return "(?:" + "|".join(r"\s+".join(phrase.split()) for phrase in sorted(listed, key=len, reverse=True)) + ")"


def compiled(pattern: str) -> re.Pattern[str]:
    """Compile for text that ``spelling.plain`` has made lower case."""
    return re.compile(pattern, re.IGNORECASE)
