"""The labelled rows: the data folder's, the project's own, and the sets that lie beside the tests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from moslm.config import Config
from moslm.domains import load_domains
from moslm.models.classifiers.rows import EXAMPLES, Row

_ROOT = Path(__file__).parents[2]
CORPUS = _ROOT / "corpus" / "requests"
WRITTEN = _ROOT / "tests" / "models"
"""Folder of the sets written to measure with: ``benign``, ``conversations``, ``languages``."""

Record = dict[str, Any]


def records(file: Path) -> list[Record]:
    """Read a file of JSON lines."""
    with file.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def split(data: Path, name: str) -> list[Record]:
    """Read a split of moslm-route."""
    return records(data / "moslm-route" / f"{name}.jsonl")


def natural(rows: Sequence[Record]) -> list[Record]:
    """Return the rows that people wrote about one domain: not put together, not novel."""
    return [row for row in rows if not row["constructed"] and not row["novel"]]


def training_rows(data: Path) -> list[Row]:
    """Return what the shipped head is fitted on."""
    own = [
        Row(text, name, EXAMPLES, "Apache-2.0")
        for name, domain in load_domains(Config()).items()
        for text in domain.examples
    ]
    files = [data / "moslm-route" / "train.jsonl", *sorted(CORPUS.glob("*.jsonl"))]
    return own + [as_row(record) for file in files for record in records(file) if not record.get("constructed")]


def as_row(record: Record) -> Row:
    """Return a record as fitting takes it."""
    label = None if record.get("novel") else record["domain"]
    return Row(record["text"], label, record["source"], record.get("license") or "unstated")
