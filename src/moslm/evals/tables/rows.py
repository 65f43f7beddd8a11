"""JSON lines of a recorded table, each checked for the keys that are read; a mistake names file, line and key."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from moslm.errors import ConfigError


def read_rows(file: Path, keys: Sequence[str]) -> list[dict[str, Any]]:
    """Read the rows of a file.

    Args:
        file: JSON lines.
        keys: Keys that each row must have.

    Raises:
        ConfigError: The file cannot be read, a line is no JSON object or lacks a key, or an id stands twice.
    """
    try:
        lines = file.read_text(encoding="utf-8").split("\n")
    except OSError as error:
        mend = "name the folder of the public data with --data"
        raise ConfigError(f"cannot be read: {error.strerror}", file=str(file), mend=mend) from None
    rows: list[dict[str, Any]] = []
    seen: set[str] = set()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        where = f"{file}:{number}"
        try:
            row = json.loads(line)
        except ValueError:
            raise ConfigError("is no JSON", file=where) from None
        if not isinstance(row, dict):
            raise ConfigError("is no JSON object", file=where)
        for key in keys:
            if key not in row:
                raise ConfigError("is missing", file=where, key=key)
        if "id" in row:
            if str(row["id"]) in seen:
                raise ConfigError("stands there twice", file=where, key="id", value=row["id"])
            seen.add(str(row["id"]))
        rows.append(row)
    return rows
