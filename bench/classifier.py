"""Measures the classifier on the routing benchmark: the shipped head on test, and refits without sources of train.

    python bench/classifier.py --data ../shared/data                    the shipped head
    python bench/classifier.py --data ../shared/data --encoders DIR     and what it is without each source
    python bench/classifier.py --data ../shared/data --only robustness,speed

In-source accuracy is no evidence, so the figures on left-out sources stand beside it. Not the head alone is refitted
without them: DIR holds encoders tuned without them too (``training/encoder.py`` with ``--folds 4``). A fold leaves out
several sources at once, which is harder than leaving out one. ``--json FILE`` keeps the figures. What each figure is
stands in ``bench/measures``, one measure a file.
"""

# ruff: noqa: E402 - the number of threads must be set before numpy is imported

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"):
    os.environ.setdefault(variable, "1")  # one core, as the latency figures say

from measures import held_out, robustness, rows, unseen
from measures.clinc150 import of_out_of_scope
from measures.conversations import of_conversations
from measures.few_shot import of_few_shot
from measures.judged import judge_with
from measures.languages import of_whole_requests
from measures.left_out import of_left_out_sources
from measures.speed import of_speed

from moslm.models.classifiers import artefact
from moslm.models.classifiers.encoder import EncoderClassifier
from moslm.models.classifiers.head import Head

EVERY = 8
"""Of the requests that are changed every eighth is asked: each is asked some twenty times, also behind a long log."""


@dataclass
class Measured:
    """What the measures work on, read once."""

    data: Path
    split: str
    encoders: Path | None
    every: int

    @cached_property
    def head(self) -> Head:
        """The shipped head."""
        return artefact.read(artefact.SHIPPED)

    @cached_property
    def records(self) -> list[rows.Record]:
        """Every row of the split."""
        return rows.split(self.data, self.split)

    @cached_property
    def requests(self) -> list[str]:
        """The texts that people wrote about one domain."""
        return [record["text"] for record in rows.natural(self.records)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--split", default="test", choices=("dev", "test"))
    parser.add_argument("--encoders", type=Path, help="encoders tuned without sources of train; none: not measured")
    parser.add_argument("--only", help=f"measures to take, separated by commas: {', '.join(MEASURES)}")
    parser.add_argument("--every", type=int, default=EVERY, help="which of the requests are asked with changes")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    names = options.only.split(",") if options.only else list(MEASURES)
    if unknown := [name for name in names if name not in MEASURES]:
        parser.exit(2, f"no measure is called {unknown[0]}: {', '.join(MEASURES)}\n")
    if not (options.data / "moslm-route").is_dir():
        parser.exit(2, f"no moslm-route in {options.data}: nothing can be measured\n")
    of = Measured(options.data, options.split, options.encoders, options.every)
    figures: dict[str, Any] = {"head": of.head.version, "split": of.split}
    for name in names:
        started = time.perf_counter()
        figures |= MEASURES[name](of)
        print(f"{name}: {time.perf_counter() - started:.0f} s", file=sys.stderr, flush=True)
    print(json.dumps(figures, indent=2))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def _robustness(of: Measured) -> dict[str, Any]:
    found = robustness.of_changes(judge_with(of.head), of.requests[:: of.every], of.head.labels, robustness.changes())
    return {"robustness": found}


def _left_out(of: Measured) -> dict[str, Any]:
    return {"left_out": of_left_out_sources(of.data, of.encoders)} if of.encoders else {}


MEASURES: dict[str, Callable[[Measured], dict[str, Any]]] = {
    "held_out": lambda of: held_out.of_classifier(of.head, of.records),
    "wishes": lambda of: {"wishes": held_out.of_wishes(of.records)},
    "unseen": lambda of: {"unseen": {"several_domains": unseen.of_parts(of.head), "wishes_f1": unseen.of_wishes()}},
    "clinc150": lambda of: {"clinc150": of_out_of_scope(of.data)},
    "few_shot": lambda of: {"few_shot": of_few_shot(of.head, of.data)},
    "conversations": lambda of: {"conversations": of_conversations(EncoderClassifier(of.head), of.data)},
    "robustness": _robustness,
    "languages": lambda of: {"languages": of_whole_requests(judge_with(of.head))},
    "speed": lambda of: {"speed": of_speed(of.requests)},
    "left_out": _left_out,
}
"""Every measure by name, in the order in which they are taken."""


if __name__ == "__main__":
    main()
