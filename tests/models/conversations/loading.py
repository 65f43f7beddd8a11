"""Conversations that measure whether a follow-up stays in its domain and a change of topic leaves it.

Two files lie beside this module. ``written.jsonl`` holds conversations of the project's own, with their text.
``turns.jsonl`` holds no text: each of its turns names a row of a public data set by file, line, dialogue and turn,
and the text is looked up in the data folder at run time.

    for conversation in load_conversations(Path("../shared/data")):
        *before, last = conversation.turns

A ``domain`` of None means that the last turn belongs to no domain.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

HERE = Path(__file__).resolve().parent
WRITTEN = HERE / "written.jsonl"
REFERENCES = HERE / "turns.jsonl"

Kind = Literal["follow_up", "topic_change"]
Role = Literal["user", "assistant"]


class DataChangedError(ValueError):
    """A referenced row isn't the row that was labelled, because the data folder holds another version."""


@dataclass(frozen=True)
class Turn:
    """One message of a conversation."""

    role: Role
    text: str


@dataclass(frozen=True)
class Conversation:
    """A conversation whose last turn, always the user's, is the one to be routed.

    Attributes:
        id: Unique over both files.
        source: "written", or the data set of the rows ("mixed" where it is two).
        turns: Oldest first.
        kind: What the last turn does.
        domain: The domain that's right for the last turn; None for no domain.
        from_domain: The domain of the conversation before the last turn; None for no domain.
        constructed: True where the last turn was put behind a conversation it doesn't come from.
    """

    id: str
    source: str
    turns: tuple[Turn, ...]
    kind: Kind
    domain: str | None
    from_domain: str | None
    constructed: bool = False


def load_conversations(data: Path | None) -> Iterator[Conversation]:
    """Yield the written conversations, then those whose text lies in the data folder.

    Args:
        data: The folder that holds ``multidogo`` and ``sgd_requests``; None for the written ones alone.

    Raises:
        FileNotFoundError: A referenced file isn't in the folder.
        DataChangedError: A referenced row isn't the one that was labelled.
    """
    yield from load_written()
    if data is not None:
        yield from load_referenced(data)


def load_written(path: Path = WRITTEN) -> Iterator[Conversation]:
    """Yield the project's own conversations."""
    for record in _records(path):
        yield _conversation(record, "written", tuple(Turn(turn["role"], turn["text"]) for turn in record["turns"]))


def load_referenced(data: Path, path: Path = REFERENCES) -> Iterator[Conversation]:
    """Yield the conversations of public data sets, with their text from the folder `data`.

    These sets keep only the user's side, so every turn is a user's.

    Raises:
        FileNotFoundError: A referenced file isn't in the folder.
        DataChangedError: A referenced row isn't the one that was labelled.
    """
    rows: dict[str, list[dict[str, Any]]] = {}
    for record in _records(path):
        texts = []
        for reference in record["turns"]:
            file = reference["file"]
            if file not in rows:
                rows[file] = list(_records(data / file))
            texts.append(_text(rows[file], reference))
        if hashlib.sha256("\n".join(texts).encode()).hexdigest()[:12] != record["sha256"]:
            raise DataChangedError(f"{record['id']}: the texts in {data} aren't those that were labelled")
        yield _conversation(record, record["source"], tuple(Turn("user", text) for text in texts))


def _text(rows: list[dict[str, Any]], reference: dict[str, Any]) -> str:
    line = reference["line"]
    if line > len(rows):
        raise DataChangedError(f"{reference['file']} has {len(rows)} lines, line {line} is referenced")
    return cast(str, rows[line - 1]["text"])


def _conversation(record: dict[str, Any], source: str, turns: tuple[Turn, ...]) -> Conversation:
    return Conversation(
        id=record["id"],
        source=source,
        turns=turns,
        kind=record["kind"],
        domain=record["domain"],
        from_domain=record["from_domain"],
        constructed=record.get("constructed", False),
    )


def _records(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)
