"""Labelled questions: fair patterns, strict grading, answers that are kept, halves that never share a group."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from moslm import Config, ScriptedChatModel
from moslm.errors import ConfigError
from moslm.escalation.calibration.artefact import read_calibration
from moslm.evals.answers import ask_all
from moslm.evals.calibrating import halves
from moslm.evals.questions import Question, is_right, read_questions
from moslm.graph.parts import Overrides, build_parts

ROOT = Path(__file__).resolve().parents[2]
HANDBOOK = sorted((ROOT / "calibration/handbook").glob("*.jsonl"))
SHIPPED = ROOT / "src/moslm/escalation/calibration/shipped/smollm2-135m-instruct.json"


def question(accept, **changes):
    return Question.model_validate({"question": "?", "domain": "finance", "accept": accept, "group": "g", **changes})


@pytest.mark.parametrize(
    ("accept", "answer", "right"),
    [
        ([140], "Up to 140 euros.", True),
        ([140], "Up to 1,140 euros.", False),
        ([1500], "1,500 euros a month", True),
        ([9], "above nine hours", True),
        ([0.38], "0.380 euros", True),
        ([{"number": 140, "tolerance": 5}], "about 144", True),
        ([{"number": 140, "tolerance": 5}], "about 146", False),
        (["finance director"], "The Finance  Director.", True),
        (["tally"], "Totally.", False),
        ([["tuesday", "monday"], "thursday"], "On Tuesdays and Thursdays", True),
        ([["tuesday", "monday"], "thursday"], "On Tuesdays", False),
        ([{"regex": r"\b14[.:]00\b"}], "by 14.00", True),
        ([140], "I do not know; it may be 140.", False),
    ],
)
def test_an_answer_is_right_when_every_fact_stands_in_it(accept, answer, right):
    assert is_right(question(accept), answer) is right


def test_a_rejected_fact_makes_an_answer_wrong():
    assert not is_right(question([30], reject=[60]), "30 or 60 days")


def test_what_cannot_be_answered_is_right_only_when_declined():
    unanswerable = question([], answerable=False)
    assert is_right(unanswerable, "I do not know; please ask the team.")
    assert not is_right(unanswerable, "5 euros.")


@pytest.mark.parametrize(
    "line",
    ["{", "[]", '{"question": "?"}', '{"question": "?", "domain": "d", "group": "g"}', '{"accept": [{"regex": "("}]}'],
)
def test_a_line_that_cannot_be_graded_is_named(tmp_path, line):
    file = tmp_path / "q.jsonl"
    file.write_text(f"\n{line}\n")
    with pytest.raises(ConfigError, match=r"q\.jsonl:2"):
        read_questions(file)


@pytest.mark.parametrize("file", HANDBOOK, ids=lambda file: file.stem)
def test_every_accepted_fact_stands_in_its_section_of_the_handbook(file):
    sections = {}
    for page in (ROOT / "src/moslm/domains" / file.stem / "knowledge").glob("*.md"):
        for section in re.split(r"(?m)^## ", page.read_text(encoding="utf-8"))[1:]:
            title, _, text = section.partition("\n")
            sections[f"{page.stem}#{title}"] = text
    questions = read_questions(file)
    assert len(questions) >= 120
    assert 0.25 < sum(not each.answerable for each in questions) / len(questions) < 0.45
    assert {each.group for each in questions} == set(sections)
    assert not [q.question for q in questions if q.answerable and not is_right(q, "Notes: " + sections[q.group])]


def test_the_questions_differ():
    asked = Counter(each.question.lower() for file in HANDBOOK for each in read_questions(file))
    assert max(asked.values()) == 1


def parts(replies, **changes):
    model = ScriptedChatModel(replies=replies, **changes)
    settings = Config.model_validate({"defaults": {"use_tools": "never"}})
    return build_parts(settings, Overrides(models={"finance": model})), model


def test_answers_are_kept_and_not_asked_for_again(tmp_path):
    questions = [question([40], question=f"What is fee {i}?") for i in range(4)]
    made, model = parts(["40 euros", "50 euros", "I do not know.", " "])
    first = ask_all(made, questions, tmp_path / "kept.jsonl")
    assert [each.outcome for each in first] == ["right", "wrong", "declined", "failed"]
    with (tmp_path / "kept.jsonl").open("a") as file:
        file.write('{"key": "cut o')
    again = ask_all(made, questions, tmp_path / "kept.jsonl")
    assert len(model.calls) == 4
    assert [each.draft for each in again] == [each.draft for each in first]


def test_halves_share_no_group(tmp_path):
    questions = [question([40], question=f"{i}?", group=f"g{i // 3}") for i in range(60)]
    made, _ = parts(["40 euros"])
    one, other = halves(ask_all(made, questions, tmp_path / "kept.jsonl"))
    assert not {each.question.group for each in one} & {each.question.group for each in other}
    assert len(one) == len(other) == 30


def test_one_s_own_model_is_calibrated_by_one_command_and_then_trusted(tmp_path, capsys):
    from moslm.cli import main

    lines, replies = [], []
    for i in range(120):
        lines.append({"question": f"Fee {i}?", "domain": "finance", "accept": [i + 1000], "group": f"g{i}"})
        replies.append(f"It is {i + 1000 if i % 3 else 7} euros.")
    (tmp_path / "q.jsonl").write_text("\n".join(map(json.dumps, lines)))
    settings = {"kind": "scripted", "name": "mine", "replies": replies}
    written = "[domains.finance]\nuse_tools = 'never'\n[domains.finance.model]\n" + "\n".join(
        f"{key} = {json.dumps(value)}" for key, value in settings.items()
    )
    (tmp_path / "moslm.toml").write_text(written)
    arguments = ["calibrate", "--config", str(tmp_path / "moslm.toml"), "--questions", str(tmp_path / "q.jsonl")]
    code = main([*arguments, "--out", str(tmp_path / "out"), "--signals", "mean", "brevity", "--json"])
    assert code == 0
    report = json.loads(capsys.readouterr().out)[0]
    outcomes = report["domains"]["all"]["outcomes"]
    assert set(outcomes) == {"right", "wrong"}
    assert sum(outcomes.values()) == 60
    made = read_calibration(tmp_path / "out/mine.json")
    assert made.version == report["version"]
    assert made.probability("finance", {"mean": 0.9, "brevity": 0.9}) == pytest.approx(2 / 3, abs=0.15)


def test_the_shipped_calibration_is_of_the_pinned_weights_and_says_what_its_report_says():
    from moslm.models.weights.catalog import PINNED

    made = read_calibration(SHIPPED)
    report = json.loads((ROOT / "calibration/handbook/report.json").read_text(encoding="utf-8"))[0]
    assert made.revision == PINNED[made.model].sha256
    assert set(made.calibrators) == {"finance", "it_support", "customer_service"}
    assert (made.version, list(made.signals)) == (report["version"], report["signals"])
    assert made.figures[""].calibration_error == pytest.approx(report["domains"]["all"]["calibration_error"])
    assert made.figures[""].calibration_error < report["calibration_error_of_chance"] + 0.05
