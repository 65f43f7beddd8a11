"""Suites are data: what ships can be graded, what cannot stand is named by its line, a sample keeps its proportions."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moslm.errors import ConfigError
from moslm.evals.cases import Case
from moslm.evals.graders import GRADERS
from moslm.evals.suites import find_suites, public_suites, read_suite, shipped
from moslm.evals.suites.sampling import sampled

ROOT = Path(__file__).resolve().parents[2]
HEAD = 'name = "mine"\nabout = "Mine."\nlicence = "Apache-2.0"\ngrader = "number"\ndomain = "finance"\n'


@pytest.fixture
def written(tmp_path):
    def write(*lines, head=HEAD):
        (tmp_path / "mine.toml").write_text(head)
        (tmp_path / "mine.jsonl").write_text("\n".join(json.dumps(x) if isinstance(x, dict) else x for x in lines))
        return tmp_path / "mine.toml"

    return write


def test_every_domain_and_the_whole_system_have_a_suite_that_ships():
    assert shipped() == ["customer_service", "finance", "it_support", "system"]
    tasks = {suite.name: {each.tags["task"] for each in suite.cases} for suite in find_suites([])}
    assert tasks["finance"] == {"numeric", "document", "compliance", "policy"}
    assert tasks["it_support"] == {"resolution", "diagnosis", "coverage"}
    assert tasks["customer_service"] == {"extraction", "policy", "escalation"}
    assert tasks["system"] == {"one", "several", "novel", "asked", "not_asked"}


def test_nothing_that_ships_was_fitted_on():
    asked = [each.conversation[-1][1].strip().lower() for suite in find_suites([]) for each in suite.cases]
    assert max(Counter(asked).values()) == 1
    files = [*(ROOT / "corpus/requests").glob("*.jsonl"), *(ROOT / "src/moslm/domains").rglob("examples.jsonl")]
    fitted = {
        json.loads(line)["text"].strip().lower()
        for file in files
        for line in file.read_text(encoding="utf-8").splitlines()
    }
    routed = {each.asked.strip().lower() for each in find_suites(["system"])[0].cases}
    assert not routed & fitted
    own = {e.asked.lower() for s in find_suites([]) for e in s.cases if not e.id.startswith("handbook-")}
    handbook = {
        json.loads(line)["question"].lower()
        for file in (ROOT / "calibration/handbook").glob("*.jsonl")
        for line in file.read_text(encoding="utf-8").splitlines()
    }
    assert not own & handbook


def test_questions_of_the_handbook_are_taken_over_and_none_that_the_calibration_was_fitted_on():
    from moslm.evals.answers import Answer
    from moslm.evals.calibrating import halves
    from moslm.evals.questions import read_questions

    questions = read_questions(ROOT / "calibration/handbook/finance.jsonl")
    fitting, reporting = halves([Answer(each, {}) for each in questions])
    taken = {each.question for each in find_suites(["finance"])[0].cases if each.id.startswith("handbook-")}
    assert taken == {each.question.question for each in reporting}
    assert not taken & {each.question.question for each in fitting}


def test_a_suite_says_what_its_cases_have_in_common(written):
    suite = read_suite(written({"id": "a", "question": "Fee?", "expected": 5, "tags": {"task": "sums"}}))
    case = suite.cases[0]
    assert (case.grader, case.domain, case.group, case.tags) == ("number", "finance", "a", {"task": "sums"})
    options = HEAD + "[options.number]\ntolerance = 1\n"
    suite = read_suite(written({"id": "a", "question": "Fee?", "expected": 5}, head=options))
    assert GRADERS["number"](suite.cases[0])("5.5").ending == "right"


def test_the_hash_of_a_suite_tells_what_is_asked(written):
    one = read_suite(written({"id": "a", "question": "Fee?", "expected": 5})).sha256
    assert one == read_suite(written({"id": "a", "question": "Fee?", "expected": 5})).sha256
    assert one != read_suite(written({"id": "a", "question": "Fee?", "expected": 6})).sha256


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (['{"id": "a", "question": "?", "expected": 5}'] * 2, r"mine\.jsonl:2: id = 'a': is taken; .*mine\.jsonl:1"),
        (['{"id": "a", "question": "?"}'], r"mine\.jsonl:1: expected: is missing"),
        (
            ["", '{"id": "a", "question": "?", "expected": 5, "grader": "numer"}'],
            r"mine\.jsonl:2: grader = 'numer': no such grader; did you mean number",
        ),
        (['{"id": "a", "question": "?", "expected": "five"}'], r"mine\.jsonl:1: expected = 'five': cannot be graded"),
        (['{"id": "a", "question": "?", "expected": 5, "groop": "g"}'], r"groop.*unknown key; did you mean group"),
        (['{"id": "a", "expected": 5}'], r"needs either a question or messages"),
        (['{"id": "a", "question": "?", "expected": 5'], r"mine\.jsonl:1: not JSON"),
        (["[1]"], r"mine\.jsonl:1: is no JSON object"),
        (['{"question": "?", "expected": 5}'], r"mine\.jsonl:1: id: is missing"),
        (['{"id": "a", "question": "?", "grader": "routing", "domain": null}'], r"domain: is missing"),
        ([""], r"mine\.toml: has no cases"),
    ],
)
def test_a_case_that_cannot_stand_is_named_by_its_line(written, lines, told):
    with pytest.raises(ConfigError, match=told) as caught:
        read_suite(written(*lines))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("head", "told"),
    [
        ("name =", "not TOML"),
        (HEAD.replace('"mine"', '"My Suite"'), "name"),
        (HEAD + "lisense = 1", "lisense.*did you mean licence"),
        (HEAD.replace('licence = "Apache-2.0"\n', ""), "licence: is missing"),
        (HEAD + 'cases = ["none.jsonl"]', r"none\.jsonl: cannot be read"),
    ],
)
def test_a_head_that_cannot_stand_is_named(written, head, told):
    with pytest.raises(ConfigError, match=told):
        read_suite(written({"id": "a", "question": "?", "expected": 5}, head=head))


def test_a_suite_that_is_not_there_is_told_with_those_that_are():
    with pytest.raises(ConfigError, match="did you mean finance"):
        find_suites(["finnance"])
    with pytest.raises(ConfigError, match="there are customer_service"):
        find_suites(["zzz"])
    with pytest.raises(ConfigError, match="named twice"):
        find_suites(["finance", "finance"])


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=60), st.integers(1, 70), st.integers(0, 5))
def test_a_sample_keeps_the_proportion_of_domains_and_is_the_same_each_time(domains, size, seed):
    cases = [Case(id=str(i), question="?", domain=domain) for i, domain in enumerate(domains)]
    taken = sampled(cases, size, seed)
    assert len(taken) == min(size, len(cases))
    assert taken == sampled(cases, size, seed)
    assert [each.id for each in taken] == [each.id for each in cases if each in taken]
    for domain, count in Counter(domains).items():
        share = len(taken) * count / len(cases)
        assert abs(sum(each.domain == domain for each in taken) - share) <= 1


def test_another_seed_takes_others():
    cases = [Case(id=str(i), question="?") for i in range(200)]
    assert sampled(cases, 20, 1) != sampled(cases, 20, 2)


def gold(case: Case) -> str:
    expected = case.expected
    return (
        json.dumps(expected)
        if isinstance(expected, dict)
        else ", ".join(expected)
        if isinstance(expected, list)
        else str(expected)
    )


@pytest.mark.data
def test_every_public_row_grades_its_own_answer_as_right(data):
    suites = {suite.name: suite for suite in public_suites(data)}
    assert {"tatqa", "opseval_it", "it_ticket_class", "multidogo_slots", "obliqa_retrieval", "gsm8k"} <= set(suites)
    assert {"bbh_17tasks", "mmlu_pro", "routerarena_mc", "moslm-route"} <= set(suites)
    for suite in suites.values():
        amiss = [
            (each.id, each.expected, GRADERS[each.grader](each)(gold(each)))
            for each in suite.cases
            if not each.only_routed and GRADERS[each.grader](each)(gold(each)).ending != "right"
        ]
        assert amiss == [], (suite.name, len(amiss))


@pytest.mark.data
def test_the_scale_of_a_public_sum_counts(data):
    case = next(e for e in find_suites(["tatqa"], data)[0].cases if e.options.get("scale") == "million")
    value = float(str(case.expected))
    grade = GRADERS["number"](case)
    assert (
        grade(f"{value} million").ending == grade(f"${value * 1e6:,.0f}").ending == grade(str(value)).ending == "right"
    )
    assert grade(f"{value} thousand").ending == "wrong"


@pytest.mark.data
def test_routing_rows_say_where_they_go_and_whether_they_go_up(data):
    suite = find_suites(["moslm-route"], data)[0]
    assert len(suite.cases) == 4192
    assert all(each.only_routed and each.escalate is not None for each in suite.cases)
    assert {each.tags["task"] for each in suite.cases} == {"one", "multi", "novel", "explicit"}


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"id": "a", "question": "?", "answer": "x", "answer_type": "poem"}, "answer_type = 'poem': no such type"),
        ({"id": "a", "question": "?", "answer_type": "exact"}, "answer: is missing"),
        ({"question": "?", "answer": "x", "answer_type": "exact"}, "id: is missing"),
    ],
)
def test_a_public_row_that_cannot_be_graded_is_named(tmp_path, row, told):
    (tmp_path / "set.jsonl").write_text(json.dumps(row))
    with pytest.raises(ConfigError, match=rf"set\.jsonl:1: {told}"):
        public_suites(tmp_path)


def test_a_folder_without_data_sets_is_told(tmp_path):
    with pytest.raises(ConfigError, match="holds no data sets"):
        public_suites(tmp_path)
