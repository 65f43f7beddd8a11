"""The verbs of ``moslm eval`` that compare and replay, each by its own module."""

import argparse
import json
from types import ModuleType

import pytest
from decision_samples import a_decision, an_unsure_decision

from moslm.cli import eval_compare, eval_replay
from moslm.errors import ConfigError
from moslm.evals.outcomes import Outcome


def ran(module: ModuleType, *arguments: object) -> int:
    parser = argparse.ArgumentParser()
    module.arguments(parser)
    return module.run(parser.parse_args([str(each) for each in arguments]))


@pytest.fixture
def a_run(tmp_path):
    def write(name: str, **points: float):
        folder = tmp_path / name
        folder.mkdir()
        lines = [
            Outcome(suite="s", case=str(n), group=str(n), system=system, ending="right", score=score, usd=0.01)
            for system, score in points.items()
            for n in range(30)
        ]
        (folder / "outcomes.jsonl").write_text("".join(each.model_dump_json() + "\n" for each in lines))
        return folder

    return write


def test_two_runs_are_compared(a_run, capsys) -> None:
    assert ran(eval_compare, a_run("old", moslm=0.0), a_run("new", moslm=1.0), "--margin", "0.05") == 0
    out = capsys.readouterr().out
    assert "better" in out
    assert "no difference found" in out


def test_one_run_is_held_against_all_three_baselines_and_a_missing_one_is_named(a_run, capsys) -> None:
    assert ran(eval_compare, a_run("run", moslm=1.0, large=1.0, small=0.0)) == 1
    assert "No outcomes of ungated: nothing is said against it." in capsys.readouterr().out


def test_comparisons_come_as_json_too(a_run, capsys) -> None:
    assert ran(eval_compare, a_run("run", moslm=1.0, large=1.0, small=0.0, ungated=0.0), "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert [each["first"] for each in found["comparisons"]] == ["large", "small", "ungated"]


def test_a_system_without_outcomes_and_a_margin_of_nothing_are_refused(a_run) -> None:
    run = a_run("run", moslm=1.0)
    with pytest.raises(ConfigError, match="one of: moslm"):
        ran(eval_compare, run, run, "--system", "large")
    with pytest.raises(ConfigError, match="must be more than 0"):
        ran(eval_compare, run, run, "--margin", "0")


def test_the_log_is_replayed_under_another_threshold(tmp_path, capsys) -> None:
    file = tmp_path / "log.jsonl"
    rows = [a_decision(id="a"), an_unsure_decision(id="b"), an_unsure_decision(id="c", thread_id="t")]
    file.write_text("".join(json.dumps(each.plain()) + "\n" for each in rows))
    assert ran(eval_replay, file, "--set", "defaults.threshold=0.6") == 0
    out = capsys.readouterr().out
    assert "Requests that go another way: 2 escalated > local." in out
    assert "33.3%" in out
    assert ran(eval_replay, file, "--set", "domains.finance.threshold=0.6", "--json") == 0
    assert json.loads(capsys.readouterr().out)["moved"] == {"escalated > local": 2}
