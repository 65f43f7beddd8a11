import json
from pathlib import Path

import pytest

HEAD = 'name = "mine"\nabout = "Mine."\nlicence = "Apache-2.0"\ngrader = "number"\ndomain = "finance"\n'
SETTINGS = """
[defaults]
confidence = "mean"
use_tools = "never"
[defaults.model]
kind = "scripted"
replies = ["The budget has 412 euros left."]
confidence = 0.95
"""


@pytest.fixture
def mine(folder):
    """Two cases in the working folder, of which the scripted model gets one right."""
    (folder / "moslm.toml").write_text(SETTINGS)
    (folder / "mine.toml").write_text(HEAD)
    cases = [
        {"id": "left", "question": "How much is left in the travel budget?", "expected": 412, "tags": {"task": "sums"}},
        {
            "id": "spent",
            "question": "How much of that budget is spent?",
            "expected": 88,
            "tags": {"task": "sums"},
        },
        {"id": "way", "question": "Which budget pays for trains?", "grader": "routing", "escalate": False},
    ]
    (folder / "mine.jsonl").write_text("\n".join(map(json.dumps, cases)))
    return "mine.toml"


def gate(folder, text):
    (folder / "gate.toml").write_text('name = "mine"\n' + text)
    return "gate.toml"


def test_a_suite_is_asked_and_every_figure_has_its_interval_and_n(moslm_command, mine):
    code, out, _ = moslm_command("eval", mine, "--out", "run")
    assert code == 0
    assert "accuracy" in out
    rows = {line.split()[0]: line for line in out.splitlines() if line.strip()}
    assert rows["accuracy"].split()[1:] == ["50.0%", "0.0%", "to", "100.0%", "2"]
    assert rows["escalation_p85"].endswith("0  no case")
    assert rows["mine"].split() == ["mine", "-", "1", "0", "0", "0", "0", "1"] or "sums" in out
    assert Path("run/finished.json").exists()


def test_json_holds_the_same_figures(moslm_command, mine):
    code, out, _ = moslm_command("eval", mine, "--out", "run", "--json")
    told = json.loads(out)
    assert code == 0
    figure = told["figures"]["moslm"]["all"]["accuracy"]
    assert (figure["value"], figure["n"], figure["how"]) == (0.5, 2, "bootstrap")
    assert set(told["figures"]["moslm"]) == {"all", "mine"}
    assert told["endings"]["moslm"] == {"right": 2, "wrong": 1}
    assert told["manifest"]["command"][0] == "moslm"


def test_a_gate_that_is_missed_exits_1_and_names_each_target(moslm_command, mine, folder):
    targets = """
[[targets]]
metric = "accuracy"
suite = "mine"
at_least = 0.8
[[targets]]
metric = "router_accuracy"
at_least = 0.9
by = "low"
[[targets]]
metric = "satisfaction"
at_least = 0.9
[[targets]]
metric = "availability"
at_least = 0.9
"""
    code, out, _ = moslm_command("eval", mine, "--out", "run", "--gate", gate(folder, targets))
    assert code == 1
    assert "gate mine: 3 of 4 targets missed" in out
    lines = [line for line in out.splitlines() if line.endswith("  missed")]
    assert [line.split()[0] for line in lines] == ["accuracy", "router_accuracy", "satisfaction"]
    assert "≥ 80.0%" in lines[0]
    assert "50.0%" in lines[0]
    assert "missed: satisfaction: could not be measured: nobody has rated" in out
    assert "missed: accuracy of mine: too low" in out
    told = json.loads(moslm_command("eval", "show", "run", "--gate", "gate.toml", "--json")[1])
    assert told["gate"]["reached"] is False
    assert told["gate"]["targets"][2]["missed"].startswith("could not be measured: nobody has rated")


def test_a_gate_that_is_reached_exits_0(moslm_command, mine, folder):
    text = '[[targets]]\nmetric = "accuracy"\nat_least = 0.5\n'
    code, out, _ = moslm_command("eval", mine, "--out", "run", "--gate", gate(folder, text))
    assert code == 0
    assert "gate mine: reached" in out


@pytest.mark.parametrize("name", ["pilot", "multi_domain", "hardening"])
def test_a_phase_of_the_reference_design_is_found_by_its_name(moslm_command, mine, name):
    code, out, _ = moslm_command("eval", mine, "--out", "run", "--gate", name)
    assert code == 1
    assert f"gate {name}: " in out


def test_a_run_is_shown_again_without_asking_anybody(moslm_command, mine, folder):
    _, first, _ = moslm_command("eval", mine, "--out", "run")
    (folder / "moslm.toml").unlink()
    code, again, _ = moslm_command("eval", "show", "run")
    assert (code, again) == (0, first)


