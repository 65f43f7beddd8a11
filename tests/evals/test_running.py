"""A run asks each case once, keeps what came of it at once, goes on where it was killed, and takes no other's place."""

from __future__ import annotations

import json
import os
from collections import Counter

import pytest

from moslm import ScriptedChatModel
from moslm.errors import AuditError, ConfigError
from moslm.evals.cases import Case
from moslm.evals.graders.rubric import Said
from moslm.evals.metrics import METRICS
from moslm.evals.running.configured import Configured
from moslm.evals.running.direct import Direct, large_model
from moslm.evals.running.folder import opened, read_run
from moslm.evals.running.grading import Grading
from moslm.evals.running.plan import Plan, chosen, evaluate
from moslm.evals.running.small import single, ungated
from moslm.evals.running.systems import Answered, key_of
from moslm.evals.suites import find_suites
from moslm.evals.suites.suite import Suite
from moslm.graph.parts import Overrides, build_parts

CONFIG = """
[defaults]
confidence = "mean"
use_tools = "never"

[defaults.model]
kind = "scripted"
name = "small-one"
replies = ["The limit is 140 euros."]
confidence = {confidence}

[large_model]
max_usd_per_day = 5000
max_calls_per_day = 100000
requests_per_minute = 100000
[large_model.model]
kind = "scripted"
name = "large-one"
replies = ["It is 95 euros."]

[prices]
small-one = {{ input = 0.1, output = 0.1 }}
large-one = {{ input = 10.0, output = 10.0 }}
"""


def suite(*cases, name="mine"):
    return Suite(name, "Mine.", "Apache-2.0", tuple(cases))


def case(number, expected=140, **fields):
    made = {"id": str(number), "question": f"What is the limit for a hotel, room {number}?", "domain": "finance"}
    return Case.model_validate({**made, "expected": expected, "grader": "number", "group": str(number), **fields})


@pytest.fixture
def config(tmp_path):
    def write(confidence=0.95, more=""):
        file = tmp_path / "moslm.toml"
        file.write_text(CONFIG.format(confidence=confidence) + more)
        return str(file)

    return write


def run(plan, out, **options):
    return evaluate(plan, out, step=options.pop("step", lambda outcome: None), **options)


def test_the_configured_graph_is_asked_and_its_decision_read(config, tmp_path):
    found = run(Plan([suite(case(1))], config(), systems=("moslm",)), tmp_path / "run").outcomes[0]
    assert (found.ending, found.way, found.routed_to, found.answer) == (
        "right",
        "local",
        "finance",
        "The limit is 140 euros.",
    )
    assert found.draft_score == 1.0
    assert found.usd > 0
    assert found.decision["tenant"] == "evaluation"
    assert found.classify_ms < found.total_ms
    assert found.confidence == pytest.approx(0.95)


def test_the_draft_of_what_went_up_is_graded_and_never_in_the_decision(config, tmp_path):
    found = run(Plan([suite(case(1), case(2, expected=95))], config(confidence=0.3)), tmp_path / "run").outcomes
    assert [each.way for each in found] == ["escalated"] * 2
    assert [each.draft_score for each in found] == [1.0, 0.0]
    assert [each.ending for each in found] == ["wrong", "right"]
    assert "The limit" not in json.dumps(found[0].decision)
    assert METRICS["escalation_precision"](found).value == 0.5


def test_all_arms_of_one_configuration_answer_the_same_cases(config, tmp_path):
    plan = Plan([suite(case(1), case(2))], config(confidence=0.3), systems=("moslm", "large", "small", "ungated"))
    found = run(plan, tmp_path / "run").outcomes
    ways = {each.system: each.way for each in found}
    assert ways == {"moslm": "escalated", "large": "escalated", "small": "local", "ungated": "local"}
    assert Counter(each.system for each in found) == dict.fromkeys(ways, 2)
    cost = {name: METRICS["cost_per_success"]([each for each in found if each.system == name]) for name in ways}
    assert cost["large"].value is None
    assert cost["ungated"].value > 0
    assert next(each for each in found if each.system == "ungated").routed_to == "finance"


def test_several_small_models_are_each_asked_as_the_only_one(config):
    more = '\n[domains.it_support.model]\nkind = "scripted"\nname = "small-two"\nreplies = ["No idea."]\n'
    parts = build_parts(config(more=more + "\n"))
    assert {each.name for each in single(parts, "run")} == {"small:small-one", "small:small-two"}
    assert ungated(parts, "run").answer("s", case(1)).text == "The limit is 140 euros."


