"""``moslm eval``: asks suites of cases, says how good, how dear and how fast the answers are, and holds it to a gate.

What it asks, grades and computes is `moslm.evals`'; each verb is a module of its own.
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from moslm.cli.settings import add_config, config_file
from moslm.errors import ConfigError

if TYPE_CHECKING:
    from moslm.evals.gate import Gate
    from moslm.evals.metrics import Metric
    from moslm.evals.running.folder import Read
    from moslm.evals.running.plan import Plan

HELP = "Ask suites of cases, say how good, how dear and how fast, and hold it against a gate"

VERBS: dict[str, tuple[str, str]] = {
    "show": ("moslm.cli.eval_show", "Show a run that was kept, and hold it against a gate"),
    "compare": ("moslm.cli.eval_compare", "Compare two runs on the same cases, or one with its baselines"),
    "replay": ("moslm.cli.eval_replay", "Say what recorded requests would have cost and been worth otherwise"),
    "report": ("moslm.cli.eval_report", "Write a run that was kept as one page with tables and charts"),
    "suites": ("moslm.cli.eval_suites", "List the suites, graders, metrics and gates there are"),
    "export": ("moslm.cli.eval_export", "Give answers of a run to people to rate"),
    "import": ("moslm.cli.eval_import", "Take what people said, and say how far they agree"),
    "track": ("moslm.cli.eval_track", "Keep a run in MLflow, Weights & Biases or LangSmith"),
    "register": ("moslm.cli.eval_register", "Register a classifier or a calibration in MLflow, as the challenger"),
    "promote": ("moslm.cli.eval_promote", "Make the challenger the champion, or write the champion's files"),
}
"""Every verb: its module and its line in the help."""

_SAMPLE = 8


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add what is asked, who is asked, and what becomes of it."""
    verbs = "; ".join(f"moslm eval {name}: {text[0].lower()}{text[1:]}" for name, (_, text) in VERBS.items())
    parser.epilog = f"verbs: {verbs}."
    add_config(parser)
    parser.add_argument(
        "suites", nargs="*", metavar="SUITE", help="name or TOML file; by default all that ship, sampled"
    )
    parser.add_argument(
        "--data", metavar="DIR", type=Path, help="a folder of public data sets, whose sets are suites too"
    )
    asked = parser.add_argument_group("who is asked")
    asked.add_argument(
        "--system",
        metavar="NAME",
        action="append",
        help="moslm (the default), large, small or ungated; may be given several times, or as a,b",
    )
    asked.add_argument("--endpoint", metavar="URL", help="an OpenAI-compatible server, asked as it is")
    asked.add_argument("--model", metavar="NAME", help="the model it is asked for")
    asked.add_argument("--answers", metavar="FILE", type=Path, action="append", help="recorded answers, JSON lines")
    asked.add_argument("--judge", metavar="WHO", help="grades by rubrics: large_model, or a TOML file of a model")
    asked.add_argument(
        "--checked", metavar="SHARE", type=float, default=0.2, help="share of checkable answers it grades too (0.2)"
    )
    asked.add_argument("--sample", metavar="N", help=f"cases of each suite, or all; {_SAMPLE} where no suite is named")
    asked.add_argument("--seed", metavar="N", type=int, default=0, help="of the sample (0)")
    asked.add_argument("--concurrency", metavar="N", type=int, default=1, help="cases asked side by side (1)")
    kept = parser.add_argument_group("what becomes of it")
    kept.add_argument("--out", metavar="DIR", type=Path, help="folder of the run; one that stopped goes on")
    kept.add_argument("--no-texts", action="store_true", help="keep no words of answers")
    add_showing(kept)


def add_showing(group: argparse._ArgumentGroup | argparse.ArgumentParser) -> None:
    """Add how a run is shown and judged."""
    group.add_argument("--gate", metavar="NAME", help="targets that must be reached: one that ships, or a TOML file")
    group.add_argument("--metric", metavar="MODULE:FUNCTION", action="append", help="a metric of your own, beside ours")
    group.add_argument("--json", action="store_true", help="one JSON object")


def run(options: argparse.Namespace) -> int:
    """Ask, grade, show; 1 where a target of the gate is missed."""
    from moslm.cli.evaluated import shown

    _check(options)
    metrics, gate = judged_by(options)
    plan = _plan(options)
    out = options.out or _default_out()
    read = _evaluated(plan, out)
    return shown(read, out, metrics, gate, as_json=options.json)


def judged_by(options: argparse.Namespace) -> tuple[dict[str, Metric], Gate | None]:
    """Return the metrics and the gate that the options name."""
    from moslm.evals.gate import read_gate
    from moslm.evals.metrics import METRICS, named_metric

    metrics = {**METRICS, **dict(named_metric(each) for each in options.metric or ())}
    return metrics, read_gate(options.gate, metrics) if options.gate else None


def _plan(options: argparse.Namespace) -> Plan:
    from moslm.cli.first_use import bring_weights
    from moslm.evals.running.plan import Plan
    from moslm.evals.suites import find_suites

    suites = find_suites(options.suites, options.data)
    named = [name for each in options.system or () for name in each.split(",")]
    others = options.answers or options.endpoint
    systems = tuple(dict.fromkeys(named)) if named else () if others else ("moslm",)
    if systems:
        bring_weights(config_file(options.config))
    return Plan(
        suites=suites,
        config=config_file(options.config),
        systems=systems,
        endpoint=(options.endpoint, options.model) if options.endpoint else None,
        answers=options.answers or (),
        judge=options.judge,
        checked=options.checked,
        sample=_sample(options),
        seed=options.seed,
        keeps_texts=not options.no_texts,
        concurrency=options.concurrency,
        command=["moslm", *sys.argv[1:]],
    )


def _evaluated(plan: Plan, out: Path) -> Read:
    from tqdm import tqdm

    from moslm.evals.running.plan import evaluate

    with tqdm(total=0, desc="asking", unit="case", leave=False, disable=None) as bar:
        return evaluate(plan, out, total=lambda count: bar.reset(count), step=lambda _: bar.update())


def _check(options: argparse.Namespace) -> None:
    if options.concurrency < 1:
        raise ConfigError("must be at least 1", key="--concurrency", value=options.concurrency)
    if not 0 <= options.checked <= 1:
        raise ConfigError("must be a share between 0 and 1", key="--checked", value=options.checked)
    if bool(options.endpoint) != bool(options.model):
        missing = "--model" if options.endpoint else "--endpoint"
        raise ConfigError("is missing", key=missing, mend="an endpoint is asked for a model: write both")


def _sample(options: argparse.Namespace) -> int | None:
    if options.sample is None:
        return None if options.suites else _SAMPLE
    if options.sample == "all":
        return None
    if not options.sample.isascii() or not options.sample.isdigit() or int(options.sample) < 1:
        raise ConfigError("is no number of cases", key="--sample", value=options.sample, mend="write a number, or all")
    return int(options.sample)


def _default_out() -> Path:
    from moslm.config import home

    return home() / "evals" / datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%S-%f")
