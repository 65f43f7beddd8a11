"""``moslm calibrate --outcomes``: is the small model's answer right, and what does escalating the rest buy?

Shows a report; `moslm.escalation.calibration.outcomes` makes it.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moslm.cli.style import style_for
from moslm.cli.table import columns, labelled
from moslm.errors import ConfigError

if TYPE_CHECKING:
    from moslm.escalation.calibration.outcomes.reporting import Report


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the folders, the models and the promise."""
    group = parser.add_argument_group("on a folder of outcomes (questions.jsonl, predictions.csv, output_chars.csv)")
    group.add_argument("--outcomes", metavar="DIR", type=Path, help="folder that is reported on")
    group.add_argument(
        "--fit-on",
        metavar="DIR",
        type=Path,
        help="folder that is learned from; without it the outcomes are cross-fitted by group",
    )
    group.add_argument("--small", metavar="A[,B,C]", help="the model that answers, then those it is compared with")
    group.add_argument("--large", metavar="L", help="the model that answers what is escalated")
    group.add_argument("--plot", metavar="FILE", type=Path, help="draw the reliability diagram as PNG")
    parser.add_argument("--risk", type=float, default=0.05, help="largest share wrong among answers kept (0.05)")
    parser.add_argument("--delta", type=float, default=0.1, help="chance that this does not hold (0.1)")
    parser.add_argument("--json", action="store_true", help="print the report as one JSON object")


def run(options: argparse.Namespace) -> int:
    """Read, learn, report."""
    from tqdm import tqdm

    from moslm.escalation.calibration.outcomes.reporting import Task, report, steps
    from moslm.escalation.calibration.outcomes.table import read_outcomes

    for name in ("small", "large"):
        if not getattr(options, name):
            raise ConfigError("is missing", key=f"--{name}", mend="name a column of predictions.csv")
    for name in ("risk", "delta"):
        if not 0 < getattr(options, name) < 1:
            problem = "must lie between 0 and 1, both excluded"
            raise ConfigError(problem, key=f"--{name}", value=getattr(options, name), mend="write e.g. 0.05")
    small = tuple(name.strip() for name in options.small.split(",") if name.strip())
    if not small:
        raise ConfigError("names no model", key="--small", mend="name a column of predictions.csv")
    task = Task(small, options.large.strip(), options.risk, options.delta)
    outcomes = read_outcomes(options.outcomes)
    fit_on = read_outcomes(options.fit_on) if options.fit_on is not None else None
    with tqdm(total=steps(two_folders=fit_on is not None), desc="learning", leave=False, disable=None) as bar:
        found = report(outcomes, fit_on, task, bar.update)
    if options.plot is not None:
        from moslm.escalation.calibration.diagram import reliability_png

        reliability_png(found.bins, options.plot)
    document = found.document()
    print(
        json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) if options.json else _shown(found, document)
    )
    return 0


def _shown(found: Report, document: dict[str, Any]) -> str:
    from moslm.escalation.calibration.diagram import reliability_text

    style = style_for()
    roles = {name: "compared with" for name in found.task.small[1:]}
    roles |= {found.task.small[0]: "answers", found.task.large: "escalated to"}
    ranked = sorted(document["accuracy"].items(), key=lambda item: -item[1])
    best = document["best_single"]["model"]
    rows = [[name, _share(value), ", ".join(_marks(name, roles, best))] for name, value in ranked]
    parts = [
        _head(document),
        columns(["model", "accuracy", ""], rows, style, right="accuracy"),
        style.bold(f"Is the answer of {found.task.small[0]} right?"),
        labelled(_figures(document), style),
        style.bold("Escalations"),
        labelled(_escalations(document), style),
        style.bold("Promise"),
        _promise(document),
        style.bold("Reliability"),
        reliability_text(found.bins),
    ]
    return "\n\n".join([*parts, *document["notes"]])


def _head(document: dict[str, Any]) -> str:
    judged, fitted = document["outcomes"], document["fitted_on"]
    how = "cross-fitted by group" if fitted["cross_fitted"] else f"learned from {fitted['questions']} others"
    return f"{judged['questions']} questions in {judged['groups']} groups, {how}"


def _marks(name: str, roles: dict[str, str], best: str) -> list[str]:
    return [mark for mark in (roles.get(name, ""), "best single model" if name == best else "") if mark]


def _figures(document: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        ("AUROC", _number(document["auroc"])),
        ("calibration error", f"{_number(document['ece'])} ({document['ece_bins']})"),
        ("AURC", _number(document["aurc"])),
        ("Brier", _number(document["brier"])),
    ]


def _escalations(document: dict[str, Any]) -> list[tuple[str, str]]:
    routing = document["routing"]
    alone, oracle = document["routing_by_probability_alone"]["escalations"], document["oracle_escalations"]
    lines = [
        (
            f"for {float(share):.0%} of the large",
            f"{_share(value)} of the questions, the most to gain first"
            f" ({_share(alone[share])} the least probable first; {_share(oracle[share])} knowing who is right)",
        )
        for share, value in routing["escalations"].items()
    ]
    if routing["apgr"] is None:
        return [*lines, ("APGR", "none: the large model is no better than the small one")]
    calls = f"CPT(50 %) {_share(routing['cpt50'])}, CPT(80 %) {_share(routing['cpt80'])}"
    return [*lines, ("APGR", f"{_number(routing['apgr'])}; {calls}")]


def _promise(document: dict[str, Any]) -> str:
    promise = document["guarantee"]
    said = f"At most {promise['risk']:.1%} of the answers kept are wrong, with {1 - promise['delta']:.0%} confidence"
    if promise["threshold"] is None:
        text = f"  {said}: infeasible on these answers."
        if promise["feasible_risk"] is not None:
            feasible, kept = promise["feasible_risk"], promise["feasible_coverage"]
            text += f"\n  Feasible: {feasible:.1%} wrong at most, keeping {kept:.1%}."
        return text
    lines = [
        f"  {said}:",
        f"  keep what has a probability of {promise['threshold']:.3f} or more: {promise['coverage']:.1%}.",
    ]
    held = promise["held_out"]
    if held["risk"] is not None:
        where = (
            "On the other folder" if held["checks"] == 1 else f"Chosen on one half of the groups {held['checks']} times"
        )
        text = f"{where}: {held['coverage']:.1%} kept, {held['risk']:.1%} of them wrong"
        lines.append(f"  {text}; {held['exceeded']} of {held['feasible']} thresholds exceeded the stated risk.")
    return "\n".join(lines)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _share(value: float) -> str:
    return f"{value:.1%}"
