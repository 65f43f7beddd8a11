"""A folder of outcomes, read and checked: questions, what each model chose, how long its output was.

``questions.jsonl`` holds ``id, question, options, answer`` and, where there are any, ``category`` and ``group``;
``predictions.csv`` a column ``id`` and one column of letters a model; ``output_chars.csv``, which may be absent, the
length of each output. Columns and rows may stand in any order. Knows nothing of what is learned from them.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from moslm.errors import ConfigError

_QUESTIONS, _PREDICTIONS, _LENGTHS = "questions.jsonl", "predictions.csv", "output_chars.csv"
_NOT_MODELS = ("id", "answer")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ABSENT = ("", "nan", "none", "null")


@dataclass(frozen=True, slots=True)
class Question:
    """One question; ``answer`` is the place of the right option."""

    id: str
    text: str
    options: tuple[str, ...]
    answer: int
    category: str
    group: str


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Questions and what every model made of them.

    Attributes:
        folder: Where they were read from.
        questions: n questions.
        models: Names of the m models, in the order of the columns below.
        chosen: (n, m) place of the option each model chose; -1 where no option could be read from its output.
        lengths: (n, m) characters of each output; NaN where unknown.
        notes: What was missing and is done without, a sentence each.
    """

    folder: Path
    questions: tuple[Question, ...]
    models: tuple[str, ...]
    chosen: NDArray[np.int64]
    lengths: NDArray[np.float64]
    notes: tuple[str, ...]

    @property
    def right(self) -> NDArray[np.bool_]:
        """(n, m) whether each model chose the right option."""
        answers = np.array([question.answer for question in self.questions])
        return np.asarray(self.chosen == answers[:, None])

    def column(self, model: str) -> int:
        """Return a model's column.

        Raises:
            ConfigError: There is no such model; the message lists those there are.
        """
        if model not in self.models:
            mend = f"one of: {', '.join(self.models)}"
            raise ConfigError(
                "no such model", file=str(self.folder / _PREDICTIONS), value=model, key="model", mend=mend
            )
        return self.models.index(model)

    def take(self, rows: NDArray[np.int64]) -> Outcomes:
        """Return some of the questions, in this order."""
        questions = tuple(self.questions[i] for i in rows.tolist())
        return Outcomes(self.folder, questions, self.models, self.chosen[rows], self.lengths[rows], self.notes)


def read_outcomes(folder: Path) -> Outcomes:
    """Read a folder.

    Raises:
        ConfigError: A file or column is missing, a line cannot be read, an answer is no option, or the ids of the
            files differ.
    """
    if not folder.is_dir():
        raise ConfigError("is no folder", file=str(folder), mend=f"name one that holds {_QUESTIONS} and {_PREDICTIONS}")
    notes: list[str] = []
    records = _records(folder / _QUESTIONS)
    header, cells = _csv(folder / _PREDICTIONS)
    models = tuple(name for name in header if name not in _NOT_MODELS)
    if not models:
        raise ConfigError("has no column for any model", file=str(folder / _PREDICTIONS), mend="add one a model")
    ids = [str(record["id"]) for _, record in records]
    _same_ids(ids, cells, folder / _PREDICTIONS)
    questions = tuple(_question(folder, number, record, cells) for number, record in records)
    if not all("group" in record for _, record in records):
        notes.append("Questions without a group count as a group of their own.")
    if not any(record.get("category") for _, record in records):
        notes.append("No question has a category.")
    chosen = np.array(
        [[_place(cells[q.id][model], len(q.options)) for model in models] for q in questions], dtype=np.int64
    )
    lengths = _lengths(folder / _LENGTHS, ids, models, notes)
    return Outcomes(folder, questions, models, chosen, lengths, tuple(notes))


