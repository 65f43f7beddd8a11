"""How an answer is graded: one grader a file, each a function of a case that returns a function of an answer.

One of your own is a file here and its line in `GRADERS`.
"""

from __future__ import annotations

from moslm.evals.graders.choice import choice
from moslm.evals.graders.exact import exact
from moslm.evals.graders.facts import facts
from moslm.evals.graders.graded import Grade, Graded, Preparing
from moslm.evals.graders.json_value import json_value
from moslm.evals.graders.members import members
from moslm.evals.graders.number import number
from moslm.evals.graders.rubric import without_a_judge

GRADERS: dict[str, Preparing] = {
    "exact": exact,
    "number": number,
    "choice": choice,
    "members": members,
    "json_value": json_value,
    "facts": facts,
    "rubric": without_a_judge,
}
"""Every grader by the name that a suite gives it."""
RUBRIC = "rubric"
"""The grader that asks a model."""

__all__ = ["GRADERS", "RUBRIC", "Grade", "Graded", "Preparing"]
