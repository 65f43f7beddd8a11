"""``moslm calibrate --questions``: asks one's own small models questions with known answers, and calibrates them.

Shows a report and writes one calibration for each model; `moslm.evals.calibrating` makes them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from moslm.cli.settings import add_config, config_file
from moslm.cli.style import style_for
from moslm.cli.table import columns, labelled
from moslm.errors import ConfigError

if TYPE_CHECKING:
    from moslm.evals.answers import Answer
    from moslm.evals.calibrating import Kept, Report
    from moslm.graph.parts import Parts


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the questions, where answers are kept and where the calibration goes."""
    add_config(parser)
    group = parser.add_argument_group("on labelled questions, put to the configured small models")
    group.add_argument("--questions", metavar="FILE", nargs="+", type=Path, help="JSON lines; see docs/guides")
    group.add_argument(
        "--kept",
        metavar="FILE",
        type=Path,
        help="where answers are kept: what stands there is not asked again; by default in MoSLM's home",
    )
    group.add_argument("--out", metavar="DIR", type=Path, help="folder of the calibrations; by default in MoSLM's home")
    group.add_argument("--signals", metavar="NAME", nargs="+", help="what to fit on; by default what proves of use")
    group.add_argument("--concurrency", metavar="N", type=int, default=1, help="questions asked side by side (1)")
    group.add_argument("--valid-days", metavar="N", type=int, default=90, help="days until it expires (90)")


def run(options: argparse.Namespace) -> int:
    """Ask, grade, fit, report and write."""
    from tqdm import tqdm

    from moslm.config import home
    from moslm.escalation.calibration.artefact import write_calibration
    from moslm.evals.answers import ask_all
    from moslm.evals.questions import read_questions
    from moslm.graph.confidence import file_name
    from moslm.graph.parts import build_parts

    _check(options)
    questions = [question for file in options.questions for question in read_questions(file)]
    parts = build_parts(config_file(options.config))
    _known(options.signals or (), parts.signals)
    kept, out = options.kept or home() / "answers.jsonl", options.out or home() / "calibrations"
    with tqdm(total=len(questions), desc="asking", unit="question", leave=False, disable=None) as bar:
        answers = ask_all(parts, questions, kept, concurrency=options.concurrency, step=bar.update)
    reports = []
    for model, theirs in _by_model(parts, answers).items():
        reports.append(_calibrated(parts, model, theirs, options))
        write_calibration(out / file_name(model), reports[-1].calibration)
        if options.plot is not None:
            _draw(reports[-1], options.plot)
    if options.json:
        print(json.dumps([report.document() for report in reports], indent=2, ensure_ascii=False, allow_nan=False))
        return 0
    for report in reports:
        print(_shown(report))
        print(f"\ncalibration {report.calibration.version} is in {out / file_name(report.calibration.model)}")
        print('use it: write its path as calibration = "..." under [defaults] or [domains.NAME]')
    return 0


def _calibrated(parts: Parts, model: str, answers: Sequence[Answer], options: argparse.Namespace) -> Report:
    from moslm.escalation.calibration.fitting import Promise
    from moslm.evals.calibrating import calibrate_answers

    agent = next(agent for agent in parts.agents.values() if agent.model_name == model)
    return calibrate_answers(
        answers,
        parts.signals,
        chosen=options.signals,
        model=model,
        revision=agent.revision(),
        threshold=lambda domain: parts.domains[domain].settings.threshold,
        promise=Promise(options.risk, options.delta),
        today=datetime.now(UTC).date(),
        valid_days=options.valid_days,
    )


def _by_model(parts: Parts, answers: Sequence[Answer]) -> dict[str, list[Answer]]:
    found: dict[str, list[Answer]] = {}
    for answer in answers:
        found.setdefault(parts.agents[answer.question.domain].model_name, []).append(answer)
    return found


def _check(options: argparse.Namespace) -> None:
    for name in ("concurrency", "valid_days"):
        if getattr(options, name) < 1:
            raise ConfigError("must be at least 1", key=f"--{name.replace('_', '-')}", value=getattr(options, name))


def _known(names: Sequence[str], signals: Mapping[str, object]) -> None:
    for name in names:
        if name not in signals:
            raise ConfigError("no such signal", key="--signals", value=name, mend=f"one of: {', '.join(signals)}")


def _draw(report: Report, file: Path) -> None:
    from moslm.escalation.calibration.diagram import reliability_png

    reliability_png(report.bins, file)


def _shown(report: Report) -> str:
    from moslm.escalation.calibration.diagram import reliability_text

    style, made = style_for(), report.calibration
    every = made.figures[""]
    rows = [_row(name or "all", kept) for name, kept in report.at_threshold.items()]
    promised = [_row(name or "all", kept) for name, kept in report.promised.items()]
    heads = ["domain", "asked", "right", "wrong", "declined", "failed", "threshold", "kept", "amiss"]
    figures = " ".join(heads[1:])
    found = made.guarantee
    words = f"at most {found.risk:.0%} wrong, but for a chance of {found.delta:.0%}" if found else "none"
    parts = [
        f"{made.model}: fitted on {report.fitted_on} answers by {', '.join(made.signals)};"
        f" what follows is of {every.answers} others, in groups of their own",
        labelled(
            [
                ("AUROC", _number(every.auroc)),
                ("calibration error", f"{_number(every.calibration_error)} (chance alone: {report.chance_error:.3f})"),
                ("AURC", _number(every.aurc)),
                ("Brier", _number(every.brier)),
            ],
            style,
        ),
        style.bold("At the threshold in force"),
        columns(heads, rows, style, right=figures),
        style.bold(f"Promise: {words}"),
        columns(heads, promised, style, right=figures),
        style.bold("Reliability"),
        reliability_text(report.bins),
    ]
    return "\n\n".join(parts)


def _row(name: str, kept: Kept) -> list[str]:
    ends = [str(kept.outcomes.get(end, 0)) for end in ("right", "wrong", "declined", "failed")]
    threshold = "" if kept.threshold is None and name == "all" else "nothing kept"
    shown = threshold if kept.threshold is None else f"{kept.threshold:.3f}"
    return [name, str(kept.questions), *ends, shown, str(kept.kept), str(kept.wrong)]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