def test_what_is_only_routed_is_put_to_no_model(chosen_parts):
    parts, models = chosen_parts({"finance": "x"})
    system = Configured(parts, "run")
    routed = Case(id="r", question="my budget", grader="routing", domain="finance", escalate=False)
    found = Grading().outcome("s", routed, "moslm", system.answer("s", routed))
    assert (found.ending, found.routed_to, found.tags["ordered"], found.way) == ("right", "finance", "answer", "none")
    wrong = Case(id="r", question="my laptop", grader="routing", domain="finance", escalate=True)
    found = Grading().outcome("s", wrong, "moslm", system.answer("s", wrong))
    assert (found.ending, found.why) == ("wrong", "taken for it_support; did not go up")
    assert not models["finance"].calls


@pytest.fixture
def chosen_parts(chosen):
    def build(replies, large=None, **settings):
        from moslm import Config

        models = {
            name: reply if isinstance(reply, ScriptedChatModel) else ScriptedChatModel(replies=[reply], confidence=0.95)
            for name, reply in replies.items()
        }
        made = Config.model_validate({"defaults": {"use_tools": "never", "confidence": "mean"}, **settings})
        return build_parts(made, Overrides(models=models, large_model=large, classifier=chosen())), models

    return build


def test_a_write_waits_for_nobody_and_is_not_made(chosen):
    from langchain_core.messages import AIMessage
    from langchain_core.tools import StructuredTool

    written = []

    def pay(amount: int) -> str:
        """Pay an amount."""
        written.append(amount)
        return "paid"

    tool = StructuredTool.from_function(pay, name="pay", metadata={"effect": "write"})
    call = AIMessage("", tool_calls=[{"name": "pay", "args": {"amount": 5}, "id": "1"}])
    model = ScriptedChatModel(replies=[call, "I could not pay."])
    from moslm import Config

    settings = Config.model_validate({"defaults": {"confidence": "mean"}, "domains": {"finance": {"tools": ["pay"]}}})
    given = Overrides(models={"finance": model}, tools=[tool], classifier=chosen())
    found = Configured(build_parts(settings, given), "run").answer("s", case(1, question="pay from my budget"))
    assert written == []
    assert found.decision is not None
    assert found.decision["reviews"][0]["decision"] == "reject"


def test_a_request_that_cannot_be_answered_is_right_when_it_is_handed_over(chosen_parts):
    parts, _ = chosen_parts({"finance": "I do not know; please ask."})
    unanswerable = case(1, question="my budget?", grader="facts", expected={"answerable": False})
    system = Configured(parts, "run")
    found = Grading().outcome("s", unanswerable, "moslm", system.answer("s", unanswerable))
    assert (found.ending, found.way, found.score) == ("right", "handed_over", 1.0)
    answerable = case(2, question="my budget?", grader="facts", expected={"accept": [140]})
    found = Grading().outcome("s", answerable, "moslm", system.answer("s", answerable))
    assert (found.ending, found.score, found.draft_score) == ("declined", None, 0.0)


def test_what_nobody_answered_because_a_model_failed_has_failed_and_was_not_declined(chosen_parts):
    from moslm.errors import BackendDown

    down = ScriptedChatModel(replies=[BackendDown("scripted", "nobody answers")])
    unanswerable = case(1, question="my budget?", grader="facts", expected={"answerable": False})
    for large in (None, down):
        parts, _ = chosen_parts({"finance": down}, large=large, prices={"scripted": {"input": 1, "output": 1}})
        found = Grading().outcome("s", unanswerable, "moslm", Configured(parts, "run").answer("s", unanswerable))
        assert (found.ending, found.way, found.score) == ("failed", "handed_over", None)
        assert found.why
    parts, _ = chosen_parts({"finance": "I do not know."}, large=down, prices={"scripted": {"input": 1, "output": 1}})
    found = Grading().outcome("s", unanswerable, "moslm", Configured(parts, "other").answer("s", unanswerable))
    assert found.ending == "failed"
    assert METRICS["availability"]([found]).value == 0


