"""An answer is right, wrong, or could not be read; and never the one where it is the other."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moslm.evals.cases import Case
from moslm.evals.graders import GRADERS
from moslm.evals.graders.agreement import agreement, kappa
from moslm.evals.graders.number import numbers_in
from moslm.evals.graders.rubric import Said, prefer, prompts, rubric
from moslm.evals.outcomes import Outcome


def graded(grader, expected, answer, **options):
    case = Case(id="1", question="What?", expected=expected, grader=grader, options=options)
    return GRADERS[grader](case)(answer)


def ending(grader, expected, answer, **options):
    return graded(grader, expected, answer, **options).ending


@pytest.mark.parametrize(
    ("expected", "answer", "found"),
    [
        ("HR Support", "hr support.", "right"),
        ("HR Support", "**Answer:** HR Support", "right"),
        (["yes", "true"], "True", "right"),
        ("true", "not true", "wrong"),
        ("1234", "1,234", "right"),
        ("true", "...", "wrong"),
        ("] }", " ] } ", "right"),
        ("true", "", "unparsed"),
    ],
)
def test_exact_ignores_case_and_edges(expected, answer, found):
    assert ending("exact", expected, answer) == found


def test_words_that_are_shared_are_a_part_of_the_points_where_that_is_asked_for():
    assert graded("exact", "diet coke", "a diet coke", words=True).score == pytest.approx(0.8)
    assert graded("exact", "diet coke", "coke diet", words=True).ending == "partly"
    assert graded("exact", "diet coke", "a diet coke").score == 0


@pytest.mark.parametrize(
    ("expected", "answer", "options", "found"),
    [
        (140, "Up to 140 euros a night.", {}, "right"),
        (140, "Up to 1,140 euros.", {}, "wrong"),
        (70000, "The profit is $70,000.", {}, "right"),
        (70000, "70.000,00 €", {}, "right"),
        (1.5, "1,5", {}, "right"),
        (1234.5, "1 234,5", {}, "right"),
        (18, "16 - 3 - 4 = 9 eggs, and 9 * 2 = $18 a day", {}, "right"),
        (18, "Answer: 18 dollars, from 9 eggs", {}, "unparsed"),
        (18, "#### 18\nThe answer is: 18", {}, "right"),
        (5, "5 or 7", {}, "unparsed"),
        (7, "between 5 and 7", {}, "unparsed"),
        (7, "5-7 days", {}, "unparsed"),
        (7, "It takes a week.", {}, "unparsed"),
        (-97, "(97)", {"scale": "thousand"}, "right"),
        (-97, "−97", {}, "right"),
        (97, "-97", {}, "wrong"),
        (96, "$96 million", {"scale": "million"}, "right"),
        (96, "96", {"scale": "million"}, "right"),
        (96, "96,000,000", {"scale": "million"}, "right"),
        (96, "0.096 billion", {"scale": "million"}, "right"),
        (96, "96 thousand", {"scale": "million"}, "wrong"),
        (35.38, "35.38 %", {"scale": "percent"}, "right"),
        (35.38, "35.38 percent", {"scale": "percent"}, "right"),
        (35.38, "0.3538", {"scale": "percent", "tolerance": 0.01}, "right"),
        (35.38, "0.3538%", {"scale": "percent"}, "wrong"),
        (35.38, "35.4%", {"scale": "percent", "tolerance": 0.05}, "right"),
        (35.38, "36%", {"scale": "percent"}, "wrong"),
        (0.62, "62%", {}, "right"),
        ("1.4%", "1.4", {}, "right"),
        (100, "£100", {"currency": "EUR"}, "wrong"),
        (100, "€100", {"currency": "EUR"}, "right"),
        (100, "100 units", {"relative": 0.01}, "right"),
        (100, "100.9", {"relative": 0.01}, "right"),
        (100, "102", {"relative": 0.01}, "wrong"),
        (1e6, "1.2.3", {}, "unparsed"),
        (2500, "2.5k", {}, "right"),
        (3, r"\boxed{3}", {}, "right"),
    ],
)
def test_a_number_is_read_however_it_is_written(expected, answer, options, found):
    assert ending("number", expected, answer, **options) == found, graded("number", expected, answer, **options)


@given(st.floats(-1e9, 1e9).map(lambda value: round(value, 2)))
def test_a_number_is_right_in_every_way_of_writing_it(value):
    bracketed = f"({abs(value):,.2f})" if value < 0 else f"{value:,.2f}"
    for text in (f"{value:,.2f}", f"It is {value:.2f}.", f"Answer: ${abs(value):,.2f}", bracketed):
        wanted = abs(value) if "$" in text else value
        assert ending("number", wanted, text) == "right", text


@given(st.integers(-(10**6), 10**6), st.integers(-(10**6), 10**6))
def test_another_number_is_never_right(wanted, said):
    assert (ending("number", wanted, f"The answer: {said}") == "right") == (wanted == said)


@pytest.mark.parametrize(
    ("expected", "answer", "options", "found"),
    [
        ("B", "B", {}, "right"),
        ("(B)", "(B)", {}, "right"),
        ("B", "B. OSPF", {}, "right"),
        ("B", "b", {}, "unparsed"),
        ("B", "The answer is (B).", {}, "right"),
        ("B", "I think that option B is best, because A network needs it.", {}, "right"),
        ("A", "A network needs a router.", {}, "unparsed"),
        ("I", "I would say it depends.", {}, "unparsed"),
        ("B", "(A) looks right, but (B) is.", {}, "unparsed"),
        ("B", "(A) looks right, but the answer is (B).", {}, "right"),
        (["C", "D", "F"], "C, D and F", {}, "right"),
        (["C", "D", "F"], "CDF", {}, "right"),
        (["C", "D", "F"], "Answer: C, D", {}, "wrong"),
        (["C", "D"], "(C) and (D)", {}, "right"),
        ("B", "It is OSPF.", {"choices": ["RIP", "OSPF"]}, "right"),
        ("B", "RIP or OSPF", {"choices": ["RIP", "OSPF"]}, "unparsed"),
        ("RIPv2", "RIPv2", {"choices": ["RIP", "RIPv2"]}, "right"),
        ("HR Support", "HR Support", {"choices": ["HR Support", "Access"], "letters": False}, "right"),
        ("Access", "HR Support", {"choices": ["HR Support", "Access"], "letters": False}, "wrong"),
        ("B", "J", {"choices": ["x", "y"]}, "unparsed"),
        ("B", "", {}, "unparsed"),
    ],
)
def test_a_choice_is_read_by_letter_or_by_words(expected, answer, options, found):
    assert ending("choice", expected, answer, **options) == found, graded("choice", expected, answer, **options)


@given(st.sets(st.sampled_from("ABCDEFGH"), min_size=1))
def test_letters_are_right_in_any_order(letters):
    mixed = random.Random(0).sample(sorted(letters), len(letters))
    assert ending("choice", sorted(letters), ", ".join(mixed)) == "right"
    assert ending("choice", sorted(letters), f"Answer: {' and '.join(mixed)}") == "right"


def test_members_count_for_what_they_share():
    assert graded("members", ["a", "b"], "b, a").ending == "right"
    assert graded("members", ["a", "b"], "- a\n- c").score == pytest.approx(0.5)
    assert graded("members", ["a", "b"], "Answer: a and b").ending == "right"
    assert graded("members", ["a", "b"], "c").ending == "wrong"
    assert graded("members", ["a", "b"], "a", whole=True).ending == "wrong"
    assert graded("members", ["a"], " ; ,").ending == "unparsed"


@given(st.sets(st.text("abcdefgh", min_size=1, max_size=5), min_size=1, max_size=6))
def test_members_are_right_in_any_order(names):
    mixed = random.Random(1).sample(sorted(names), len(names))
    assert graded("members", sorted(names), "; ".join(mixed)).score == 1.0


def test_json_counts_by_its_fields():
    wanted = {"order": 10233, "item": "Rain jacket", "sizes": ["M", "L"]}
    said = 'Here it is:\n```json\n{"order": 10233, "item": "rain jacket", "sizes": ["L", "M"], "more": 1}\n```'
    assert graded("json_value", wanted, said).ending == "right"
    assert graded("json_value", wanted, said, strict=True).ending == "wrong"
    assert graded("json_value", wanted, '{"order": 1, "item": "rain jacket"}').score == pytest.approx(1 / 3)
    assert graded("json_value", wanted, "order 10233").ending == "unparsed"
    assert graded("json_value", {"paid": True}, '{"paid": 1}').ending == "wrong"


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3)))
def test_what_is_expected_is_right(value):
    assert graded("json_value", {"field": value}, json.dumps({"field": value})).ending == "right"


def test_facts_tell_declining_from_being_wrong():
    wanted = {"accept": [140], "reject": ["dollars"]}
    assert ending("facts", wanted, "Up to 140 euros.") == "right"
    assert ending("facts", wanted, "140 dollars") == "wrong"
    assert ending("facts", wanted, "I do not know; ask finance.") == "declined"
    assert ending("facts", {"answerable": False}, "I do not know; ask finance.") == "right"
    assert ending("facts", {"answerable": False}, "140") == "wrong"


@pytest.mark.parametrize(
    ("grader", "expected", "options"),
    [
        ("exact", 5, {}),
        ("exact", "  ", {}),
        ("number", "five", {}),
        ("number", "5 or 6", {}),
        ("number", 5, {"scale": "dozen"}),
        ("number", 5, {"tolerance": -1}),
        ("number", True, {}),
        ("choice", "?", {}),
        ("choice", "E", {"choices": ["x", "y"]}),
        ("choice", [], {}),
        ("members", [], {}),
        ("json_value", [], {}),
        ("facts", {"accept": []}, {}),
        ("rubric", 3, {}),
    ],
)
def test_an_expectation_that_nothing_can_be_held_against_is_refused(grader, expected, options):
    with pytest.raises(ValueError, match=r"expects|scale|tolerance|Value error|choices"):
        graded(grader, expected, "5", **options)


EXPECTED = {
    "exact": "ok",
    "number": 5,
    "choice": "B",
    "members": ["a"],
    "json_value": {"a": 1},
    "facts": {"accept": ["ok"]},
    "rubric": "It is right.",
}


@pytest.mark.parametrize("grader", GRADERS)
@given(answer=st.text() | st.text('ABC ,.()0123456789-%${}":\n|', max_size=60))
def test_any_answer_at_all_is_graded(grader, answer):
    found = graded(grader, EXPECTED[grader], answer)
    assert (found.score is None) == (found.ending in ("unparsed", "declined"))
    assert found.score is None or 0 <= found.score <= 1
    assert (found.ending == "right") == (found.score == 1)


def test_every_grader_has_an_expectation_here():
    assert set(EXPECTED) == set(GRADERS)


@given(st.text())
def test_any_text_is_read_for_numbers(text):
    assert all(each.value == each.value for each in numbers_in(text))


def judge_that(*replies, usd=0.01):
    asked = []

    def judge(system, prompt, purpose):
        asked.append((prompt, purpose))
        return Said(replies[min(len(asked), len(replies)) - 1], usd)

    return judge, asked


@pytest.mark.parametrize(
    ("reply", "found", "score"),
    [
        ('{"why": "all there", "score": 5}', "right", 1.0),
        ('{"score": 4}', "right", 0.75),
        ('Well: {"score": 3, "why": "half"}', "partly", 0.5),
        ('{"score": 1}', "wrong", 0.0),
        ('{"score": 9}', "unparsed", None),
        ('{"score": true}', "unparsed", None),
        ("five", "unparsed", None),
    ],
)
def test_a_judge_grades_from_one_to_five_and_its_price_is_kept(reply, found, score):
    judge, _ = judge_that(reply)
    case = Case(id="7", question="Why?", expected="Says why.", grader="rubric")
    made = rubric(judge)(case)("Because.")
    assert (made.ending, made.score, made.usd) == (found, score, 0.01)


def test_an_answer_cannot_rewrite_what_the_judge_is_asked():
    judge, asked = judge_that('{"score": 1}')
    rubric(judge)(Case(id="7", question="{answer}", expected="Says why.", grader="rubric"))("{rubric} {question}")
    assert "{rubric} {question}" in asked[0][0]
    assert asked[0][0].count("Says why.") == 1


def test_a_judge_that_likes_the_first_place_prefers_neither():
    judge, asked = judge_that('{"better": "first"}')
    found = prefer(judge, "Why?", "Says why.", "one", "two", "compare 7")
    assert (found.first, found.swayed, found.usd) == (0.5, True, 0.02)
    assert [purpose for _, purpose in asked] == ["compare 7 0", "compare 7 1"]
    assert asked[0][0].index("one") < asked[0][0].index("two")
    assert asked[1][0].index("two") < asked[1][0].index("one")


def test_a_judge_that_knows_prefers_the_same_answer_in_both_orders():
    judge, _ = judge_that('{"better": "first"}', '{"better": "second"}')
    assert prefer(judge, "Why?", "Says why.", "one", "two", "c").first == 1.0
    deaf, _ = judge_that("no idea")
    assert prefer(deaf, "Why?", "Says why.", "one", "two", "c").first is None


def test_what_a_judge_is_asked_is_data():
    assert set(prompts()) == {"single", "pair"}


def outcomes(grades, right):
    made = {"suite": "s", "system": "moslm"}
    return [
        Outcome(
            case=str(i),
            group=str(i),
            ending="right" if is_right else "wrong",
            score=float(is_right),
            tags={"judged": str(grade)},
            **made,
        )
        for i, (grade, is_right) in enumerate(zip(grades, right, strict=True))
    ]


def test_a_judges_agreement_is_counted_beyond_chance():
    import numpy as np

    same = np.array([True, False, True, False])
    assert kappa(same, same) == 1.0
    assert kappa(same, ~same) == -1.0
    assert kappa(np.array([True, True]), np.array([True, True])) is None


def test_a_judge_below_the_stated_agreement_is_called_so():
    good = agreement(outcomes([5, 1] * 20, [True, False] * 20))
    assert good.is_enough
    assert good.kappa.value == 1.0
    kind = agreement(outcomes([5] * 39 + [1], [True, False] * 20))
    assert not kind.is_enough
    assert "do not rely" in kind.verdict
    assert kind.bias.value == pytest.approx(0.475)
    assert kind.bias.low is not None
    assert "no case" in agreement([]).verdict
