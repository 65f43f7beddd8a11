"""Labelled questions of ``moslm calibrate`` as cases, taken over by reference and not copied."""

from __future__ import annotations

import hashlib
from pathlib import Path

from moslm.evals.answers import Answer
from moslm.evals.calibrating import halves
from moslm.evals.cases import Case
from moslm.evals.questions import Question, read_questions
from moslm.state import Draft, Task


def cases_of_questions(file: Path, reporting: bool) -> list[Case]:
    """Return the questions of a file as cases graded by their facts.

    Args:
        file: JSON lines of labelled questions.
        reporting: Whether to take only the half that a calibration on this file was not fitted on.

    Raises:
        ConfigError: The file cannot be read, or a line is no question that can be graded.
    """
    questions = read_questions(file)
    if reporting:
        questions = [each.question for each in halves([Answer(each, _NO_DRAFT) for each in questions])[1]]
    return [_case(each) for each in questions]


_NO_DRAFT = Draft(task=Task(part="0", domain="", text=""), model="", text="")


def _case(question: Question) -> Case:
    expected = question.model_dump(mode="json", include={"accept", "reject", "answerable"})
    name = hashlib.sha256(f"{question.domain}\n{question.question}".encode()).hexdigest()[:12]
    return Case(
        id=f"handbook-{name}",
        question=question.question,
        expected=expected,
        grader="facts",
        group=question.group,
        domain=question.domain,
    )
