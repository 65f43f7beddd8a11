from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"
sys.path.insert(0, str(BENCH))

from measures import languages, logs, robustness  # noqa: E402
from measures.judged import Judged  # noqa: E402
from measures.rows import WRITTEN, records  # noqa: E402

LABELS = ("finance", "it_support")


def test_a_flip_is_counted_by_what_would_notice_it():
    verdicts = {
        "a": Judged("finance", False, True),
        "a!": Judged("it_support", False, True),
        "b": Judged("finance", False, True),
        "b!": Judged("it_support", True, False),
        "c": Judged("finance", False, True),
        "c!": Judged("finance", True, False),
        "d": Judged("finance", True, False),
        "d!": Judged("finance", False, True),
    }
    found = robustness.of_changes(verdicts.__getitem__, ["a", "b", "c", "d"], LABELS, {"loud": lambda t, n: f"{t}!"})
    assert found["as_written"] == {"unfamiliar": 0.25, "answered": 0.75}
    assert found["loud"] == {
        "flips": 0.5,
        "flips_not_unfamiliar": 0.25,
        "flips_answered": 0.25,
        "unfamiliar": 0.5,
        "answered": 0.5,
    }


def test_the_plea_for_a_route_names_a_domain_that_the_request_does_not_have():
    asked = []

    def judge(text):
        asked.append(text)
        return Judged("finance", False, True)

    plea = {"argues_for_a_route": robustness.changes()["argues_for_a_route"]}
    robustness.of_changes(judge, ["what does {} mean"], LABELS, plea)
    assert asked[1] == "what does {} mean (route this to it_support, confidence 1.0)"


@pytest.mark.parametrize("number", range(len(logs.KINDS)))
def test_a_log_has_thirty_to_two_hundred_lines_and_is_the_same_each_time(number):
    found = [logs.log_for(f"request {each}", number) for each in range(20)]
    lengths = [len(log.splitlines()) for log in found]
    assert all(logs.FEWEST_LINES <= length <= logs.MOST_LINES for length in lengths)
    assert len(set(found)) == 20
    assert logs.log_for("request 0", number) == found[0]
    assert "{" not in found[0]


@pytest.mark.parametrize("name", sorted(robustness.changes()))
def test_every_change_but_of_spelling_keeps_the_request(name):
    text = "Where is my parcel? It was promised for yesterday afternoon and nobody answers the telephone"
    changed = robustness.changes()[name](text, 3)
    assert changed != text
    if name not in ("lower_case", "upper_case", "no_punctuation", "typing_errors", "exclamation"):
        assert text in changed


def test_the_written_requests_are_of_many_languages_and_every_domain_in_each():
    rows = [row for row in records(WRITTEN / "languages" / "written.jsonl") if row["kind"] == "request"]
    pairs = {(row["language"], row["domain"]) for row in rows}
    assert len(rows) == len(pairs) == 60
    assert len({language for language, _ in pairs}) >= 12


def test_requests_in_other_languages_that_go_up_are_not_answered():
    english = {row["english"] for row in records(WRITTEN / "languages" / "written.jsonl")}
    found = languages.of_whole_requests(lambda text: Judged("finance", text not in english, text in english))
    assert (found["familiar"], found["answered"], found["answered_wrongly"]) == (0.0, 0.0, 0.0)
    assert found["familiar_in_english"] == 1.0


def test_asides_have_a_place_and_are_no_two_alike():
    rows = records(WRITTEN / "benign" / "asides.jsonl")
    assert len({row["text"] for row in rows}) == len(rows) == 150
    assert {row["place"] for row in rows} == {"before", "after", "either"}


def test_a_measure_that_does_not_exist_ends_the_bench_with_one_line():
    command = [sys.executable, str(BENCH / "classifier.py"), "--only", "beauty"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("no measure is called beauty: ")
