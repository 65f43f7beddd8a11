"""``members``: a set of things, in any order; points are F1, so that some of them are worth something.

``expected`` is a list of texts. The answer lists them by commas, semicolons, bars, lines or "and". With
``options = {"whole": true}`` nothing but the whole set is right.
"""

from __future__ import annotations

import re

from moslm.evals.cases import Case
from moslm.evals.graders.graded import Grade, Graded, points, unparsed
from moslm.evals.graders.said import marked, normalised

_BETWEEN = re.compile(r"[,;|\n\u2022]|\s+(?:and|&)\s+|^\s*[-*]\s+|^\s*\d+[.)]\s+", re.MULTILINE)


def members(case: Case) -> Grade:
    """Return the grade of a case."""
    if not isinstance(case.expected, list) or not all(isinstance(each, str) for each in case.expected):
        raise ValueError("expects a list of texts")
    wanted = frozenset(normalised(str(each)) for each in case.expected) - {""}
    if not wanted:
        raise ValueError("expects at least one member")
    whole = bool(case.options.get("whole"))

    def grade(answer: str) -> Graded:
        text = answer[answer.rfind(behind) :] if (behind := marked(answer)) else answer
        said = frozenset(normalised(each) for each in _BETWEEN.split(text)) - {""}
        if not said:
            return unparsed("the answer lists nothing")
        both = len(said & wanted)
        score = 2 * both / (len(said) + len(wanted))
        if whole and score < 1:
            score = 0.0
        return points(score, "" if score >= 1 else f"{both} of {len(wanted)}, {len(said - wanted)} others")

    return grade
