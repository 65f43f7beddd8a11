import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moslm.governance.wording import counted, dollars, listed, milliseconds, number, pair, printable, sentence


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "$0"),
        (0.00277, "$0.00277"),
        (0.0000004, "$0.000000400"),
        (0.5, "$0.500"),
        (12.345, "$12.35"),
        (-0.002, "-$0.00200"),
        (None, "unknown"),
        (math.nan, "unknown"),
    ],
)
def test_dollars_keep_three_figures_below_one(value, text):
    assert dollars(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.04, "0.0 ms"), (9.94, "9.9 ms"), (9.96, "10 ms"), (412.4, "412 ms"), (12_345, "12.3 s"), (math.inf, "unknown")],
)
def test_times_are_as_fine_as_they_are_short(value, text):
    assert milliseconds(value) == text


def test_lists_read_as_in_a_sentence():
    assert [listed([]), listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])] == [
        "none",
        "a",
        "a and b",
        "a, b and c",
    ]


def test_counts_agree_with_their_noun():
    assert (counted(1, "call"), counted(2000, "call")) == ("1 call", "2,000 calls")


@given(st.text())
def test_text_from_outside_becomes_one_printable_line(text):
    assert printable(text).isprintable()


def test_an_escape_sequence_cannot_steer_the_terminal():
    assert printable("red \x1b[31m\nnext") == "red [31m next"


def test_sentences_begin_with_a_capital_and_end_with_a_stop():
    assert [sentence("no large model"), sentence("Done!"), sentence(" \n")] == ["No large model.", "Done!", ""]


def test_what_is_no_number_is_unknown():
    assert [number(None), number(math.nan), number(math.inf), number(0.625, 1)] == [
        "unknown",
        "unknown",
        "unknown",
        "0.6",
    ]


def test_a_figure_just_below_its_limit_does_not_look_equal_to_it():
    assert pair(0.7996, 0.8) == ("0.7996", "0.8000")
    assert pair(0.8, 0.8) == ("0.80", "0.80")
