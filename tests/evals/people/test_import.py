"""Every row that comes back is taken or named; a rating is of the words that were shown, and stays with its run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moslm.cli import main
from moslm.evals.cases import Case
from moslm.evals.metrics import METRICS
from moslm.evals.people.ratings import RATINGS, read_ratings
from moslm.evals.people.sheet import COLUMNS
from moslm.evals.people.shown import Shown
from moslm.evals.people.taking import take
from moslm.evals.running.folder import OUTCOMES, read_run
from moslm.evals.running.plan import Plan, evaluate
from moslm.evals.suites.reading import read_suite

ANSWERS = {
    "a": {"moslm": {"answer": "It is 140."}, "large": {"answer": "It is 140.", "way": "escalated"}},
    "b": {"moslm": {"answer": "It is 95,\nnot 140.", "ending": "wrong", "score": 0.0}},
    "c": {"moslm": {"answer": "Perhaps 140", "ending": "unparsed", "score": None}},
}


SHOWN = [Shown("run", "mine", Case(id=id, question="How much?"), f"It is {id}.", ()) for id in "12"]


@pytest.fixture
def rate(write_run, answered, command, sheet, tmp_path):
    """Export a run for raters, fill in their sheets by case, import them; return run, exit code and files."""

    def run(*raters, answers=ANSWERS, more=()):
        folder = write_run(answers)
        ids = {row.case.id: row.id for row in answered(folder)}
        command("export", folder, "--csv", str(tmp_path / "s.csv"), "--raters", str(max(2, len(raters))))
        files = [tmp_path / f"s-{n}.csv" for n in range(1, len(raters) + 1)]
        for file, said in zip(files, raters, strict=True):
            sheet(file, {ids[case]: told for case, told in said.items()})
        return folder, command("import", folder, "--csv", *map(str, files), *more), files

    return run


def test_ratings_are_kept_and_the_metric_satisfaction_reads_them(rate):
    folder, code, _ = rate(
        {"a": {"verdict": "Right", "satisfaction": "4.0"}, "b": {"verdict": "wrong", "satisfaction": "2"}}
    )
    assert code == 0
    outcomes = read_run(folder).outcomes
    assert {(each.case, each.system): each.tags.get("rating") for each in outcomes} == {
        ("a", "moslm"): "4",
        ("a", "large"): "4",
        ("b", "moslm"): "2",
        ("c", "moslm"): None,
    }
    figure = METRICS["satisfaction"]([each for each in outcomes if each.system == "moslm"])
    assert (figure.value, figure.n, figure.why) == (0.5, 2, "rated by people")


def test_two_raters_count_by_the_lower_median(rate):
    folder, *_ = rate(
        {"a": {"verdict": "right", "satisfaction": "5"}}, {"a": {"verdict": "right", "satisfaction": "3"}}
    )
    assert read_run(folder).outcomes[0].tags["rating"] == "3"


def test_a_row_that_cannot_be_taken_is_named_and_the_others_are_taken(rate, capsys):
    folder, code, files = rate(
        {
            "a": {"verdict": "rihgt"},
            "b": {"verdict": "wrong", "satisfaction": "6"},
            "c": {"verdict": "cannot_tell", "comment": "=SUM(A1)"},
        }
    )
    assert code == 1
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 2
    assert any("verdict = 'rihgt': is no verdict; write one of: right, partly, wrong, cannot tell" in e for e in errors)
    assert any("satisfaction = '6': is no rating; write a whole number from 1 to 5" in e for e in errors)
    for error in errors:
        place = error.removeprefix(f"moslm: {files[0]}:").partition(":")[0]
        line = files[0].read_text().splitlines()[int(place) - 1]
        assert line.startswith(tuple("0123456789abcdef"))
    assert [(each.case, each.verdict, each.comment) for each in read_ratings(folder)] == [
        ("c", "cannot tell", "=SUM(A1)")
    ]


def test_a_rating_without_a_verdict_or_a_rater_is_named(rate, capsys):
    _, code, _ = rate({"a": {"satisfaction": "4"}, "b": {"verdict": "right", "rater": " "}})
    assert code == 1
    errors = capsys.readouterr().err
    assert "verdict: is missing; write one of" in errors
    assert "rater: is missing; write who rated" in errors


def test_a_rating_of_an_answer_that_has_changed_is_refused_by_its_row(rate, command, capsys):
    folder, _, files = rate({"b": {"verdict": "wrong", "satisfaction": "4"}})
    row = read_ratings(folder)[0].row
    outcomes = folder / OUTCOMES
    outcomes.write_text(outcomes.read_text().replace("It is 95", "It is 96"))
    capsys.readouterr()
    assert command("import", folder, "--csv", str(files[0])) == 1
    assert f"row = '{row}': what was rated is not an answer of the run any more" in capsys.readouterr().err
    assert all("rating" not in each.tags for each in read_run(folder).outcomes)


def test_a_row_of_another_run_is_refused(rate, write_run, command, capsys):
    _, _, files = rate({"a": {"verdict": "right"}})
    assert command("import", write_run(ANSWERS, name="other"), "--csv", str(files[0])) == 1
    assert "no such row in this run" in capsys.readouterr().err


def test_the_same_sheet_again_changes_nothing_and_another_word_takes_its_place(rate, command, sheet):
    folder, _, files = rate({"a": {"verdict": "right", "satisfaction": "5"}})
    before = (folder / RATINGS).read_bytes()
    command("import", folder, "--csv", str(files[0]), str(files[0]))
    assert (folder / RATINGS).read_bytes() == before
    sheet(files[0], {read_ratings(folder)[0].row: {"verdict": "partly", "satisfaction": "3"}})
    command("import", folder, "--csv", str(files[0]))
    assert [each.verdict for each in read_ratings(folder)] == ["partly"]
    assert (folder / RATINGS).read_bytes().startswith(before)


def test_one_rater_who_says_two_things_of_an_answer_is_named(rate, command, sheet, capsys, tmp_path):
    folder, _, files = rate({"a": {"verdict": "right"}})
    other = tmp_path / "copy.csv"
    other.write_bytes(files[0].read_bytes())
    sheet(other, {read_ratings(folder)[0].row: {"verdict": "wrong"}})
    assert command("import", folder, "--csv", str(files[0]), str(other)) == 1
    error = capsys.readouterr().err
    assert f"{other}:" in error
    assert f"was rated twice by rater 1; {files[0]}:" in error


def test_ratings_that_were_cut_off_are_imported_again(rate, command):
    folder, _, files = rate({"a": {"verdict": "right"}, "b": {"verdict": "wrong"}})
    whole = (folder / RATINGS).read_bytes()
    (folder / RATINGS).write_bytes(whole[:-7])
    assert len(read_ratings(folder)) == 1
    command("import", folder, "--csv", str(files[0]))
    assert sorted((folder / RATINGS).read_bytes().splitlines()) == sorted(whole.splitlines())


@pytest.mark.parametrize("separator", [";", "\t"])
def test_sheets_of_other_countries_are_read(rate, command, sheet, tmp_path, separator):
    folder, _, files = rate({})
    rows = sheet(files[0])
    lines = [separator.join(rows[0])]
    lines += [separator.join([row["row"], "q", "a", "right", "5", "", "", "Ana"]) for row in rows]
    (tmp_path / "other.csv").write_text("\n".join(lines), encoding="utf-8-sig")
    assert command("import", folder, "--csv", str(tmp_path / "other.csv")) == 0
    assert {each.rater for each in read_ratings(folder)} == {"Ana"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"row,verdict,satisfaction,comment\n", ":1: rater: is missing; the first line must name the columns"),
        (b"row,verdict,verdict,satisfaction,comment,rater\n", ":1: verdict: is there twice"),
        ("row,verdict\u00e9".encode("latin-1"), 'is not UTF-8 text; save it as "CSV UTF-8"'),
        (b"", ":1: row: is missing"),
    ],
)
def test_a_file_that_is_no_sheet_is_refused(write_run, command, tmp_path, capsys, content, said):
    (tmp_path / "s.csv").write_bytes(content)
    assert command("import", write_run(ANSWERS), "--csv", str(tmp_path / "s.csv")) == 2
    assert said in capsys.readouterr().err


CELL = st.sampled_from(["", "right", "partly", "5", "Ana", "Ben", "x", "0"]) | st.text(max_size=5)
PLACES = st.sampled_from([row.id for row in SHOWN]) | st.just(f"{SHOWN[0].place}-0") | st.text(max_size=5)


@given(st.lists(st.fixed_dictionaries({"row": PLACES, **dict.fromkeys(COLUMNS[3:], CELL)}), max_size=6))
def test_every_row_is_taken_or_named_or_empty(rows):
    came = take([(f"s.csv:{number}", cells) for number, cells in enumerate(rows)], SHOWN)
    filled = {tuple(cells.values()) for cells in rows if any(cells[name] for name in COLUMNS[3:7])}
    assert came.unrated == sum(not any(cells[name] for name in COLUMNS[3:7]) for cells in rows)
    assert bool(filled) == bool(came.ratings or came.mistakes)
    taken = {(each.row, each.rater) for each in came.ratings}
    for number, cells in enumerate(rows):
        if tuple(cells.values()) in filled and (cells["row"], cells["rater"]) not in taken:
            assert any(each.startswith(f"s.csv:{number}: ") for each in came.mistakes)
    for rating in came.ratings:
        assert any(cells["row"] == rating.row and cells["comment"] == rating.comment for cells in rows)


def test_words_beside_the_last_column_are_named_and_not_lost(rate, command, capsys):
    folder, _, files = rate({"a": {"verdict": "right"}})
    file = files[0]
    file.write_text(file.read_text().replace("rater 1\n", "rater 1,and more\n", 1))
    assert command("import", folder, "--csv", str(file)) == 1
    assert "cell = 'and more': stands beside the last column" in capsys.readouterr().err


def test_cases_go_back_to_be_settled_or_corrected(rate, tmp_path):
    _, code, _ = rate(
        {"a": {"verdict": "right"}, "b": {"verdict": "right", "correction": "95"}, "c": {"verdict": "right"}},
        {"a": {"verdict": "wrong"}, "b": {"verdict": "right"}, "c": {"verdict": "right"}},
        more=["--cases", str(tmp_path / "back")],
    )
    assert code == 0
    suite = read_suite(tmp_path / "back" / "mine_review.toml")
    told = {case.id: (case.expected, case.tags["review"], case.tags["review_why"]) for case in suite.cases}
    assert told == {
        "a": (140, "to settle", "raters differ: 1 right, 1 wrong"),
        "b": (95, "corrected", "people say that '95' is right"),
        "c": (140, "to settle", "people say right, the grader says unparsed"),
    }
    assert next(case for case in suite.cases if case.id == "b").tags["expected_before"] == "140"


def test_a_correction_that_the_grader_cannot_use_is_to_be_settled(rate, tmp_path):
    rate({"b": {"verdict": "wrong", "correction": "it depends"}}, more=["--cases", str(tmp_path / "back")])
    suite = read_suite(tmp_path / "back" / "mine_review.toml")
    assert [(case.expected, case.tags["review"]) for case in suite.cases] == [(140, "to settle")]
    assert "people correct it to 'it depends', which cannot be graded by number" in suite.cases[0].tags["review_why"]


def test_the_terminal_and_json_tell_the_same_figures(rate, command, capsys):
    verdicts = {"a": {"verdict": "right"}, "b": {"verdict": "wrong"}, "c": {"verdict": "partly"}}
    folder, _, files = rate(verdicts, verdicts)
    text = capsys.readouterr().out
    assert command("import", folder, "--csv", *map(str, files), "--json") == 0
    told = json.loads(capsys.readouterr().out)
    figures = told["findings"]["all"]["figures"]
    assert figures["same verdict"]["value"] == 1.0
    assert figures["grader agrees"] | {"how": ""} == figures["grader agrees"] | {"value": 1.0, "n": 2, "how": ""}
    assert told["findings"]["all"]["graded"] == {
        "right": {"right": 1},
        "wrong": {"wrong": 1},
        "unparsed": {"partly": 1},
    }
    assert "same verdict" in text
    assert "100.0%" in text
    assert "6 new ratings, 0 changed; 0 rows not rated yet, 0 refused" in text


def test_a_run_that_is_gone_on_with_still_knows_its_ratings(tmp_path, sheet):
    (tmp_path / "mine.toml").write_text('name = "mine"\nabout = "Mine."\nlicence = "Apache-2.0"\ngrader = "number"\n')
    (tmp_path / "mine.jsonl").write_text('{"id": "a", "question": "How much?", "expected": 140}\n')
    (tmp_path / "said.jsonl").write_text('{"id": "a", "answer": "It is 140."}\n')
    suite, out, file = str(tmp_path / "mine.toml"), str(tmp_path / "run"), tmp_path / "s.csv"
    plan = Plan([read_suite(Path(suite))], answers=[tmp_path / "said.jsonl"])
    evaluate(plan, tmp_path / "run", step=lambda outcome: None)
    assert main(["eval", "export", out, "--suite", suite, "--csv", str(file)]) == 0
    sheet(file, {row["row"]: {"verdict": "right", "satisfaction": "5"} for row in sheet(file)})
    assert main(["eval", "import", out, "--suite", suite, "--csv", str(file)]) == 0
    again = evaluate(plan, tmp_path / "run", step=lambda outcome: None)
    assert METRICS["satisfaction"](again.outcomes).value == 1.0
