"""``rubric``: a model grades by a rubric, from 1 to 5, each point anchored; or compares two answers in both orders.

``expected`` is the rubric, a text. What the judge is asked is data (``rubric.toml``). A judge whose reply cannot be
read leaves the answer ``unparsed``. What a judge is worth is measured, not believed: `moslm.evals.graders.agreement`.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import resources

from moslm.evals.cases import Case
from moslm.evals.graders.graded import Grade, Graded, Preparing, Verdict, unparsed

GENERAL = "The answer is correct, complete and answers what was asked."
"""The rubric of a case that states none of its own."""
RIGHT_FROM = 4
"""From this grade on an answer is right."""
_OBJECT = re.compile(r"\{[^{}]*\}", re.DOTALL)
_BETTER = {"first": 1.0, "equal": 0.5, "second": 0.0}


@dataclass(frozen=True, slots=True)
class Said:
    """What a judge replied, and what that cost in US dollars."""

    text: str
    usd: float = 0.0


Judge = Callable[[str, str, str], Said]
"""(system prompt, prompt, what the call is for) -> its reply. The last one names the call for whoever pays once."""


def without_a_judge(case: Case) -> Grade:
    """Check a rubric where no judge is named; whoever grades by it is told that there is none."""
    _rubric_of(case)
    return lambda answer: unparsed("no judge was named")


def rubric(judge: Judge) -> Preparing:
    """Return the grader of a judge."""

    def prepare(case: Case) -> Grade:
        asked = _rubric_of(case)

        def grade(answer: str) -> Graded:
            if not answer.strip():
                return unparsed("the answer holds no words")
            score, why, usd = judged(judge, question_of(case), asked, answer, f"grade {case.id}")
            if score is None:
                return Graded("unparsed", None, why, usd)
            ending: Verdict = "right" if score >= RIGHT_FROM else "partly" if score > 1 else "wrong"
            return Graded(ending, (score - 1) / 4, why, usd)

        return grade

    return prepare


def judged(judge: Judge, question: str, asked: str, answer: str, purpose: str) -> tuple[int | None, str, float]:
    """Return a judge's grade from 1 to 5 (None where its reply cannot be read), its reason, and what that cost."""
    prompt = prompts()["single"]
    filled = _filled(prompt["prompt"], question=question, rubric=asked, answer=answer)
    said = judge(prompt["system"].strip(), filled, purpose)
    found = _reply(said.text)
    score = found.get("score")
    if isinstance(score, bool) or not isinstance(score, int | float) or score not in (1, 2, 3, 4, 5):
        return None, "the judge's reply holds no grade from 1 to 5", said.usd
    return int(score), str(found.get("why") or "")[:300], said.usd


@dataclass(frozen=True, slots=True)
class Preference:
    """What a judge makes of two answers, asked in both orders."""

    first: float | None
    """1: the first is better, 0.5: as good, 0: the second is; the mean of both orders. None where neither was read."""
    swayed: bool
    """Whether the order decided: it preferred the same place in both orders."""
    usd: float


def prefer(judge: Judge, question: str, asked: str, first: str, second: str, purpose: str) -> Preference:
    """Have two answers compared, once in each order, so that a liking for a place cancels out."""
    prompt = prompts()["pair"]
    found: list[float | None] = []
    usd = 0.0
    for order, (one, other) in enumerate([(first, second), (second, first)]):
        filled = _filled(prompt["prompt"], question=question, rubric=asked, first=one, second=other)
        said = judge(prompt["system"].strip(), filled, f"{purpose} {order}")
        usd += said.usd
        better = _BETTER.get(str(_reply(said.text).get("better")).casefold())
        found.append(better if better is None or order == 0 else 1 - better)
    read = [each for each in found if each is not None]
    return Preference(sum(read) / len(read) if read else None, found in ([1.0, 0.0], [0.0, 1.0]), usd)


def question_of(case: Case) -> str:
    """Return what was asked, as a judge is shown it."""
    turns = case.conversation
    return turns[0][1] if len(turns) == 1 else "\n".join(f"{role}: {text}" for role, text in turns)


@cache
def prompts() -> dict[str, dict[str, str]]:
    """Return what a judge is asked, by kind."""
    return tomllib.loads(resources.files("moslm.evals.graders").joinpath("rubric.toml").read_text(encoding="utf-8"))


def _rubric_of(case: Case) -> str:
    if case.expected is None:
        return GENERAL
    if not isinstance(case.expected, str) or not case.expected.strip():
        raise ValueError("expects a rubric in words")
    return case.expected


def _filled(template: str, **values: str) -> str:
    # in one pass: an answer that holds "{rubric}" stays as it is
    return re.sub(r"\{(\w+)\}", lambda match: values.get(match[1], match[0]), template).strip()


def _reply(text: str) -> dict[str, object]:
    for found in reversed(_OBJECT.findall(text)):
        try:
            value = json.loads(found)
        except ValueError:
            continue
        if isinstance(value, dict):
            return value
    return {}
