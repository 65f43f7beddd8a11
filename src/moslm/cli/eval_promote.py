"""``moslm eval promote``: the challenger becomes the champion, whose files can be written to where they are served."""

from __future__ import annotations

import argparse
from pathlib import Path

from moslm.cli.eval_register import add_store, needs_mlflow
from moslm.errors import ConfigError

HELP = "Make the challenger in MLflow's registry the champion, or write the champion's files"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add which model."""
    parser.add_argument("model", metavar="MODEL", help="name in the registry, such as moslm-classifier")
    parser.add_argument("--version", metavar="N", help="by default the challenger")
    parser.add_argument("--fetch-only", action="store_true", help="promote nothing; write the champion to --out")
    parser.add_argument("--out", metavar="DIR", type=Path, help="write the champion's files there")
    add_store(parser)


def run(options: argparse.Namespace) -> int:
    """Promote it, and write what serves."""
    if options.fetch_only and (options.out is None or options.version):
        raise ConfigError("needs --out and no --version", key="--fetch-only", mend="write --fetch-only --out DIR")
    needs_mlflow()
    from moslm.evals.trackers.registry import fetch, promote
    from moslm.evals.trackers.store import Store

    store = Store(options.at)
    if not options.fetch_only:
        champion, before = promote(store, options.model, options.version)
        was = f"; version {before} was it before" if before else ""
        print(f"{champion.name} {champion.version} is the champion{was}")
    if options.out:
        found = fetch(store, options.model, options.out)
        print(f"{found.name} {found.version} is in {options.out}")
    return 0
