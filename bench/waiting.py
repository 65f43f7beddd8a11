"""How far Allen and Cunneen's formula is from a queue that is run with the lengths of real answers.

``python bench/waiting.py [--data ../shared/data] [--requests 2000000] [--json FILE]``: for each model of MMLU-Pro whose
lengths of answers are known, places and utilisation, the mean wait by the formula and by a run, and their difference.
An answer is taken to be written at 240 characters a second; only the shape of the lengths matters.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from moslm.budgets.sizing import allen_cunneen, simulated
from moslm.budgets.sizing.queueing import scv

MODELS = ("Mixtral-8x7B-Instruct-v0.1", "gemma-7b", "Meta-Llama-3_1-8B-Instruct", "mathstral-7B")
QUEUES = ((1, 0.7), (4, 0.7), (16, 0.7), (16, 0.9), (64, 0.9))


def measured(model: str, samples: Sequence[float], requests: int) -> list[dict[str, Any]]:
    """Return a row for each queue."""
    mean, rows = math.fsum(samples) / len(samples), []
    for places, used in QUEUES:
        near = allen_cunneen(places, used * places, mean, 1.0, scv(samples))
        run = simulated(used * places / mean, places, samples, requests=requests)
        rows.append(
            {
                "model": model,
                "scv": scv(samples),
                "places": places,
                "used": used,
                "formula_s": near,
                "run_s": run.mean_wait,
                "error_s": run.error,
                "off": near / run.mean_wait - 1,
            }
        )
    return rows


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--requests", type=int, default=2_000_000)
    parser.add_argument("--json", type=Path, help="write every figure there; - is stdout")
    options = parser.parse_args(argv)
    file = options.data / "mmlu_pro_models" / "output_chars.csv"
    if not file.exists():
        sys.exit(f"no {file}: nothing can be measured")
    rows = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
    found = []
    shown = sys.stderr if options.json == Path("-") else sys.stdout
    print("| model | SCV | places | used | formula | run | off |\n|---|---|---|---|---|---|---|", file=shown)
    for model in MODELS:
        samples = [float(row[model]) / 240 for row in rows if float(row[model]) > 0]
        for each in measured(model, samples, options.requests):
            found.append(each)
            told = f"{each['formula_s']:.4f} s | {each['run_s']:.4f} ± {each['error_s']:.4f} s | {each['off']:+.1%}"
            place = f"{each['places']} | {each['used']:.0%}"
            print(f"| {model} | {each['scv']:.2f} | {place} | {told} |", file=shown, flush=True)
    if options.json:
        text = json.dumps(found, indent=1) + "\n"
        sys.stdout.write(text) if options.json == Path("-") else options.json.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
