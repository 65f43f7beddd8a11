"""The same answers go through an annotation queue of LangSmith, as blind as a sheet, and come back as ratings."""

from __future__ import annotations

import pytest

from moslm.evals.people.ratings import read_ratings

pytestmark = pytest.mark.loopback

ANSWERS = {
    "a": {"moslm": {"answer": "It is 140."}},
    "b": {"moslm": {"answer": "It is 95.", "ending": "wrong", "score": 0.0, "way": "escalated"}},
}


def test_a_queue_holds_every_answer_and_a_rubric_and_nothing_that_unblinds(write_run, command, smith):
    folder = write_run(ANSWERS)
    assert command("export", folder, "--langsmith", "june", "--with-texts") == 0
    runs = list(smith.runs.values())
    assert {each["outputs"]["answer"] for each in runs} == {"It is 140.", "It is 95."}
    assert smith.queued == [each["id"] for each in runs]
    assert [each["feedback_key"] for each in smith.queues[0]["rubric_items"]] == ["moslm_verdict", "moslm_satisfaction"]
    labels = [each["label"] for each in smith.configs[0]["feedback_config"]["categories"]]
    assert labels == ["right", "partly", "wrong", "cannot tell"]
    for hidden in (b"escalated", b'"large"', b"expected", b'"score"'):
        assert hidden not in smith.raw
    assert smith.strange == []
    assert command("export", folder, "--langsmith", "june", "--with-texts") == 2


def test_feedback_comes_back_as_ratings_and_what_is_amiss_is_named(write_run, answered, command, smith, capsys):
    folder = write_run(ANSWERS)
    command("export", folder, "--langsmith", "june", "--with-texts")
    runs = {each["outputs"]["answer"]: each["id"] for each in smith.runs.values()}
    first, second = runs["It is 140."], runs["It is 95."]
    smith.said(first, "moslm_verdict", "Ana", score=0.0, value="right", comment="As the page says.")
    smith.said(first, "moslm_satisfaction", "Ana", score=5.0)
    smith.said(first, "moslm_verdict", "Ben", score=1.0)
    smith.said(second, "moslm_verdict", "Ana", score=2.0, correction={"answer": "140"})
    smith.said(second, "moslm_verdict", "Ben", score=7.0)
    assert command("import", folder, "--langsmith", "june") == 1
    assert "verdict = '7.0': is no verdict" in capsys.readouterr().err
    told = {(each.case, each.rater): each for each in read_ratings(folder)}
    assert {place: each.verdict for place, each in told.items()} == {
        ("a", "Ana"): "right",
        ("a", "Ben"): "partly",
        ("b", "Ana"): "wrong",
    }
    assert (told["a", "Ana"].satisfaction, told["a", "Ana"].comment) == (5, "As the page says.")
    assert told["b", "Ana"].correction == "140"


def test_a_key_that_is_missing_is_told(write_run, command, monkeypatch, capsys):
    monkeypatch.delenv("LANGSMITH_API_KEY", raising=False)
    assert command("export", write_run(ANSWERS), "--langsmith", "june", "--with-texts") == 2
    assert "environment: LANGSMITH_API_KEY: is missing" in capsys.readouterr().err


def test_a_server_that_is_not_there_is_one_line(write_run, command, smith, monkeypatch, capsys):
    monkeypatch.setenv("LANGSMITH_ENDPOINT", "http://127.0.0.1:9")
    assert command("export", write_run(ANSWERS), "--langsmith", "june", "--with-texts") == 2
    assert "LangSmith did not take it" in capsys.readouterr().err
