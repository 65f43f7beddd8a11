"""Where the answer stands in what a model said: behind an "answer:" where there is one. Knows no kind of answer."""

from __future__ import annotations

import re
import unicodedata

_MARKER = re.compile(r"(?:^|[\s*_#>])(?:(?:final|the|my)\s+)?answers?\s*(?:is|are)?\s*[:=][\s*_]*", re.IGNORECASE)
_BOXED = re.compile(r"\\boxed\{((?:[^{}]|\{[^{}]*\})*)\}")
_EDGES = " \t\r\n\"'`*_.,;:!?()[]{}\u2018\u2019\u201c\u201d"


def marked(text: str) -> str | None:
    """Return what stands behind the last "answer:" to the end of its line, or in the last LaTeX box; else None."""
    boxed = _BOXED.findall(text)
    if boxed:
        return str(boxed[-1]).strip() or None
    found = list(_MARKER.finditer(text))
    if not found:
        return None
    lines = text[found[-1].end() :].strip().splitlines()
    return lines[0].strip() if lines and lines[0].strip() else None


def normalised(text: str) -> str:
    """Return a text by which two are compared: one case, one kind of space, bare edges, no thousands comma."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("\u2019", "'")
    plain = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", plain)
    return " ".join(plain.split()).strip(_EDGES)
