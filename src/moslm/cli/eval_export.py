"""``moslm eval export``: answers of a run for people to rate, as sheets or in an annotation queue of LangSmith."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from moslm.errors import ConfigError
from moslm.governance.wording import counted

if TYPE_CHECKING:
    from moslm.evals.people.shown import Shown

HELP = "Give answers of a run to people to rate, who gave them and how they were graded hidden"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add which answers, and where they go."""
    add_run(parser)
    parser.add_argument("--csv", metavar="FILE", type=Path, help="sheet to write; with several raters FILE-1.csv ...")
    parser.add_argument("--langsmith", metavar="QUEUE", help="new annotation queue of LangSmith to fill")
    parser.add_argument(
        "--with-texts", action="store_true", help="questions and answers may go to LangSmith; needed for a queue"
    )
    parser.add_argument("--sample", metavar="N", type=int, help="how many answers; by default all that fit")
    parser.add_argument("--by", default="random", help="which: random (the default), uncertain, wrong or escalated")
    parser.add_argument("--system", metavar="NAME", action="append", help="whose answers; by default everybody's")
    parser.add_argument("--raters", metavar="N", type=int, default=1, help="how many sheets, each in its own order (1)")
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="of sample and order (0)")
    parser.add_argument("--bom", action="store_true", help="begin with the mark by which older spreadsheets know UTF-8")


def add_run(parser: argparse.ArgumentParser) -> None:
    """Add which run, and where its suites are."""
    parser.add_argument("run", metavar="RUN_DIR", type=Path, help="folder of the run")
    parser.add_argument(
        "--suite", metavar="SUITE", action="append", help="name or file of a suite of the run; by default by its name"
    )
    parser.add_argument("--data", metavar="DIR", type=Path, help="the folder of public data sets that was asked")


def run(options: argparse.Namespace) -> int:
    """Write what people are to rate."""
    from moslm.evals.people.choosing import CONDITIONS, choose
    from moslm.evals.people.shown import shown_of, suites_of
    from moslm.evals.running.folder import read_run

    _check(options, list(CONDITIONS))
    read = read_run(options.run)
    rows = shown_of(read, suites_of(read.manifest, options.suite or (), options.data), options.system or ())
    found = choose(rows, options.by, options.sample, options.seed)
    if not found:
        raise ConfigError("no answer of the run fits", key="--by", value=options.by, mend="choose by another")
    places = _to_langsmith(options, found) if options.langsmith else _to_sheets(options, found)
    short = f", and no more fit ({options.by})" if options.sample and len(found) < options.sample else ""
    print(f"{counted(len(found), 'answer')} of {len(rows)} in {', '.join(places)}{short}")
    return 0


def _to_sheets(options: argparse.Namespace, rows: Sequence[Shown]) -> list[str]:
    from moslm.evals.people.choosing import shuffled
    from moslm.evals.people.sheet import LONGEST_CELL, write_sheet

    files = [options.csv]
    if options.raters > 1:
        name, suffix = options.csv.stem, options.csv.suffix or ".csv"
        files = [options.csv.with_name(f"{name}-{number}{suffix}") for number in range(1, options.raters + 1)]
    for file in files:
        if file.exists():
            mend = "ratings may be in it: name another"
            raise ConfigError("is there already", key="--csv", value=str(file), mend=mend)
    for number, file in enumerate(files, 1):
        order = rows if number == 1 else shuffled(rows, f"order {options.seed} rater {number}")
        write_sheet(file, order, f"rater {number}", bom=options.bom)
    long = sum(max(len(row.question), len(row.answer)) > LONGEST_CELL for row in rows)
    if long:
        print(
            f"{counted(long, 'row')} longer than a spreadsheet shows ({LONGEST_CELL} characters): read them elsewhere"
        )
    return list(map(str, files))


def _to_langsmith(options: argparse.Namespace, rows: Sequence[Shown]) -> list[str]:
    from moslm.evals.langsmith_client import langsmith_client, told_in_one_line
    from moslm.evals.people.annotation_queue import export_queue

    with told_in_one_line():
        export_queue(langsmith_client(), rows, options.langsmith)
    return [f"the queue {options.langsmith}"]


def _check(options: argparse.Namespace, conditions: Sequence[str]) -> None:
    if (options.csv is None) == (options.langsmith is None):
        raise ConfigError("is needed", key="--csv", mend="write --csv FILE, or --langsmith QUEUE")
    if options.langsmith and not options.with_texts:
        mend = "write --with-texts if LangSmith may have them"
        raise ConfigError("would send questions and answers to LangSmith", key="--langsmith", mend=mend)
    if options.by not in conditions:
        raise ConfigError("is no way to choose", key="--by", value=options.by, mend=f"one of: {', '.join(conditions)}")
    for name in ("sample", "raters"):
        value = getattr(options, name)
        if value is not None and value < 1:
            raise ConfigError("must be at least 1", key=f"--{name}", value=value)
