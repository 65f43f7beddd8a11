"""LangSmith gets suites as datasets, runs as experiments and Decisions as feedback, and texts only when told to."""

from __future__ import annotations

import json
import uuid

import pytest

from moslm.decision import Decision
from moslm.errors import AuditError
from moslm.evals.langsmith_client import langsmith_client
from moslm.evals.running.configured import Configured
from moslm.evals.running.grading import Grading
from moslm.evals.suites.reading import read_suite
from moslm.evals.trackers.langsmith import evaluate_system, give_feedback
from moslm.graph.parts import Overrides, build_parts

pytestmark = pytest.mark.loopback


def test_a_run_is_an_experiment_of_each_system_over_a_dataset(run_of_canaries, command, smith, canaries, capsys):
    assert command("track", run_of_canaries, "--to", "langsmith", "--project", "pilot") == 0
    assert [each["name"].split()[:2] for each in smith.datasets] == [["pilot", "mine"]]
    assert [each["inputs"] for each in smith.examples] == [
        {"suite": "mine", "case": "1"},
        {"suite": "mine", "case": "2"},
    ]
    assert [each["name"].rpartition("-")[0] for each in smith.projects if each["reference_dataset_id"]] == [
        "pilot moslm",
        "pilot large",
    ]
    given = {(each["key"], each.get("value", each.get("score"))) for each in smith.feedback}
    assert ("moslm_ending", "wrong") in given
    assert ("moslm_outcome", "answered") in given
    assert [each for each in canaries if each in smith.raw] == []
    assert smith.strange == []
    assert [each.get("error") for each in smith.runs.values()] == [None] * len(smith.runs)
    asked = [
        (each["inputs"]["case"], each["session_name"].rpartition("-")[0])
        for each in smith.runs.values()
        if each.get("reference_example_id")
    ]
    assert asked == [("1", "pilot moslm"), ("2", "pilot moslm"), ("1", "pilot large")]
    assert "3 outcomes, no texts: the experiments pilot moslm-" in capsys.readouterr().out


def test_texts_go_along_when_somebody_says_so(run_of_canaries, command, smith):
    assert command("track", run_of_canaries, "--to", "langsmith", "--with-texts") == 0
    assert b"CANARY-QUESTION" in smith.raw
    assert b"CANARY-ANSWER" in smith.raw
    assert smith.examples[0]["outputs"] == {"expected": 140}


def test_a_dataset_is_made_once(run_of_canaries, command, smith):
    command("track", run_of_canaries, "--to", "langsmith")
    command("track", run_of_canaries, "--to", "langsmith")
    assert len(smith.datasets) == 1
    assert len(smith.examples) == 2


def test_the_graph_is_evaluated_and_none_of_its_steps_sends_a_text(smith, tmp_path, scripted, chosen, monkeypatch):
    monkeypatch.setenv("LANGSMITH_TRACING", "true")
    (tmp_path / "s.toml").write_text('name = "s"\nabout = "S."\nlicence = "Apache-2.0"\ngrader = "number"\n')
    (tmp_path / "s.jsonl").write_text(
        '{"id": "1", "question": "What is my budget, CANARY-QUESTION?", "expected": 42}\n'
    )
    models = {"finance": scripted("It is 42, CANARY-ANSWER.")}
    parts = build_parts(None, Overrides(models=models, classifier=chosen()))
    system = Configured(parts, "run")
    name = evaluate_system(langsmith_client(), read_suite(tmp_path / "s.toml"), system, Grading())
    assert name.startswith("moslm moslm-")
    given = {each["key"]: each.get("value", each.get("score")) for each in smith.feedback}
    assert (given["moslm_ending"], given["moslm_domain"]) == ("right", "finance")
    assert b"CANARY" not in smith.raw


def test_what_ends_a_run_is_raised_and_its_words_are_not_sent(smith, tmp_path):
    class Stops:
        name = "stops"
        routes = False

        def answer(self, suite, case):
            raise AuditError(f"the log is full, {case.question}")

    (tmp_path / "s.toml").write_text('name = "s"\nabout = "S."\nlicence = "Apache-2.0"\n')
    cases = [{"id": id, "question": "CANARY?", "expected": "x"} for id in "12"]
    (tmp_path / "s.jsonl").write_text("".join(json.dumps(each) + "\n" for each in cases))
    with pytest.raises(AuditError, match="the log is full"):
        evaluate_system(langsmith_client(), read_suite(tmp_path / "s.toml"), Stops(), Grading())
    assert b"CANARY" not in smith.raw
    assert {each["value"] for each in smith.feedback} == {"failed"}


def test_a_decision_is_feedback_on_the_run_of_its_request(smith, decision):
    run = uuid.uuid4()
    give_feedback(langsmith_client(), Decision.model_validate(decision), run, uuid.uuid4())
    assert {each["run_id"] for each in smith.feedback} == {str(run)}
    given = {each["key"]: each.get("value", each.get("score")) for each in smith.feedback}
    assert given["moslm_confidence"] == pytest.approx(0.95)
    assert given["moslm_outcome"] == "answered"
    assert b"CANARY" not in smith.raw


def test_an_address_is_not_an_option_of_langsmith(run_of_canaries, command, smith, capsys):
    assert command("track", run_of_canaries, "--to", "langsmith", "--at", "http://x") == 2
    assert "set LANGSMITH_ENDPOINT" in capsys.readouterr().err
