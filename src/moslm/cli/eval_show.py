"""``moslm eval show``: a run that was kept, shown again, and held against a gate. Asks nobody."""

from __future__ import annotations

import argparse
from pathlib import Path

from moslm.cli.eval import add_showing, judged_by

HELP = "Show a run that was kept, and hold it against a gate"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add which run, and how it is judged."""
    parser.add_argument("run", metavar="DIR", type=Path, help="folder of the run")
    add_showing(parser)


def run(options: argparse.Namespace) -> int:
    """Show it; 1 where a target of the gate is missed."""
    from moslm.cli.evaluated import shown
    from moslm.evals.running.folder import read_run

    metrics, gate = judged_by(options)
    return shown(read_run(options.run), options.run, metrics, gate, as_json=options.json)
