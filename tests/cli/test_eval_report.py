import json
import re
from pathlib import Path

import pytest
from decision_samples import a_decision

HEAD = 'name = "mine"\nabout = "Mine."\nlicence = "Apache-2.0"\ngrader = "number"\ndomain = "finance"\n'
SETTINGS = """
[defaults]
confidence = "mean"
use_tools = "never"
[defaults.model]
kind = "scripted"
replies = ["The budget has <b>412</b> euros left."]
confidence = 0.95
"""


@pytest.fixture
def kept(folder, moslm_command):
    """A run of two cases, of which the scripted model gets one right."""
    (folder / "moslm.toml").write_text(SETTINGS)
    (folder / "mine.toml").write_text(HEAD)
    cases = [
        {"id": "left", "question": "How much is left in the travel budget?", "expected": 412},
        {"id": "spent", "question": "How much of that budget is <i>spent</i>?", "expected": 88},
    ]
    (folder / "mine.jsonl").write_text("\n".join(map(json.dumps, cases)))
    assert moslm_command("eval", "mine.toml", "--out", "run")[0] == 0
    return "run"


def test_a_run_becomes_one_page(moslm_command, kept):
    code, out, _ = moslm_command("eval", "report", kept, "--html", "page.html")
    page = Path("page.html").read_text()
    assert (code, out) == (0, "page.html: 2 outcomes of moslm\n")
    assert "50.0 %" in page
    assert "412&lt;/b&gt; euros left" in page
    assert not re.search(r"https?://|src=|href=|url\(", page)


def test_questions_stand_beside_answers_where_the_suite_that_was_run_is_named(moslm_command, kept):
    moslm_command("eval", "report", kept, "--html", "page.html")
    assert "spent&lt;/i&gt;?" not in Path("page.html").read_text()
    moslm_command("eval", "report", kept, "--html", "page.html", "--suite", "mine.toml")
    assert "spent&lt;/i&gt;?" in Path("page.html").read_text()


def test_a_suite_that_has_changed_since_is_refused(moslm_command, kept):
    Path("mine.jsonl").write_text(Path("mine.jsonl").read_text().replace("88", "89"))
    code, _, err = moslm_command("eval", "report", kept, "--suite", "mine.toml")
    assert code == 2
    assert "is not the suite that was run" in err
    assert err.count("\n") == 1


def test_a_missed_target_is_exit_code_1_and_named(moslm_command, kept):
    Path("gate.toml").write_text('name = "g"\n[[targets]]\nmetric = "accuracy"\nat_least = 0.9\n')
    code, out, _ = moslm_command("eval", "report", kept, "--gate", "gate.toml")
    assert code == 1
    assert "gate g: 1 of 1 targets missed: accuracy" in out
    assert "Too low." in Path("report.html").read_text()


def test_json_holds_the_figures_of_the_page_and_writes_none(moslm_command, kept):
    code, out, _ = moslm_command("eval", "report", kept, "--json")
    told = json.loads(out)
    assert code == 0
    assert told["summaries"][0]["figures"]["accuracy"]["value"] == 0.5
    assert told["manifest"]["suites"]["mine"]["cases"] == 2
    assert not Path("report.html").exists()


def test_a_run_that_was_killed_says_so(moslm_command, kept):
    Path(kept, "finished.json").unlink()
    with Path(kept, "outcomes.jsonl").open("a") as file:
        file.write('{"suite": "mi')
    code, out, _ = moslm_command("eval", "report", kept)
    assert (code, out) == (0, "report.html: 2 outcomes of moslm; the run is not finished\n")
    page = Path("report.html").read_text()
    assert "This run is not finished." in page
    assert "was cut off while it was written" in page


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere"], "is no folder of a run"),
        ([], "DIR: is missing"),
        (["run", "--from-log"], "DIR: is named beside --from-log"),
        (["--from-log", "--gate", "pilot"], "needs graded answers"),
        (["run", "--html", "nowhere/page.html"], "--html = 'nowhere/page.html': cannot be written"),
        (["run", "--margin", "0"], "--margin = 0.0: must be more than 0"),
        (["run", "--gate", "pilto"], "did you mean pilot?"),
    ],
)
def test_a_mistake_is_one_line(moslm_command, kept, arguments, told):
    code, _, err = moslm_command("eval", "report", *arguments)
    assert code == 2
    assert told in err
    assert err.count("\n") == 1


def test_live_traffic_of_a_window_becomes_a_page_without_grades(moslm_command, log):
    for number in range(3):
        closed = f"2026-11-2{number}T10:00:00.000+00:00"
        log.append(a_decision(id=f"r{number}", closed_at=closed, tenant="acme" if number else "other"))
    window = ("--since", "2026-11-20", "--until", "2026-11-22")
    code, out, _ = moslm_command("eval", "report", "--from-log", *window, "--html", "live.html")
    assert code == 0
    assert out.startswith("live.html: 2 requests of ")
    page = Path("live.html").read_text()
    assert "2 requests closed from 2026-11-20 10:00 to 2026-11-21 10:00 UTC." in page
    assert "Whether answers were right stands in no record" in page
    code, out, _ = moslm_command("eval", "report", "--from-log", *window, "--tenant", "acme", "--json")
    assert (code, json.loads(out)["requests"]) == (0, 1)
