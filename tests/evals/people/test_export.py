"""Raters see what was asked and answered, in an order that tells nothing, in cells that run nothing."""

from __future__ import annotations

import csv
import io
import re
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moslm.evals.people.choosing import choose
from moslm.evals.people.sheet import defused

ANSWERS = {
    "a": {
        "moslm": {"answer": "It is 140.", "confidence": 0.82},
        "large": {"answer": "It is 95.", "ending": "wrong", "score": 0.0, "way": "escalated", "confidence": None},
    },
    "b": {"moslm": {"answer": "=cmd|' /C calc'!A0", "ending": "unparsed", "score": None, "confidence": 0.99}},
    "c": {"moslm": {"answer": "140", "confidence": 0.2}, "large": {"answer": "140", "way": "escalated"}},
}


def test_a_sheet_tells_neither_who_answered_nor_how_it_was_graded(write_run, command, sheet, tmp_path):
    assert command("export", write_run(ANSWERS), "--csv", str(tmp_path / "s.csv")) == 0
    text = (tmp_path / "s.csv").read_text()
    rows = sheet(tmp_path / "s.csv")
    assert list(rows[0]) == ["row", "question", "answer", "verdict", "satisfaction", "correction", "comment", "rater"]
    for hidden in ("moslm", "large", "unparsed", "escalated", "0.82", "1.0", "mine", "expected"):
        assert hidden not in text
    assert "How much is a?" in {row["question"] for row in rows}


def test_an_answer_that_two_systems_gave_is_shown_once(write_run, command, sheet, tmp_path):
    command("export", write_run(ANSWERS), "--csv", str(tmp_path / "s.csv"))
    assert sorted(row["answer"] for row in sheet(tmp_path / "s.csv")) == sorted(
        ["It is 140.", "It is 95.", "'=cmd|' /C calc'!A0", "140"]
    )


def test_each_rater_has_a_sheet_in_an_order_of_its_own_and_a_seed_makes_it_again(write_run, command, sheet, tmp_path):
    many = {str(n): {"moslm": {"answer": f"It is {n}."}} for n in range(12)}
    folder = write_run(many)
    command("export", folder, "--csv", str(tmp_path / "s.csv"), "--raters", "2")
    command("export", folder, "--csv", str(tmp_path / "again.csv"), "--raters", "2")
    command("export", folder, "--csv", str(tmp_path / "other.csv"), "--seed", "1")
    orders = {n: [row["row"] for row in sheet(tmp_path / f"{n}.csv")] for n in ("s-1", "s-2", "again-1", "other")}
    assert orders["s-1"] == orders["again-1"]
    assert orders["s-1"] != orders["s-2"]
    assert orders["s-1"] != orders["other"]
    assert sorted(orders["s-1"]) == sorted(orders["s-2"]) == sorted(orders["other"])
    assert orders["s-1"] != [row.id for row in sorted(orders_by_case(folder), key=lambda row: row.case.id)]
    assert {row["rater"] for row in sheet(tmp_path / "s-2.csv")} == {"rater 2"}


def orders_by_case(folder):
    from moslm.evals.people.shown import shown_of, suites_of
    from moslm.evals.running.folder import read_run

    read = read_run(folder)
    return shown_of(read, suites_of(read.manifest, [str(folder.parent / "mine.toml")]))


@pytest.mark.parametrize(
    ("by", "cases"),
    [
        ("random", {"a", "b", "c"}),
        ("wrong", {"a", "b"}),
        ("escalated", {"a", "c"}),
        ("uncertain", {"a", "b", "c"}),
    ],
)
def test_answers_are_chosen_by_what_came_of_them(write_run, answered, by, cases):
    assert {row.case.id for row in choose(answered(write_run(ANSWERS)), by, None, 0)} == cases


def test_the_most_uncertain_are_those_next_to_their_threshold(write_run, answered):
    rows = choose(answered(write_run(ANSWERS)), "uncertain", 1, 0)
    assert [(row.case.id, row.answer) for row in rows] == [("a", "It is 140.")]


def test_a_sheet_is_private_and_never_written_over(write_run, command, tmp_path, capsys):
    folder, file = write_run(ANSWERS), tmp_path / "s.csv"
    command("export", folder, "--csv", str(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = file.read_bytes()
    assert command("export", folder, "--csv", str(file)) == 2
    assert re.search(r"s\.csv'.*: is there already; ratings may be in it", capsys.readouterr().err)
    assert file.read_bytes() == before


def test_the_mark_of_utf_8_is_written_where_it_is_asked_for(write_run, command, tmp_path):
    command("export", write_run(ANSWERS), "--csv", str(tmp_path / "s.csv"), "--bom")
    assert (tmp_path / "s.csv").read_bytes().startswith(b"\xef\xbb\xbf")


def test_a_suite_that_has_changed_since_the_run_is_refused(write_run, command, tmp_path, capsys):
    folder = write_run(ANSWERS)
    file = tmp_path / "mine.jsonl"
    file.write_text(file.read_text().replace("How much is a", "How dear is a"))
    assert command("export", folder, "--csv", str(tmp_path / "s.csv")) == 2
    assert re.search("--suite = 'mine': has changed since the run", capsys.readouterr().err)


def test_a_run_that_keeps_no_words_says_so(write_run, command, tmp_path, capsys):
    folder = write_run({"a": {"moslm": {"answer": None}}})
    assert command("export", folder, "--csv", str(tmp_path / "s.csv")) == 2
    assert re.search("holds no words of answers", capsys.readouterr().err)


def test_texts_go_to_langsmith_only_when_somebody_says_so(write_run, command, capsys):
    assert command("export", write_run(ANSWERS), "--langsmith", "queue") == 2
    assert re.search("would send questions and answers to LangSmith; write --with-texts", capsys.readouterr().err)


@given(st.text(min_size=1) | st.sampled_from("=+-@\t\r\n＝＋－＠").flatmap(lambda c: st.text().map(lambda t: c + t)))
def test_no_cell_begins_as_a_formula_does(text):
    cell = defused(text)
    assert cell in (text, f"'{text}")
    assert not cell.lstrip(" ").startswith(tuple("=+-@\t\r\n＝＋－＠"))


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_what_is_written_is_read_back_as_it_was(text):
    written = io.StringIO(newline="")
    csv.writer(written, quoting=csv.QUOTE_ALL).writerow([defused(text)])
    assert next(csv.reader(io.StringIO(written.getvalue(), newline=""))) == [defused(text)]
