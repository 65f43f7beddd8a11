"""What the guides show runs, and what they name is there."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

from moslm.evals.cases import Case
from moslm.evals.gate import Gate
from moslm.evals.graders import GRADERS
from moslm.evals.metrics import METRICS
from moslm.evals.outcomes import Outcome
from moslm.evals.suites.reading import Head

GUIDES = Path(__file__).resolve().parents[2] / "docs/guides"
EVALUATING = (GUIDES / "evaluating.md").read_text(encoding="utf-8")


def blocks(text, language):
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def test_the_metric_and_the_grader_of_the_guide_work():
    made = {}
    for block in blocks((GUIDES / "add-a-metric.md").read_text(encoding="utf-8"), "python"):
        exec(compile(block, "add-a-metric.md", "exec"), made)
    said = [
        Outcome(suite="s", case=str(i), group=str(i), system="moslm", ending="right", answer="a b c") for i in range(3)
    ]
    assert made["median_words"](said).value == 3
    grade = made["starts_with"](Case(id="1", question="?", expected="It"))
    assert [grade(text).ending for text in ("It is.", "No.", " ")] == ["right", "wrong", "unparsed"]


def test_the_suite_and_the_gate_of_the_guide_stand():
    head, gate = blocks(EVALUATING, "toml")
    assert Head.model_validate(tomllib.loads(head)).grader == "number"
    assert Gate.model_validate(tomllib.loads(gate)).targets[0].by == "low"
    for line in blocks(EVALUATING, "json")[0].splitlines():
        case = Case.model_validate(json.loads(line))
        assert case.only_routed or GRADERS["number"](case)("95").ending == "right"


def test_the_guide_names_every_grader_and_every_metric():
    for name in [*GRADERS, *METRICS]:
        assert f"`{name}`" in EVALUATING, name


def test_the_output_of_the_guide_shows_every_metric():
    shown = EVALUATING.split("<!-- output -->")[1].split("<!-- /output -->")[0]
    assert all(f"\n{name} " in shown for name in METRICS)
