"""Writes docs/results.md and its part of the README from one run: what escalating costs and keeps on recorded tables.

    make results                                  measure everything (half an hour on two cores, most of it learning)
    python bench/results.py --kept                measure nothing: write the pages from docs/results/*.json

Reads ../shared/data, which is no part of the project; needs the extras ``calibrate`` and ``plots``. What cascadeflow
says stands in docs/results/cascadeflow.json, which `bench/cascadeflow_confidence.py` writes in an environment of its
own. The reference design's case comes from docs/results/ownership.json (`moslm cost --json`), the end-to-end run from
docs/results/end_to_end.json (`moslm eval --json`); where one is not there the page says so.
"""

from __future__ import annotations

import argparse
import json
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "docs" / "results"


def main() -> int:
    from publishing import page

    options = _options()
    file = RESULTS / "frontiers.json"
    if not options.kept:
        if not options.data.is_dir():
            print(f"{options.data}: the public data sets are not there; --kept writes the pages from the last run")
            return 1
        from publishing.measuring import everything

        found = everything(options.data, RESULTS / "cascadeflow.json", options.gates)
        told = {"python": platform.python_version(), "scikit-learn": version("scikit-learn"), **found}
        file.write_text(json.dumps(_rounded(told), separators=(",", ":")) + "\n", encoding="utf-8")
    found = json.loads(file.read_text(encoding="utf-8"))
    from publishing.plot import draw

    draw(found["frontiers"], RESULTS / "frontiers.svg")
    page.put(ROOT / "docs" / "results.md", page.results(found, _read("ownership"), _read("end_to_end")))
    page.put(ROOT / "README.md", page.summary(found))
    return 0


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 5)
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    return [_rounded(each) for each in value] if isinstance(value, list | tuple) else value


def _read(name: str) -> Any | None:
    file = RESULTS / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument(
        "--gates", type=Path, default=ROOT / "build" / "gates", help="keep learned gates here; delete it to learn anew"
    )
    parser.add_argument("--kept", action="store_true", help="write the pages from the last run's figures")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
