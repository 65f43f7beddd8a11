"""``moslm eval compare``: two runs on the same cases, or one run against what one would have without MoSLM."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from moslm.cli.evaluated import notice
from moslm.cli.style import style_for
from moslm.errors import ConfigError
from moslm.evals.comparing.baselines import AgainstBaselines, against_baselines
from moslm.evals.comparing.comparison import Comparison, compare
from moslm.evals.figures import Figure
from moslm.evals.outcomes import Outcome
from moslm.evals.replaying.records import read_outcomes

HELP = "Compare two runs on the same cases, or one with the large model, the best small one and no gate"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the runs and the margin."""
    parser.add_argument("first", type=Path, metavar="RUN", help="a run's folder, or its outcomes one a line")
    parser.add_argument(
        "second",
        type=Path,
        nargs="?",
        metavar="RUN",
        help="the run that is judged; without it the first is held against its baselines",
    )
    parser.add_argument("--system", default="moslm", metavar="NAME", help="whose outcomes (moslm)")
    parser.add_argument("--margin", type=float, metavar="POINTS", help="what the second may be worse by, such as 0.02")
    parser.add_argument("--json", action="store_true", help="every figure as one JSON object")


def run(options: argparse.Namespace) -> int:
    """Compare and tell.

    Raises:
        ConfigError: A run cannot be read, has no outcomes of the system, or the margin cannot stand.
    """
    if options.margin is not None and not options.margin > 0:
        raise ConfigError("must be more than 0", key="--margin", value=options.margin)
    first = read_outcomes(options.first, notice)
    if options.second is None:
        found = against_baselines(first, options.system, margin=options.margin)
        print(found.model_dump_json(indent=2) if options.json else _against(found))
        return 1 if found.missing else 0
    sides = [
        _of(first, options.system, options.first),
        _of(read_outcomes(options.second, notice), options.system, options.second),
    ]
    both = compare(str(options.first), sides[0], str(options.second), sides[1], margin=options.margin)
    print(both.model_dump_json(indent=2) if options.json else _told([both]))
    return 0


def _of(outcomes: Sequence[Outcome], system: str, file: Path) -> list[Outcome]:
    found = [each for each in outcomes if each.system == system]
    if not found:
        others = ", ".join(sorted({each.system for each in outcomes})) or "none"
        raise ConfigError(
            "has no outcomes of this system", file=str(file), key="--system", value=system, mend=f"one of: {others}"
        )
    return found


def _against(found: AgainstBaselines) -> str:
    missing = [f"No outcomes of {name}: nothing is said against it." for name in found.missing]
    return "\n\n".join([_told(found.comparisons), *missing])


def _told(comparisons: Sequence[Comparison]) -> str:
    return "\n\n".join("\n".join(_lines(each)) for each in comparisons)


def _lines(found: Comparison) -> list[str]:
    money = {"better": "cheaper", "worse": "dearer"}.get(found.usd.verdict, found.usd.verdict)
    test = found.mcnemar
    lines = [
        style_for().bold(f"{found.second} against {found.first}: {found.cases} cases in {found.groups} groups"),
        f"  points   {_figure(found.points.figure)} a case: {found.points.said}",
        f"  McNemar  p = {test.p:.3g} ({test.how.replace('_', '-')}): {test.only_first} only the first has right,"
        f" {test.only_second} only the second",
        f"  dollars  {_figure(found.usd.figure)} a case: {money}",
        *(f"  {note}" for note in found.notes),
    ]
    if found.unpriced:
        lines.append(f"  No price for {len(found.unpriced)} cases, such as {found.unpriced[0]}.")
    for name, cases in ((found.first, found.only_first), (found.second, found.only_second)):
        if cases:
            lines.append(f"  Only {name} has {len(cases)} cases, such as {cases[0]}.")
    if any(found.unparsed):
        lines.append(f"  Answers that no grader could read: {found.unparsed[0]} and {found.unparsed[1]}; no points.")
    return lines


def _figure(figure: Figure) -> str:
    if figure.value is None:
        return f"– ({figure.why})"
    interval = "" if figure.low is None or figure.high is None else f" ({figure.low:+.3g} to {figure.high:+.3g})"
    return f"{figure.value:+.3g}{interval}"
