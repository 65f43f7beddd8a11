"""How the figures and names of a record are written for people: one way, wherever they are shown.

A figure that is missing or no number is written ``unknown``; text that came from outside becomes one printable line, so
that it can neither break a layout nor steer a terminal. Knows nothing of what the figures mean.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from moslm.decision import Stopped

UNKNOWN = "unknown"


def number(value: float | None, digits: int = 2) -> str:
    """Write a figure with so many decimals."""
    return UNKNOWN if value is None or not math.isfinite(value) else f"{value:.{digits}f}"


def pair(value: float, limit: float, digits: int = 2) -> tuple[str, str]:
    """Write a figure and the limit it is held against, with enough decimals to tell them apart."""
    while digits < 9 and value != limit and f"{value:.{digits}f}" == f"{limit:.{digits}f}":
        digits += 1
    return number(value, digits), number(limit, digits)


def dollars(value: float | None) -> str:
    """Write US dollars: to the cent from one dollar on, with three significant figures below."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    size = abs(value)
    if size < 1e-9:
        return "$0"
    decimals = 2 if size >= 1 else 2 - math.floor(math.log10(size))
    sign = "-" if value < 0 else ""
    return f"{sign}${size:.{decimals}f}"


def milliseconds(value: float | None) -> str:
    """Write a time: tenths of a millisecond when short, seconds when long."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if value >= 9_999.5:
        return f"{value / 1000:,.1f} s"
    return f"{value:.1f} ms" if value < 9.95 else f"{value:.0f} ms"


def listed(names: Sequence[str]) -> str:
    """Write a list as in a sentence: ``a, b and c``."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else "none"


def counted(count: int, noun: str) -> str:
    """Write a count with its noun: ``1 call``, ``2 calls``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def printable(text: str) -> str:
    """Return text on one line, without anything that is not printable."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def sentence(text: str) -> str:
    """Return text as one printable sentence: a capital first, a full stop last; nothing stays nothing."""
    line = printable(text)
    if not line:
        return ""
    return f"{line[0].upper()}{line[1:]}" + ("" if line[-1] in ".!?…" else ".")


def stopped_at(stopped: Stopped) -> str:
    """Write where a draft was stopped: ``8 of at most 96``."""
    return str(stopped.token) if stopped.at_most is None else f"{stopped.token:,} of at most {stopped.at_most:,}"
