"""``moslm eval replay``: what recorded requests would have cost and been worth under other settings."""

from __future__ import annotations

import argparse
from pathlib import Path

from moslm.cli.asking import probability
from moslm.cli.evaluated import notice
from moslm.cli.style import style_for
from moslm.cli.table import columns
from moslm.evals.figures import Figure
from moslm.evals.replaying.changes import changes
from moslm.evals.replaying.records import read_records
from moslm.evals.replaying.replay import Replay, replay

HELP = "Say what recorded requests would have cost and been worth under other settings, without asking a model"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the records and what is set otherwise."""
    parser.add_argument(
        "records", type=Path, metavar="RECORDS", help="what moslm log --json -n 0 prints, or a run's folder or file"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a setting of moslm.toml, such as "
        "defaults.threshold=0.7, domains.NAME.threshold=0.6, triggers.novelty_alpha=0.05, large_model.model.name=NAME",
    )
    parser.add_argument("--prices", type=Path, metavar="FILE", help="TOML with [prices] that every call is reckoned by")
    parser.add_argument(
        "--large-quality",
        type=probability,
        metavar="POINTS",
        help="what an answer of the large model is worth where nobody measured it",
    )
    parser.add_argument("--json", action="store_true", help="every figure as one JSON object")


def run(options: argparse.Namespace) -> int:
    """Replay and tell.

    Raises:
        ConfigError: The records cannot be read or do not support the question, or a setting or price cannot stand.
    """
    changed = changes(options.set, options.prices)
    found = replay(read_records(options.records, notice), changed, large_quality=options.large_quality)
    print(found.model_dump_json(indent=2) if options.json else _told(found))
    return 0


def _told(found: Replay) -> str:
    names = {
        "answered by small models": "kept",
        "escalated": "escalated",
        "points a request": "quality",
        "points of what is kept": "kept_quality",
        "US dollars a request": "usd",
    }
    rows = [
        [label, _figure(getattr(found.before, name)), _figure(getattr(found.after, name))]
        for label, name in names.items()
    ]
    moved = ", ".join(f"{count} {way}" for way, count in found.moved.items()) or "none"
    return "\n".join(
        [
            columns([f"{found.requests} requests", "as they were", "under the changes"], rows, style_for()),
            "",
            f"Points gained {_figure(found.quality_gained)}; US dollars saved {_figure(found.usd_saved)}, a request.",
            f"Requests that go another way: {moved}.",
            *found.notes,
        ]
    )


def _figure(figure: Figure) -> str:
    if figure.value is None:
        return f"– ({figure.why})"
    form = ".1%" if figure.unit == "share" else ".3g"
    if figure.low is None or figure.high is None:
        return f"{figure.value:{form}}"
    return f"{figure.value:{form}} ({figure.low:{form}} to {figure.high:{form}})"
