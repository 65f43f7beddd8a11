"""``moslm eval suites``: which suites, graders, metrics and gates there are."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

from moslm.cli.style import style_for
from moslm.cli.table import columns, labelled

HELP = "List the suites, graders, metrics and gates there are"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add which suites."""
    parser.add_argument("suites", nargs="*", metavar="SUITE", help="name or TOML file; by default all")
    parser.add_argument("--data", metavar="DIR", type=Path, help="a folder of public data sets")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(options: argparse.Namespace) -> int:
    """List them."""
    from moslm.evals.gate import shipped_gates
    from moslm.evals.graders import GRADERS
    from moslm.evals.metrics import METRICS
    from moslm.evals.suites import find_suites

    suites = find_suites(options.suites, options.data)
    others = {"graders": [*GRADERS, "routing"], "metrics": list(METRICS), "gates": shipped_gates()}
    tasks = {suite.name: Counter(case.tags.get("task") or "-" for case in suite.cases) for suite in suites}
    if options.json:
        told = [
            {
                "name": suite.name,
                "about": suite.about,
                "licence": suite.licence,
                "cases": len(suite.cases),
                "tasks": dict(tasks[suite.name]),
                "sha256": suite.sha256,
            }
            for suite in suites
        ]
        print(json.dumps({"suites": told, **others}, indent=2, ensure_ascii=False))
        return 0
    style = style_for()
    rows = [
        [suite.name, str(len(suite.cases)), ", ".join(f"{name} {count}" for name, count in tasks[suite.name].items())]
        for suite in suites
    ]
    print(columns(["suite", "cases", "tasks"], rows, style, right="cases"))
    print()
    print(labelled([(name, " · ".join(each)) for name, each in others.items()], style))
    return 0
