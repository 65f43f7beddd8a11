"""What a tracker is told holds figures, names and ids, and no text unless somebody said so."""

from __future__ import annotations

import json
import sys

from hypothesis import given
from hypothesis import strategies as st

from moslm.evals.outcomes import Outcome
from moslm.evals.running.folder import read_run
from moslm.evals.trackers import TRACKERS
from moslm.evals.trackers.account import account_of, without_texts


def test_no_text_is_told_unless_asked_for(run_of_canaries, canaries):
    plain = account_of(read_run(run_of_canaries), run_of_canaries)
    told = b"".join(plain.files.values()) + json.dumps([dict(plain.params), dict(plain.metrics)]).encode()
    told += json.dumps([plain.told(each) for each in plain.outcomes]).encode()
    assert [each for each in canaries if each in told] == []
    whole = account_of(read_run(run_of_canaries), run_of_canaries, with_texts=True)
    told = b"".join(whole.files.values())
    assert [each for each in canaries if each not in told] == [b"CANARY-QUESTION"]  # it is in the suite


def test_every_figure_is_told_with_its_interval_and_its_n(run_of_canaries):
    metrics = account_of(read_run(run_of_canaries), run_of_canaries).metrics
    assert metrics["moslm/all/accuracy"] == metrics["moslm/mine/accuracy"] == 0.5
    assert metrics["moslm/all/accuracy.low"] < 0.5 < metrics["moslm/all/accuracy.high"]
    assert metrics["moslm/all/accuracy.n"] == 2
    assert metrics["large/all/accuracy"] == 1
    assert "moslm/all/satisfaction" not in metrics


def test_how_the_run_was_called_is_not_told(run_of_canaries):
    params = account_of(read_run(run_of_canaries), run_of_canaries).params
    assert params["config_sha256"] == "c"
    assert params["systems"] == "moslm"
    assert not any("command" in name for name in params)


def test_a_field_that_outcomes_gain_is_not_told_until_it_is_listed():
    numbers = dict.fromkeys(["score", "confidence", "threshold", "draft_score", "usd", "total_ms", "classify_ms"], 1.0)
    numbers |= dict.fromkeys(["first_token_ms", "input_tokens", "output_tokens"], 1)
    names = dict.fromkeys(["suite", "case", "group", "system", "domain", "routed_to", "answer", "why"], "x")
    outcome = Outcome(ending="right", way="local", graded_usd=1.0, decision={"a": 1}, **numbers, **names)
    assert outcome.model_fields_set | {"tags"} == set(Outcome.model_fields)
    assert set(Outcome.model_fields) - set(without_texts(outcome)) == {"answer", "why", "decision"}


WORDS = st.text(min_size=1, max_size=20)


@given(
    st.fixed_dictionaries({name: WORDS for name in ("answer", "why")}),
    st.dictionaries(st.sampled_from(["review_why", "expected_before", "note"]) | WORDS.map("x".__add__), WORDS),
    st.dictionaries(WORDS, WORDS | st.dictionaries(WORDS, WORDS)),
)
def test_whatever_words_an_outcome_holds_none_is_told(words, tags, decision):
    def with_canary(value):
        return (
            {name: with_canary(each) for name, each in value.items()} if isinstance(value, dict) else f"{value}CANARY"
        )

    outcome = Outcome(
        **{**with_canary(words), "suite": "s", "case": "1", "group": "1", "system": "moslm", "ending": "right"},
        tags=with_canary(tags),
        decision=with_canary(decision),
    )
    assert "CANARY" in outcome.model_dump_json()
    assert "CANARY" not in json.dumps(without_texts(outcome))


def test_a_tracker_whose_packages_are_missing_names_its_extra(run_of_canaries, command, monkeypatch, capsys):
    for name, (module, extra) in TRACKERS.items():
        if extra is not None:
            monkeypatch.delitem(sys.modules, module, raising=False)
            monkeypatch.setitem(sys.modules, "mlflow" if name == "mlflow" else name, None)
            monkeypatch.setitem(sys.modules, "mlflow.exceptions", None)
            monkeypatch.delitem(sys.modules, "moslm.evals.trackers.store", raising=False)
            assert command("track", run_of_canaries, "--to", name) == 2
            assert f"pip install 'moslm[{extra}]'" in capsys.readouterr().err


def test_a_run_that_is_not_finished_is_kept_nowhere(run_of_canaries, command, capsys):
    (run_of_canaries / "finished.json").unlink()
    assert command("track", run_of_canaries, "--to", "langsmith") == 2
    assert "is not finished; run it again; it goes on" in capsys.readouterr().err


def test_an_unknown_tracker_is_named(run_of_canaries, command, capsys):
    assert command("track", run_of_canaries, "--to", "neptune") == 2
    assert "--to = 'neptune': no such tracker; one of: mlflow, wandb, langsmith" in capsys.readouterr().err
