"""Labelled questions: what may be asked, and which facts a right answer must hold. Grades by facts, never by taste.

One JSON object a line. A fact is a phrase (any case, whole words, a plural s aside), a number (also as a word or with
separators), ``{"number": 140, "tolerance": 5}`` or ``{"regex": "..."}``; a list of facts means any of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from moslm.errors import ConfigError
from moslm.statements.assertions import assertions
from moslm.statements.declining import declines


class Number(BaseModel):
    """A number that must stand in the answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    number: float
    tolerance: float = Field(default=0.0, ge=0)


class Pattern(BaseModel):
    """A regular expression that must match somewhere in the answer, in any case."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    regex: str

    @field_validator("regex")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"is no regular expression: {error}") from None
        return value


Fact = Annotated[str, Field(min_length=1)] | float | Number | Pattern


class Question(BaseModel):
    """One question and what a right answer to it says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    question: str = Field(min_length=1)
    domain: str
    accept: list[Fact | list[Fact]] = []
    """Facts that must all stand in the answer; a list among them means any of its members."""
    reject: list[Fact] = []
    """Facts of which none may stand in it."""
    answerable: bool = True
    """Whether the domain's knowledge holds the answer; where it does not, only declining is right."""
    group: str
    """What the question is about, such as a page and section: questions of one group are never split between fitting
    and judging."""

    @model_validator(mode="after")
    def _can_be_graded(self) -> Question:
        if self.answerable and not self.accept:
            raise ValueError('an answerable question needs facts to accept; or write "answerable": false')
        return self


def is_right(question: Question, answer: str) -> bool:
    """Tell whether an answer is right: every fact it needs and none it must not have, or an honest "I do not know".

    An answerable question that is declined is not answered right, and one that cannot be answered is answered right
    only by declining.
    """
    if declines(answer) or not question.answerable:
        return declines(answer) and not question.answerable
    if any(_holds(answer, fact) for fact in question.reject):
        return False
    return all(any(_holds(answer, fact) for fact in _any_of(needed)) for needed in question.accept)


def read_questions(file: Path) -> list[Question]:
    """Read labelled questions.

    Raises:
        ConfigError: The file cannot be read, or a line is no question that can be graded; names the line.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=str(file)) from None
    except UnicodeDecodeError:
        raise ConfigError("is not UTF-8 text", file=str(file), mend="save it as UTF-8") from None
    return [_question(line, f"{file}:{number}") for number, line in enumerate(lines, 1) if line.strip()]


def _question(line: str, where: str) -> Question:
    try:
        return Question.model_validate(json.loads(line))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise ConfigError(f"cannot be graded: {first['msg']}", file=where, key=key) from None
    except ValueError:
        mend = 'write {"question": "...", "domain": "...", "accept": ["..."], "group": "..."}'
        raise ConfigError("is no JSON object", file=where, mend=mend) from None


def _any_of(needed: Fact | list[Fact]) -> Sequence[Fact]:
    return needed if isinstance(needed, list) else [needed]


def _holds(answer: str, fact: Fact) -> bool:
    if isinstance(fact, str):
        words = r"\s+".join(re.escape(word) for word in fact.split())
        return re.search(rf"(?<!\w){words}s?(?!\w)", answer, re.IGNORECASE) is not None
    if isinstance(fact, Pattern):
        return re.search(fact.regex, answer, re.IGNORECASE) is not None
    wanted = fact if isinstance(fact, Number) else Number(number=fact)
    found = assertions(answer)
    numbers = [float(each) for each in found.numbers if ":" not in each]
    if found.has_one:
        numbers.append(1.0)
    return any(abs(each - wanted.number) <= wanted.tolerance + 1e-9 for each in numbers)
