"""A process that runs an evaluation, and is killed: ``python evaluated.py CONFIG SUITE OUT CONCURRENCY``."""

from __future__ import annotations

import sys
from pathlib import Path

from moslm.evals.running.plan import Plan, evaluate
from moslm.evals.suites import read_suite


def main() -> None:
    config, suite, out, concurrency = sys.argv[1:]
    plan = Plan([read_suite(Path(suite))], config, systems=("large",), concurrency=int(concurrency))
    evaluate(plan, Path(out), step=lambda outcome: print("done", flush=True))


if __name__ == "__main__":
    main()
