"""``recorded``: answers that were given before, read from JSON lines of ``{"id", "answer", "usd", "ms"}``."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from moslm.errors import ConfigError
from moslm.evals.cases import Case
from moslm.evals.running.systems import Answered
from moslm.evals.suites.reading import lines_of
from moslm.mistakes import first_mistake


class RecordedAnswer(BaseModel):
    """One answer that was given before."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    answer: str
    suite: str | None = None
    """The suite of the case; by default whichever has the id."""
    usd: float | None = Field(default=None, ge=0)
    ms: float | None = Field(default=None, ge=0)


class Recorded:
    """A system that gives recorded answers.

    Args:
        name: Its name in outcomes.
        file: JSON lines of the answers.

    Raises:
        ConfigError: The file cannot be read, a line is no answer, or one case has two.
    """

    routes = False

    def __init__(self, name: str, file: Path) -> None:
        self.name, self._file = name, file
        self._answers: dict[tuple[str | None, str], RecordedAnswer] = {}
        for number, values in lines_of(file):
            where = f"{file}:{number}"
            try:
                found = RecordedAnswer.model_validate(values)
            except ValidationError as error:
                raise first_mistake(error, RecordedAnswer, where, "") from None
            if (found.suite, found.id) in self._answers:
                raise ConfigError("is answered twice", file=where, key="id", value=found.id, mend="keep one of them")
            self._answers[found.suite, found.id] = found

    def answer(self, suite: str, case: Case) -> Answered:
        """Return the recorded answer."""
        found = self._answers.get((suite, case.id)) or self._answers.get((None, case.id))
        if found is None:
            return Answered("failed", why=f"{self._file.name} holds no answer to it")
        ending = "answered" if found.answer.strip() else "failed"
        way = "local" if found.answer.strip() else "none"
        return Answered(ending, text=found.answer, way=way, usd=found.usd, total_ms=found.ms)  # type: ignore[arg-type]
