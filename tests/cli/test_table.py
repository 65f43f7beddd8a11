import io

import pytest
from decision_samples import a_decision, an_unsure_decision, any_decisions
from hypothesis import given, settings
from hypothesis import strategies as st

from moslm.cli.decision_view import decision_table
from moslm.cli.style import PLAIN, WIDTH, Style, safe, style_for
from moslm.cli.table import columns, items, labelled, paragraphs
from moslm.decision import Classification, DraftRecord, Recalled, Usage

_cells = st.text(st.characters(categories=["L", "N", "P"]), max_size=60)


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_columns_are_as_wide_as_their_widest_cell_and_figures_stand_right():
    assert columns(["name", "cost"], [["a", "1"], ["bcdef", "22"]], right="cost").split("\n") == [
        "name   cost",
        "a         1",
        "bcdef    22",
    ]


@given(st.lists(st.lists(_cells, min_size=6, max_size=6), max_size=8))
def test_no_table_is_wider_than_the_terminal(rows):
    assert all(len(line) <= WIDTH for line in columns(list("abcdef"), rows).split("\n"))


def test_a_cell_that_does_not_fit_says_so():
    assert columns(["a", "b"], [["x" * 200, "y"]]).split("\n")[1] == "x" * 96 + "…  y"


def test_labelled_lines_break_between_items_and_hang():
    text = labelled([("steps", items([f"step{i} 10 ms" for i in range(9)])), ("nothing", ""), ("total", "90 ms")])
    assert text.split("\n") == [
        "  steps  " + " · ".join(f"step{i} 10 ms" for i in range(6)),
        "         step6 10 ms · step7 10 ms · step8 10 ms",
        "  total  90 ms",
    ]


def test_emphasis_is_for_terminals_that_want_it(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    assert style_for(Terminal()).bold("x") == "\x1b[1mx\x1b[0m"
    assert style_for(io.StringIO()).bold("x") == "x"
    monkeypatch.setenv("NO_COLOR", "1")
    assert style_for(Terminal()).dim("x") == "x"


def test_text_from_a_model_cannot_steer_the_terminal():
    assert safe("one\ttwo\nred\x1b[31m\x07") == "one\ttwo\nred [31m "


def test_paragraphs_keep_their_blank_lines():
    assert paragraphs("a b\n\nc d", 2) == "a\nb\n\nc\nd"


def test_the_decision_table_shows_what_was_decided_and_why():
    assert decision_table(an_unsure_decision()).split("\n") == [
        "  outcome     escalated to the large model (gpt-4o)",
        "  domain      finance 0.91 · it_support 0.05 · customer_service 0.03 · complex_reasoning 0.01",
        "  novelty     p = 0.430 ≥ 0.020, familiar",
        "  confidence  0.62 < 0.80, not accepted",
        "  fired       low_confidence: Confidence 0.62 is below 0.80.",
        "  tokens      smollm2 812 in, 74 out",
        "  cost        $0 · gpt-4o for everything $0.00277 · $0.00277 saved",
        "  latency     finance 312 ms of 500 ms, kept",
        "  steps       screen 1.2 ms · classify 0.6 ms · answer 312 ms",
        "  total       412 ms",
        "  decision    0b8f2c4e",
    ]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"drafts": []}, "confidence  no draft"),
        ({"first_token_ms": 90.0}, "first word  90 ms"),
        ({"usage": []}, "tokens      no model was asked"),
        ({"usage": [Usage(model="m", role="small", calls=2, known=False)]}, "m 0 in, 0 out, 2 calls (estimated)"),
        ({"classification": None}, "domain      not classified"),
        ({"outcome": "recalled", "answered_by": "memory"}, "outcome     remembered from an earlier request"),
        (
            {"outcome": "recalled", "recalled": Recalled(decision="d-1", how="semantic", similarity=0.93)},
            "outcome     remembered from decision d-1, 0.93 alike",
        ),
        (
            {"outcome": "handed_over", "refusal": "no large model"},
            "outcome     handed over to a person: no large model",
        ),
        ({"outcome": "answered", "answered_by": "person", "drafts": []}, "outcome     answered by person"),
        (
            {
                "drafts": [
                    DraftRecord(part="0", domain="finance", model="m", threshold=0.8, accepted=False, error="down")
                ]
            },
            "confidence  no draft, the model failed (down)",
        ),
        (
            {"drafts": [DraftRecord(part="0", domain="finance", model="m", threshold=0.8, accepted=False)]},
            "confidence  unknown, counts as below 0.80",
        ),
        (
            {
                "classification": Classification(
                    classifier="c", domain="a", probabilities={"a": 0.6, "b": 0.4}, domains=["a", "b"]
                )
            },
            "domain      a 0.60 · b 0.40 · spans a and b",
        ),
    ],
)
def test_what_is_missing_is_named_in_the_table(changes, line):
    assert line in decision_table(a_decision(**changes))


@given(any_decisions)
@settings(max_examples=100, deadline=None)
def test_any_decision_has_a_table_that_fits(decision):
    table = decision_table(decision)
    assert all(len(line) <= WIDTH for line in table.split("\n"))
    assert " nan" not in table
    assert " None" not in table
    assert decision_table(decision, Style(True)).replace("\x1b[1m", "").replace("\x1b[2m", "").replace(
        "\x1b[0m", ""
    ) == decision_table(decision, PLAIN)
