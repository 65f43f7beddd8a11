"""Writes what the documentation takes from the code: the ownership list and the JSON Schemas.

``python docs/generate.py`` writes; ``--check`` only compares and exits 1 where a file is not current.
"""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path

from moslm.config import Config
from moslm.decision import Decision

ROOT = Path(__file__).resolve().parents[1]
ROOMS = {"moslm": ROOT / "src/moslm", "moslm.graph": ROOT / "graph", "moslm.nodes": ROOT / "nodes"}
ROOMS["moslm.tools"] = ROOT / "tools"
BEGIN, END = "<!-- modules -->\n", "<!-- /modules -->"


def ownership() -> str:
    """Return a table row for every module: its name and the first sentence of its docstring."""
    rows = ["| module | owns |", "|---|---|"]
    for name, folder in ROOMS.items():
        for file in sorted(folder.rglob("*.py")):
            below = file.relative_to(folder)
            if (folder / below.parts[0]).is_symlink() or file.name == "__main__.py":
                continue
            module = ".".join([name, *below.with_suffix("").parts]).removesuffix(".__init__")
            text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
            first = " ".join(text.split("\n\n")[0].split())
            rows.append(f"| `{module}` | {first} |")
    return "\n".join(rows) + "\n"


def generated() -> dict[Path, str]:
    """Return every generated file with what it must hold."""
    page = ROOT / "docs/architecture.md"
    before, rest = page.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    return {
        page: before + BEGIN + ownership() + END + after,
        ROOT / "docs/decision.schema.json": json.dumps(Decision.model_json_schema(), indent=2) + "\n",
        ROOT / "docs/moslm.schema.json": json.dumps(Config.model_json_schema(), indent=2) + "\n",
    }


def main() -> int:
    """Write or compare the generated files."""
    stale = [
        file for file, text in generated().items() if not file.exists() or file.read_text(encoding="utf-8") != text
    ]
    if "--check" in sys.argv:
        for file in stale:
            print(f"{file.relative_to(ROOT)} is not current; run: make docs")
        return 1 if stale else 0
    for file in stale:
        file.write_text(generated()[file], encoding="utf-8")
        print(f"wrote {file.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
