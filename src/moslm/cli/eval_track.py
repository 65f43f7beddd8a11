"""``moslm eval track``: a run that was made, kept where a team keeps its results; no text goes along unless told to."""

from __future__ import annotations

import argparse

from moslm.cli.eval_export import add_run
from moslm.errors import ConfigError

HELP = "Keep a run in MLflow, Weights & Biases or LangSmith, without its texts unless told to"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add which run, and where it is kept."""
    add_run(parser)
    parser.add_argument("--to", metavar="TRACKER", required=True, help="mlflow, wandb or langsmith")
    parser.add_argument(
        "--at", metavar="ADDRESS", help="mlflow: address of its store; wandb: a folder; by default in MoSLM's home"
    )
    parser.add_argument("--project", metavar="NAME", default="moslm", help="experiment or project (moslm)")
    parser.add_argument(
        "--with-texts", action="store_true", help="questions, answers and what may quote them may go along"
    )


def run(options: argparse.Namespace) -> int:
    """Keep it, and say where."""
    from moslm.evals.people.shown import suites_of
    from moslm.evals.running.folder import read_run
    from moslm.evals.trackers import tracker
    from moslm.evals.trackers.account import account_of

    keep = tracker(options.to)
    read = read_run(options.run)
    if not read.finished:
        raise ConfigError("is not finished", key="run", value=str(options.run), mend="run it again; it goes on")
    suites = suites_of(read.manifest, options.suite or (), options.data) if options.with_texts else None
    account = account_of(read, options.run, with_texts=options.with_texts, suites=suites)
    place = keep(account, options.at, options.project)
    print(f"{len(account.outcomes)} outcomes, {'texts included' if options.with_texts else 'no texts'}: {place}")
    return 0
