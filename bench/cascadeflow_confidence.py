"""What cascadeflow's own estimators say of every case of the recorded tables; written down for `bench/results.py`.

    build/routing/bin/python bench/cascadeflow_confidence.py --out docs/results/cascadeflow.json

Two of them. ANSWER is `ProductionConfidenceEstimator`, which judges an answer: only MMLU-Pro's table says what was
answered, as a letter, so it reads "The answer is (B). <text of option B>" with the question and its options; there are
no log-probabilities to give it. REQUEST is `ComplexityDetector`, which its pre-router goes by: it reads the request
alone, so it judges every table; the simpler, the surer, and within a class the surer of it the better.

Runs in an environment of its own (docs/guides/compare-routers.md), with the package as it is on PyPI.
"""

from __future__ import annotations

import argparse
import json
import logging
from importlib.metadata import version
from pathlib import Path

from tqdm import tqdm

from moslm.evals.tables import TABLES, Assumptions
from moslm.evals.tables.recorded import RecordedTable

_ANSWERED_BY = "Meta-Llama-3_1-8B-Instruct"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_CLASSES = ("expert", "hard", "moderate", "simple", "trivial")


def of_answers(table: RecordedTable) -> list[float]:
    from cascadeflow.quality.confidence import ProductionConfidenceEstimator

    assert table.choices is not None
    estimator = ProductionConfidenceEstimator("vllm")
    column, found = table.choices.column(_ANSWERED_BY), []
    for row, question in enumerate(tqdm(table.choices.questions, desc=table.name, disable=None)):
        options = "\n".join(f"{_LETTERS[i]}. {text}" for i, text in enumerate(question.options))
        place = int(table.choices.chosen[row, column])
        answer = f"The answer is ({_LETTERS[place]}). {question.options[place]}" if place >= 0 else ""
        said = estimator.estimate(answer, query=f"{question.text}\n{options}", finish_reason="stop")
        found.append(round(float(said.final_confidence), 4))
    return found


def of_requests(table: RecordedTable) -> list[float]:
    from cascadeflow.quality.complexity import ComplexityDetector

    detector, found = ComplexityDetector(), []
    for case in tqdm(table.cases, desc=table.name, disable=None):
        complexity, confidence = detector.detect(case.text)
        place = _CLASSES.index(complexity.value)
        within = float(confidence) if place > 2 else 1 - float(confidence) if place < 2 else 0.5
        found.append(round((place + within) / len(_CLASSES), 4))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, default=Path("docs/results/cascadeflow.json"))
    options = parser.parse_args()
    logging.getLogger("cascadeflow").setLevel(logging.ERROR)
    tables = {name: read(options.data, Assumptions()) for name, read in TABLES.items()}
    written = {
        "cascadeflow": version("cascadeflow"),
        "answered_by": _ANSWERED_BY,
        "answer": {"mmlu_pro_models": of_answers(tables["mmlu_pro_models"])},
        "request": {name: of_requests(table) for name, table in tables.items()},
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(written, separators=(",", ":")) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
