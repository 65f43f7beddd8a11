"""`Rating`: what one person said of one answer, kept beside the outcomes of its run.

A later word takes the place of an earlier one. Nothing that was kept is removed: the file grows,
and the last line of a rater about an answer counts.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from moslm.errors import ConfigError
from moslm.evals.metrics.satisfaction import RATED
from moslm.evals.outcomes import Outcome

RATINGS = "ratings.jsonl"

Verdict = Literal["right", "partly", "wrong", "cannot tell"]
VERDICTS: tuple[Verdict, ...] = ("right", "partly", "wrong", "cannot tell")


class Rating(BaseModel):
    """What one person said of one answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    row: str
    """`moslm.evals.people.shown.Shown.id`."""
    suite: str
    case: str
    answer_sha256: str
    """Of the answer that was rated: another answer to the case is not rated by it."""
    rater: str = Field(min_length=1)
    verdict: Verdict
    satisfaction: int | None = Field(default=None, ge=1, le=5)
    """From 1 (no use) to 5 (as good as it can be)."""
    correction: str = ""
    """What a right answer would be, where the rater says so."""
    comment: str = ""

    @property
    def of(self) -> tuple[str, str]:
        """The answer, and who rated it."""
        return self.row, self.rater


def sha256_of(answer: str) -> str:
    """Return the hash by which a rating finds the outcomes that it is about."""
    return hashlib.sha256(answer.encode("utf-8", "surrogatepass")).hexdigest()


def read_ratings(folder: Path) -> list[Rating]:
    """Return the last rating of each rater of each answer; none where nobody has rated.

    Raises:
        ConfigError: The file cannot be read, or a line is no rating.
    """
    file = folder / RATINGS
    try:
        held = file.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=str(file)) from None
    return list(_latest(held, file).values())


def keep(folder: Path, ratings: Sequence[Rating]) -> tuple[int, int]:
    """Keep ratings; they are on disk when this returns.

    Args:
        folder: Of the run.
        ratings: New ones; those that are there already are not written twice.

    Returns:
        How many are new, and how many take the place of an earlier one.

    Raises:
        ConfigError: The file cannot be written, or what it holds cannot be read.
    """
    file = folder / RATINGS
    try:
        opened = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror}", file=str(file)) from None
    try:
        fcntl.flock(opened, fcntl.LOCK_EX)
        held = file.read_bytes()
        before = _latest(held, file)
        # what was cut off was never acknowledged, and its sheet is imported again
        os.ftruncate(opened, held.rfind(b"\n") + 1)
        new = [each for each in ratings if before.get(each.of) != each]
        lines = "".join(each.model_dump_json(exclude_defaults=True) + "\n" for each in new).encode()
        while lines:
            lines = lines[os.write(opened, lines) :]
        os.fsync(opened)
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror}", file=str(file)) from None
    finally:
        os.close(opened)
    changed = sum(each.of in before for each in new)
    return len(new) - changed, changed


def with_ratings(outcomes: Sequence[Outcome], ratings: Sequence[Rating]) -> list[Outcome]:
    """Return outcomes with the tag that the metric ``satisfaction`` reads: the lower median of what raters gave."""
    given: dict[tuple[str, str, str], list[int]] = {}
    for each in ratings:
        if each.satisfaction is not None:
            given.setdefault((each.suite, each.case, each.answer_sha256), []).append(each.satisfaction)
    return [_tagged(each, given) for each in outcomes]


def _tagged(outcome: Outcome, given: dict[tuple[str, str, str], list[int]]) -> Outcome:
    if outcome.answer is None or not given:
        return outcome
    found = given.get((outcome.suite, outcome.case, sha256_of(outcome.answer)))
    if not found:
        return outcome
    return outcome.model_copy(update={"tags": {**outcome.tags, RATED: str(statistics.median_low(found))}})


def _latest(held: bytes, file: Path) -> dict[tuple[str, str], Rating]:
    found: dict[tuple[str, str], Rating] = {}
    for number, line in enumerate(held[: held.rfind(b"\n") + 1].split(b"\n")[:-1], 1):
        try:
            rating = Rating.model_validate_json(line)
        except ValidationError as error:
            problem = f"is no rating: {error.errors()[0]['msg']}"
            raise ConfigError(problem, file=f"{file}:{number}", mend="remove the line, and import it again") from None
        found[rating.of] = rating
    return found
