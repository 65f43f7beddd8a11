"""``moslm eval import``: what people said of the answers of a run, how far they agree, what goes back to the suite."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moslm.cli.eval_export import add_run
from moslm.cli.style import Style, safe, style_for
from moslm.cli.table import columns
from moslm.errors import ConfigError
from moslm.governance.wording import counted

if TYPE_CHECKING:
    from moslm.evals.figures import Figure
    from moslm.evals.people.findings import Findings
    from moslm.evals.people.settling import Settled
    from moslm.evals.people.shown import Shown
    from moslm.evals.people.taking import Came

HELP = "Take what people said of the answers of a run, say how far they agree, and give cases back"

_NAMED = 5


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add where it comes from, and what becomes of it."""
    add_run(parser)
    parser.add_argument("--csv", metavar="FILE", type=Path, nargs="+", help="sheets that came back")
    parser.add_argument("--langsmith", metavar="QUEUE", help="annotation queue of LangSmith that was filled before")
    parser.add_argument(
        "--cases", metavar="DIR", type=Path, help="write what is to be settled or was corrected, as suites"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(options: argparse.Namespace) -> int:
    """Take, keep, tell; 1 where a row could not be taken."""
    from moslm.evals.people.findings import findings, rows_of
    from moslm.evals.people.ratings import keep, read_ratings
    from moslm.evals.people.settling import to_settle, write_suites
    from moslm.evals.people.shown import shown_of, suites_of
    from moslm.evals.running.folder import read_run

    if not options.csv and not options.langsmith:
        raise ConfigError("is needed", key="--csv", mend="write --csv FILE..., or --langsmith QUEUE")
    read = read_run(options.run)
    suites = suites_of(read.manifest, options.suite or (), options.data)
    shown = shown_of(read, suites)
    came = _came(options, shown)
    new, changed = keep(options.run, came.ratings)
    rows = rows_of(shown, read_ratings(options.run))
    settled = to_settle(rows)
    heads = write_suites(options.cases, settled, suites) if options.cases and settled else []
    for line in came.mistakes:
        print(f"moslm: {line}", file=sys.stderr)
    counts = {"new": new, "changed": changed, "unrated": came.unrated, "refused": len(came.mistakes)}
    found = findings(rows)
    if options.json:
        print(json.dumps(_document(counts, came, found, settled, heads), indent=2, ensure_ascii=False, allow_nan=False))
    else:
        print(_text(counts, found, settled, heads, style_for()))
    return 1 if came.mistakes else 0


def _came(options: argparse.Namespace, shown: Sequence[Shown]) -> Came:
    from moslm.evals.people.sheet import read_sheet
    from moslm.evals.people.taking import take

    entries = [entry for file in options.csv or () for entry in read_sheet(file)]
    if options.langsmith:
        from moslm.evals.langsmith_client import langsmith_client, told_in_one_line
        from moslm.evals.people.annotation_queue import read_queue

        with told_in_one_line():
            entries += list(read_queue(langsmith_client(), shown, options.langsmith))
    return take(entries, shown)


def _document(
    counts: Mapping[str, int],
    came: Came,
    found: Mapping[str, Findings],
    settled: Sequence[Settled],
    heads: Sequence[Path],
) -> dict[str, Any]:
    return {
        "ratings": {**counts, "mistakes": came.mistakes},
        "findings": {
            name: {
                "answers": each.answers,
                "ratings": each.ratings,
                "cannot_tell": each.cannot_tell,
                "raters": list(each.raters),
                "figures": {label: figure.model_dump(mode="json") for label, figure in each.figures.items()},
                "graded": {ending: dict(said) for ending, said in each.graded.items()},
            }
            for name, each in found.items()
        },
        "cases": [
            {**dataclasses.asdict(each), "case": each.case.model_dump(mode="json", exclude_defaults=True)}
            for each in settled
        ],
        "suites": list(map(str, heads)),
    }


def _text(
    counts: Mapping[str, int],
    found: Mapping[str, Findings],
    settled: Sequence[Settled],
    heads: Sequence[Path],
    style: Style,
) -> str:
    told = [
        f"{counted(counts['new'], 'new rating')}, {counts['changed']} changed; {counts['unrated']} rows not rated yet, "
        f"{counts['refused']} refused"
    ]
    told += [_part(name, each, style) for name, each in found.items() if len(found) != 2 or name == "all"]
    told.append(_graded(found["all"], style))
    if settled:
        named = [f"{each.suite}/{each.case.id}: {each.what}, {each.why}" for each in settled[:_NAMED]]
        more = [f"and {len(settled) - _NAMED} more"] if len(settled) > _NAMED else []
        told.append("\n".join([style.bold(f"{counted(len(settled), 'case')} to go back"), *map(safe, named), *more]))
    if heads:
        told.append(f"written to {', '.join(map(str, heads))}")
    return "\n\n".join(each for each in told if each)


def _part(name: str, found: Findings, style: Style) -> str:
    heading = (
        f"{name}: {counted(found.answers, 'answer')}, {counted(found.ratings, 'rating')} of "
        f"{counted(len(found.raters), 'rater')}, {found.cannot_tell} cannot tell"
    )
    rows = [
        [label, _number(figure.value, figure), _interval(figure), str(figure.n), figure.why]
        for label, figure in found.figures.items()
    ]
    return (
        style.bold(heading)
        + "\n"
        + columns(["figure", "value", "95 %", "n", "note"], rows, style, right="value 95 % n")
    )


def _graded(found: Findings, style: Style) -> str:
    heads = list(dict.fromkeys(said for each in found.graded.values() for said in each))
    rows = [[ending, *(str(said.get(head, 0)) for head in heads)] for ending, said in found.graded.items()]
    return columns(["graded, people say", *heads], rows, style, right=" ".join(heads)) if rows else ""


def _number(value: float | None, figure: Figure) -> str:
    if value is None:
        return "-"
    return f"{value:.1%}" if figure.unit == "share" else f"{value:.3f}"


def _interval(figure: Figure) -> str:
    if figure.low is None or figure.high is None:
        return "-"
    return f"{_number(figure.low, figure)} to {_number(figure.high, figure)}"