def test_a_failing_model_is_an_outcome_and_the_others_go_on(chosen_parts, tmp_path):
    from moslm.errors import BackendDown

    large = ScriptedChatModel(replies=[BackendDown("large", "nobody answers"), "140"])
    parts, _ = chosen_parts({"finance": "x"}, large=large, prices={"scripted": {"input": 1, "output": 1}})
    system = Direct("large", large_model(parts.large_model, parts.doors), "run", "escalated")
    found = [Grading().outcome("s", each, "large", system.answer("s", each)) for each in (case(1), case(2))]
    assert [each.ending for each in found] == ["failed", "right"]
    assert "nobody answers" in found[0].why
    assert found[0].usd is None


def test_what_a_cap_turns_away_is_refused(chosen_parts):
    large = ScriptedChatModel(replies=["140"])
    caps = {"caps": [{"usd": 0.0, "per": "model", "only": "scripted"}]}
    parts, _ = chosen_parts({"finance": "x"}, large=large, budgets=caps, prices={"scripted": {"input": 1, "output": 1}})
    found = Direct("large", large_model(parts.large_model, parts.doors), "run", "escalated").answer("s", case(1))
    assert (found.ending, found.usd) == ("refused", 0.0)


# --- the folder


def test_a_run_leaves_a_manifest_its_outcomes_and_a_mark(config, tmp_path):
    plan = Plan([suite(case(1), case(2))], config(), command=["moslm", "eval"], seed=3)
    made = run(plan, tmp_path / "run")
    told = json.loads((tmp_path / "run/manifest.json").read_text())
    assert told["suites"]["mine"]["cases"] == 2
    assert told["models"]["large-one"] == ""
    assert {"moslm", "langgraph", "python"} <= set(told["versions"])
    assert len((tmp_path / "run/outcomes.jsonl").read_text().splitlines()) == 2
    assert json.loads((tmp_path / "run/finished.json").read_text())["outcomes"] == 2
    again = read_run(tmp_path / "run")
    assert (again.outcomes, again.finished, again.manifest) == (made.outcomes, True, made.manifest)


def test_a_run_that_goes_on_asks_only_what_is_missing_and_pays_nothing_twice(config, tmp_path):
    plan = Plan([suite(*map(case, range(6)))], config(confidence=0.3))
    first = run(plan, tmp_path / "run").outcomes
    file = tmp_path / "run/outcomes.jsonl"
    lines = file.read_text().splitlines(keepends=True)
    # killed after the large model was paid for the sixth, and before that was written down; the fifth was cut off
    file.write_text("".join(lines[:4]) + lines[4][:50])
    (tmp_path / "run/finished.json").unlink()
    paid = ledger_total()
    seen = []
    again = run(plan, tmp_path / "run", step=seen.append)
    assert sum(each is None for each in seen) == 4
    assert len(seen) == 6
    assert "outcomes.jsonl:5 was cut off" in again.notice
    assert [each.answer for each in again.outcomes] == [each.answer for each in first]
    assert ledger_total() == paid
    assert len(file.read_text().splitlines()) == 6


def ledger_total():
    import sqlite3
    from contextlib import closing

    from moslm.config import home

    with closing(sqlite3.connect(home() / "ledger.sqlite")) as db:
        return db.execute("SELECT COUNT(*), SUM(nanos) FROM purchases").fetchone()


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"seed": 9}, "seed"),
        ({"sample": 1}, "data_sha256|sample"),
        ({"systems": ("moslm", "large")}, "systems"),
        ({"suites": [suite(case(1))]}, "data_sha256"),
    ],
)
def test_another_plan_may_not_take_a_runs_place(config, tmp_path, changed, told):
    plan = {"suites": [suite(case(1), case(2))], "config": config()}
    run(Plan(**plan), tmp_path / "run")
    before = (tmp_path / "run/outcomes.jsonl").read_text()
    with pytest.raises(ConfigError, match=rf"manifest\.json: ({told}): was begun with another"):
        run(Plan(**{**plan, **changed}), tmp_path / "run")
    assert (tmp_path / "run/outcomes.jsonl").read_text() == before