def _records(file: Path) -> list[tuple[int, dict[str, Any]]]:
    found: list[tuple[int, dict[str, Any]]] = []
    seen: set[str] = set()
    for number, line in enumerate(_text(file).split("\n"), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            raise ConfigError("is no JSON", file=f"{file}:{number}") from None
        if not isinstance(record, dict):
            raise ConfigError("is no JSON object", file=f"{file}:{number}")
        for key in ("id", "question", "options"):
            if key not in record:
                raise ConfigError("is missing", file=f"{file}:{number}", key=key)
        if str(record["id"]) in seen:
            raise ConfigError("stands there twice", file=f"{file}:{number}", key="id", value=record["id"])
        seen.add(str(record["id"]))
        found.append((number, record))
    if not found:
        raise ConfigError("holds no question", file=str(file))
    return found


def _question(folder: Path, number: int, record: Mapping[str, Any], cells: Mapping[str, Mapping[str, str]]) -> Question:
    where = f"{folder / _QUESTIONS}:{number}"
    options = record["options"]
    if not isinstance(options, list) or not 2 <= len(options) <= len(_LETTERS):
        raise ConfigError("must be a list of 2 to 26 options", file=where, key="options", value=options)
    if not isinstance(record["question"], str):
        raise ConfigError("must be text", file=where, key="question", value=record["question"])
    name = str(record["id"])
    answer = record.get("answer", cells[name].get("answer"))
    if answer is None:
        raise ConfigError("is missing", file=where, key="answer", mend="write the letter of the right option")
    place = _place(str(answer), len(options))
    if place < 0:
        mend = f"write a letter from A to {_LETTERS[len(options) - 1]}"
        raise ConfigError("is none of the options", file=where, key="answer", value=answer, mend=mend)
    category, group = record.get("category"), record.get("group")
    return Question(
        name,
        _clean(record["question"]),
        tuple(_clean(str(option)) for option in options),
        place,
        "" if category is None else str(category),
        f"question {name}" if group is None else str(group),
    )


def _clean(text: str) -> str:
    # JSON may spell half a character (a lone surrogate), which no encoder takes
    return text.encode("utf-8", "replace").decode("utf-8")


def _same_ids(ids: Sequence[str], cells: Mapping[str, object], file: Path) -> None:
    lacking = [name for name in ids if name not in cells]
    extra = sorted(set(cells) - set(ids))
    if lacking:
        raise ConfigError(f"lacks {len(lacking)} of the questions, such as id {lacking[0]}", file=str(file))
    if extra:
        raise ConfigError(f"holds {len(extra)} ids that are no question, such as {extra[0]}", file=str(file))


def _place(letter: str, options: int) -> int:
    letter = letter.strip().upper()
    place = _LETTERS.find(letter) if len(letter) == 1 else -1
    return place if place < options else -1


def _lengths(file: Path, ids: Sequence[str], models: Sequence[str], notes: list[str]) -> NDArray[np.float64]:
    if not file.exists():
        notes.append(f"There is no {_LENGTHS}: output lengths are done without.")
        return np.full((len(ids), len(models)), np.nan)
    header, cells = _csv(file)
    lacking = [model for model in models if model not in header]
    if lacking:
        notes.append(f"{_LENGTHS} has no column for {', '.join(lacking)}.")
    if any(name not in cells for name in ids):
        notes.append(f"{_LENGTHS} lacks {sum(name not in cells for name in ids)} of the questions.")
    rows = [[_length(file, cells.get(name, {}).get(model, "")) for model in models] for name in ids]
    return np.array(rows, dtype=np.float64)


def _length(file: Path, cell: str) -> float:
    if cell.strip().lower() in _ABSENT:
        return math.nan
    try:
        value = float(cell)
    except ValueError:
        raise ConfigError("is no number of characters", file=str(file), key="length", value=cell) from None
    return value if math.isfinite(value) and value >= 0 else math.nan


def _csv(file: Path) -> tuple[list[str], dict[str, dict[str, str]]]:
    """Return the header and each row's cells by id."""
    try:
        lines = list(csv.reader(_text(file).split("\n")))
    except csv.Error as error:
        raise ConfigError(f"is no CSV: {error}", file=str(file)) from None
    header = [name.strip() for name in lines[0]] if lines else []
    if "id" not in header:
        raise ConfigError("has no column id", file=str(file), mend="name the columns in its first line")
    if len(set(header)) != len(header):
        raise ConfigError("names a column twice", file=str(file))
    found: dict[str, dict[str, str]] = {}
    for number, line in enumerate(lines[1:], 2):
        if not line:
            continue
        if len(line) != len(header):
            raise ConfigError(f"has {len(line)} cells, the header {len(header)}", file=f"{file}:{number}")
        row = dict(zip(header, line, strict=True))
        name = row["id"].strip()
        if name in found:
            raise ConfigError("stands there twice", file=f"{file}:{number}", key="id", value=name)
        found[name] = row
    return header, found


def _text(file: Path) -> str:
    try:
        # utf-8-sig: spreadsheets put a byte order mark before what they save
        return file.read_text(encoding="utf-8-sig").replace("\r\n", "\n")
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=str(file)) from None
    except UnicodeDecodeError:
        raise ConfigError("is not UTF-8", file=str(file)) from None
