"""Blanks out a long log that was pasted beside a request: it says what a machine did, not what the person wants.

Lines count as a log by their shape (a clock or a level in front, a stack frame, cells of a table), whatever they are
about. Only a long run of them is blanked, and only where what is left says enough by itself: a request that is nothing
but its log is read as it is. What is blanked keeps its length, so offsets into the text stay right. Knows no labels.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from moslm.models.classifiers.vagueness import content_words

FEWEST_LINES = 8
"""A shorter run is likelier a quotation that matters."""
_LEAST_WORDS, _LEAST_OF_A_SENTENCE = 2, 4
"""Words that say something, or words in all with one of these among them: "is my order here" says what is wanted, "see
below" points at the log."""
_GAP = 2
"""Lines of another shape inside a log: a message that runs on, a line of code under its stack frame."""
_READ_CHARS = 100_000
_LONGEST_LINE = 500

_CLOCK = (
    r"\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d|\d\d[:.]\d\d:\d\d|[A-Z][a-z]{2}\s+\d{1,2}\s\d\d:\d\d:\d\d|\d{9,}[.,]?\d*\b"
)
_LOG_LINE = re.compile(
    rf"""\s*(?:
        [\[(<]?(?:{_CLOCK})
        | [\[<(]?(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|CRITICAL|SEVERE)\b[\]>):]?
        | (?:\d{{1,3}}\.){{3}}\d{{1,3}}\b.*"
        | at\s[\w.$/<>]+\(
        | File\s".*",\sline\s\d
        | \.\.\.\s\d+\s(?:more|common\sframes)
        | Traceback\s\(most\srecent
        | (?:Caused\sby:\s*)?(?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception)\b
    )""",
    re.VERBOSE,
)
_CELL = re.compile(r"[,;|\t]")
_FEWEST_CELLS = 3


def without_logs(text: str) -> str:
    """Return the text with long logs blanked out; as it is where too little else is said."""
    if text.count("\n", 0, _READ_CHARS) < FEWEST_LINES - 1:
        return text
    lines = text[:_READ_CHARS].split("\n")
    logged = _with_hanging(_runs([_is_log_line(line) for line in lines]), lines)
    logged = [of_log or of_table for of_log, of_table in zip(logged, _runs(_of_tables(lines)), strict=True)]
    blanked = "\n".join(" " * len(line) if of_log else line for line, of_log in zip(lines, logged, strict=True))
    blanked += text[_READ_CHARS:]
    return blanked if _says_enough(blanked) else text


def _says_enough(text: str) -> bool:
    said = len(content_words(text.strip()))
    return said >= _LEAST_WORDS or (said > 0 and len(text.split()) >= _LEAST_OF_A_SENTENCE)


def _is_log_line(line: str) -> bool:
    return _LOG_LINE.match(line[:_LONGEST_LINE]) is not None


def _of_tables(lines: Sequence[str]) -> list[bool]:
    """Return which lines have as many cells as a neighbour; prose has commas too, but not as many in each line."""
    cells = [len(_CELL.findall(line)) + 1 for line in lines]
    return [
        count >= _FEWEST_CELLS and count in (*cells[max(0, number - 1) : number], *cells[number + 1 : number + 2])
        for number, count in enumerate(cells)
    ]


def _with_hanging(logged: Sequence[bool], lines: Sequence[str]) -> list[bool]:
    """Return which lines are in a log, with the one that hangs below its end: code under the last frame of a trace."""
    below = zip([False, *logged], lines, strict=False)
    return [of_log or (after and line[:2].isspace()) for of_log, (after, line) in zip(logged, below, strict=False)]


def _runs(marked: Sequence[bool]) -> list[bool]:
    """Return which lines lie in a run of marked ones, long enough and with small gaps at most."""
    found = [False] * len(marked)
    places = [number for number, mark in enumerate(marked) if mark]
    first = 0
    for place, number in enumerate(places):
        ends = place + 1 == len(places) or places[place + 1] - number > _GAP + 1
        if not ends:
            continue
        if place + 1 - first >= FEWEST_LINES:
            found[places[first] : number + 1] = [True] * (number + 1 - places[first])
        first = place + 1
    return found
