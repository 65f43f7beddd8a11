import json
from pathlib import Path

import pytest


@pytest.fixture
def write(tmp_path: Path):
    def rows(name: str, lines: list[dict]) -> Path:
        file = tmp_path / "cascade" / f"{name}.jsonl"
        file.parent.mkdir(exist_ok=True)
        file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        return tmp_path

    return rows