def test_another_configuration_may_not_take_a_runs_place(config, tmp_path):
    run(Plan([suite(case(1))], config()), tmp_path / "run")
    with pytest.raises(ConfigError, match="config_sha256: was begun with another"):
        run(Plan([suite(case(1))], config(confidence=0.5)), tmp_path / "run")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('{"suite": "mine"}\n', r"outcomes\.jsonl:2: is no outcome"),
        ("nonsense\n", r"outcomes\.jsonl:2: is no outcome"),
        (None, r"outcomes\.jsonl:2: the case 1 of mine has an outcome of moslm already"),
    ],
)
def test_a_line_that_cannot_be_read_is_refused_and_not_lost(config, tmp_path, line, told):
    plan = Plan([suite(case(1))], config())
    run(plan, tmp_path / "run")
    file = tmp_path / "run/outcomes.jsonl"
    held = file.read_text() + (line or file.read_text())
    file.write_text(held)
    with pytest.raises(ConfigError, match=told):
        run(plan, tmp_path / "run")
    assert file.read_text() == held


def test_a_folder_of_something_else_is_left_alone(config, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run/thesis.txt").write_text("mine")
    with pytest.raises(ConfigError, match=r"is no folder of a run: it holds thesis\.txt"):
        run(Plan([suite(case(1))], config()), tmp_path / "run")
    with pytest.raises(ConfigError, match="is no folder of a run"):
        read_run(tmp_path / "run")


def test_a_manifest_that_was_half_written_is_begun_anew_and_a_broken_one_is_named(config, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run/manifest.json.part").write_text('{"schema')
    plan = Plan([suite(case(1))], config())
    assert len(run(plan, tmp_path / "run").outcomes) == 1
    (tmp_path / "run/manifest.json").write_text('{"schema_version": 1}')
    with pytest.raises(ConfigError, match=r"manifest\.json: run: is no manifest"):
        run(plan, tmp_path / "run")


def test_two_processes_do_not_write_to_one_run(config, tmp_path):
    plan = Plan([suite(case(1))], config())
    made = run(plan, tmp_path / "run")
    with opened(tmp_path / "run", made.manifest), pytest.raises(ConfigError, match="another process is writing"):
        run(plan, tmp_path / "run")


def test_what_ends_a_run_loses_nothing(config, tmp_path, monkeypatch):
    plan, answer, asked = Plan([suite(*map(case, range(5)))], config()), Configured.answer, []

    def fails_at_the_third(self, suite, case):
        asked.append(case.id)
        if len(asked) == 3:
            raise AuditError("the audit log cannot be written")
        return answer(self, suite, case)

    monkeypatch.setattr(Configured, "answer", fails_at_the_third)
    with pytest.raises(AuditError):
        run(plan, tmp_path / "run")
    left = read_run(tmp_path / "run")
    assert (len(left.outcomes), left.finished) == (2, False)
    assert len(run(plan, tmp_path / "run").outcomes) == 5


def test_cases_are_asked_side_by_side_and_each_is_kept_once(config, tmp_path):
    made = run(Plan([suite(*map(case, range(30)))], config(), concurrency=8), tmp_path / "run")
    assert [each.case for each in made.outcomes] == [str(i) for i in range(30)]
    assert len(read_run(tmp_path / "run").outcomes) == 30


# --- recorded answers


def test_recorded_answers_are_graded_without_asking_anybody(tmp_path):
    file = tmp_path / "theirs.jsonl"
    file.write_text('{"id": "1", "answer": "140 euros", "usd": 0.01, "ms": 80}\n{"id": "2", "answer": "who knows"}\n')
    found = run(Plan([suite(case(1), case(2), case(3))], systems=(), answers=[file]), tmp_path / "run").outcomes
    assert [each.ending for each in found] == ["right", "unparsed", "failed"]
    assert [each.system for each in found] == ["theirs"] * 3
    assert (found[0].usd, found[0].total_ms, found[1].usd) == (0.01, 80, None)
    assert found[2].why == "theirs.jsonl holds no answer to it"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"id": "1", "answer": "a"}\n{"id": "1", "answer": "b"}', r"theirs\.jsonl:2: id = '1': is answered twice"),
        ('{"id": "1", "anser": "a"}', r"theirs\.jsonl:1: ans"),
        ('{"id": "1", "answer": "a", "usd": -1}', r"theirs\.jsonl:1: usd = -1"),
    ],
)
def test_a_recorded_answer_that_cannot_stand_is_named(tmp_path, text, told):
    (tmp_path / "theirs.jsonl").write_text(text)
    plan = Plan([suite(case(1))], systems=(), answers=[tmp_path / "theirs.jsonl"])
    with pytest.raises(ConfigError, match=told):
        run(plan, tmp_path / "run")