def test_the_same_command_goes_on_and_a_line_that_was_cut_off_is_named(moslm_command, mine, folder):
    moslm_command("eval", mine, "--out", "run")
    with (folder / "run/outcomes.jsonl").open("r+") as file:
        lines = file.readlines()
        file.seek(0)
        file.truncate()
        file.write("".join(lines[:-1]) + lines[-1][:20])
    code, out, _ = moslm_command("eval", mine, "--out", "run")
    assert code == 0
    assert "was cut off while it was written" in out
    assert "50.0%" in out


def test_what_could_not_be_read_is_named(moslm_command, mine, folder):
    (folder / "moslm.toml").write_text(SETTINGS.replace("412 euros", "a lot of money"))
    _, out, _ = moslm_command("eval", mine, "--out", "run")
    assert "2 unparsed" in out
    assert "could not be read: mine/left: no number stands in the answer" in out
    assert "unparsed_share" in out


def test_recorded_answers_need_no_model(moslm_command, mine, folder):
    (folder / "theirs.jsonl").write_text('{"id": "left", "answer": "412 euros"}\n')
    code, out, _ = moslm_command("eval", mine, "--answers", "theirs.jsonl", "--out", "run")
    assert code == 0
    assert "theirs: 1 right, 1 failed" in out
    assert "no answer: mine/spent: theirs.jsonl holds no answer to it" in out
    assert "the price of 2 of 2 is missing" in out


def test_no_words_of_answers_are_kept_where_nobody_wants_them(moslm_command, mine, folder):
    moslm_command("eval", mine, "--out", "run", "--no-texts")
    assert "euros left" not in (folder / "run/outcomes.jsonl").read_text()


def test_all_that_ships_is_sampled_where_nothing_is_named(moslm_command, folder):
    (folder / "moslm.toml").write_text(SETTINGS)
    code, out, _ = moslm_command("eval", "--sample", "3", "--json", "--out", "run")
    told = json.loads(out)
    assert code == 0
    assert set(told["figures"]["moslm"]) == {"all", "customer_service", "finance", "it_support", "system"}
    assert told["figures"]["moslm"]["all"]["accuracy"]["n"] == 9
    assert told["figures"]["moslm"]["system"]["router_accuracy"]["value"] > 0.85


def test_a_judge_is_shown_with_what_it_is_worth(moslm_command, mine, folder):
    (folder / "judge.toml").write_text("kind = 'scripted'\nname = 'kind-one'\nreplies = ['{\"score\": 5}']\n")
    _, out, _ = moslm_command("eval", mine, "--out", "run", "--judge", "judge.toml", "--checked", "1")
    assert "The judge (judge.toml); grading cost $0" in out
    assert "do not rely on its grades" in out
    told = json.loads(moslm_command("eval", "show", "run", "--json")[1])
    assert told["judge"]["is_enough"] is False
    assert told["judge"]["bias"]["value"] == 0.5


def test_what_there_is_is_listed(moslm_command):
    code, out, _ = moslm_command("eval", "suites")
    assert code == 0
    assert "finance" in out
    assert "hardening · multi_domain · pilot" in out
    told = json.loads(moslm_command("eval", "suites", "--json")[1])
    assert [each["name"] for each in told["suites"]] == ["customer_service", "finance", "it_support", "system"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["finnance"], "did you mean finance?"),
        (["none.toml"], "none.toml: cannot be read"),
        (["--sample", "many"], "--sample = 'many': is no number of cases"),
        (["--concurrency", "0"], "--concurrency = 0: must be at least 1"),
        (["--checked", "2"], "--checked = 2.0: must be a share"),
        (["--endpoint", "http://127.0.0.1:1/v1"], "--model: is missing"),
        (["--system", "hal"], "no such system"),
        (["--gate", "none.toml"], "--gate = 'none.toml': cannot be read"),
        (["--metric", "none"], "--metric = 'none'"),
        (["--data", "."], "holds no data sets"),
        (["--config", "none.toml"], "none.toml: no such file"),
        (["show", "nowhere"], "nowhere: is no folder of a run"),
    ],
)
def test_a_mistake_is_one_line(moslm_command, config, arguments, told):
    code, out, err = moslm_command("eval", *arguments)
    assert (code, out) == (2, "")
    assert told in err
    assert err.count("\n") == 1


def test_the_help_names_the_verbs(moslm_command):
    _, out, _ = moslm_command("eval", "--help")
    assert "moslm eval show" in " ".join(out.split())
