"""``facts``: the facts that must stand in the answer, as in the labelled questions of ``moslm calibrate``.

``expected`` is ``{"accept": [...], "reject": [...], "answerable": true}`` (`moslm.evals.questions`). Where the answer
is not to be had, only declining is right.
"""

from __future__ import annotations

from pydantic import ValidationError

from moslm.evals.cases import Case
from moslm.evals.graders.graded import Grade, Graded, points, unparsed
from moslm.evals.questions import Question, is_right
from moslm.statements.declining import declines


def facts(case: Case) -> Grade:
    """Return the grade of a case."""
    if not isinstance(case.expected, dict):
        raise ValueError('expects {"accept": [...]} or {"answerable": false}')
    try:
        question = Question.model_validate(
            {**case.expected, "question": case.asked, "domain": case.domain or "none", "group": case.group or case.id}
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{'.'.join(map(str, first['loc'])) or 'expected'}: {first['msg']}") from None

    def grade(answer: str) -> Graded:
        if not answer.strip():
            return unparsed("the answer holds no words")
        if question.answerable and declines(answer):
            return Graded("declined", None, "says that it does not know")
        return points(1.0 if is_right(question, answer) else 0.0)

    return grade


def answerable(case: Case) -> bool:
    """Tell whether a case has an answer; where it has none, only declining is right."""
    return not (isinstance(case.expected, dict) and case.expected.get("answerable") is False)