# --- judges


def test_a_judge_grades_rubrics_and_a_share_of_what_can_be_checked_and_its_price_is_apart(tmp_path):
    asked = []

    def judge(system, prompt, purpose):
        asked.append(purpose)
        return Said('{"score": 5, "why": "good"}', 0.002)

    grading = Grading(judge, checked=1.0)
    by_rubric = case(1, grader="rubric", expected="Is friendly.")
    answered = Answered("answered", text="Hello!", way="local", usd=0.1)
    found = grading.outcome("s", by_rubric, "moslm", answered)
    assert (found.ending, found.score, found.usd, found.graded_usd) == ("right", 1.0, 0.1, 0.002)
    assert found.tags["judged"] == "5"
    checked = grading.outcome("s", case(2), "moslm", Answered("answered", text="150", way="local", usd=0.1))
    assert (checked.ending, checked.tags["judged"], checked.graded_usd) == ("wrong", "5", 0.002)
    assert len(asked) == 2


def test_a_grade_that_was_paid_for_is_not_paid_again(config, tmp_path):
    judging = "\n[prices.judge]\ninput = 1.0\noutput = 1.0\n"
    (tmp_path / "judge.toml").write_text('kind = "scripted"\nname = "judge"\nreplies = [\'{"score": 4}\']\n')
    plan = Plan(
        [suite(case(1, grader="rubric", expected="Says it."))], config(more=judging), judge=str(tmp_path / "judge.toml")
    )
    found = run(plan, tmp_path / "run").outcomes[0]
    assert (found.ending, found.score) == ("right", 0.75)
    assert found.graded_usd > 0
    paid = ledger_total()
    (tmp_path / "run/outcomes.jsonl").write_text("")
    assert run(plan, tmp_path / "run").outcomes[0].score == 0.75
    assert ledger_total() == paid


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"systems": ("moslm", "hal")}, "no such system"),
        ({"systems": ()}, "nobody is asked"),
        ({"suites": [suite(case(1, grader="rubric", expected="Good."))]}, "--judge: is missing: mine/1"),
        ({"judge": "none.toml"}, "none.toml': cannot be read"),
        ({"config": None, "systems": ("large",)}, "there is no large model to compare with"),
    ],
)
def test_a_plan_that_cannot_stand_is_told_before_anybody_is_asked(config, tmp_path, options, told):
    plan = {"suites": [suite(case(1))], "config": config()}
    with pytest.raises(ConfigError, match=told):
        run(Plan(**{**plan, **options}), tmp_path / "run")


def test_a_sample_leaves_what_costs_nothing_whole():
    routed = [Case(id=f"r{i}", question="?", grader="routing", domain="finance") for i in range(10)]
    made = chosen([suite(*map(case, range(20)), *routed)], 5, 0)[0]
    assert sum(each.only_routed for each in made.cases) == 10
    assert len(made.cases) == 15
    assert len(chosen(find_suites(["finance"]), None, 0)[0].cases) > 100


def test_the_key_of_a_case_tells_runs_systems_suites_and_cases_apart():
    keys = {
        key_of(*each)
        for each in [("r", "s", "t", "1"), ("q", "s", "t", "1"), ("r", "x", "t", "1"), ("r", "s", "t", "2")]
    }
    assert len(keys) == 4
    assert max(map(len, keys)) <= 256


def test_a_run_can_be_written_for_its_owner_alone(config, tmp_path):
    run(Plan([suite(case(1))], config()), tmp_path / "run")
    assert os.stat(tmp_path / "run/outcomes.jsonl").st_mode & 0o077 == 0


@pytest.mark.model
def test_the_embedded_model_is_asked_as_it_is_configured(tmp_path):
    (tmp_path / "patient.toml").write_text("[defaults]\ndeadline_ms = 600000\n")  # a busy machine is no failure here
    asked = suite(case(1, question="What is the most that a hotel in Cork may cost a night?"))
    found = run(Plan([asked], str(tmp_path / "patient.toml")), tmp_path / "run").outcomes[0]
    assert found.ending in ("right", "wrong", "declined", "unparsed")
    assert found.way in ("local", "handed_over")
    assert found.decision["drafts"][0]["model"] == "smollm2-135m-instruct"
    assert len(read_run(tmp_path / "run").manifest.models["smollm2-135m-instruct"]) == 64
