from hypothesis import given
from hypothesis import strategies as st

from moslm.cli.flow import Flow, fitted

WORDS = "Hotels are paid up to 140 euros a night, in Dublin and in capitals abroad up to 190 euros."


def flowed(pieces, width):
    flow = Flow(width)
    return "".join(map(flow.take, pieces)) + flow.end()


def test_lines_break_between_words_however_they_come():
    whole = "Hotels are paid up to 140\neuros a night, in Dublin\nand in capitals abroad up\nto 190 euros."
    assert flowed([WORDS], 25) == whole
    assert flowed(list(WORDS), 25) == whole


def test_words_are_shown_as_soon_as_they_end():
    flow = Flow(80)
    assert [flow.take("Ho"), flow.take("tels a"), flow.take("re "), flow.end()] == ["", "Hotels", " are", ""]


def test_pipes_and_files_get_the_text_as_it_is(capsys):
    assert fitted(f"  {WORDS * 9}  \n\n") == f"  {WORDS * 9}  \n\n"


@given(st.lists(st.text("ab \n", max_size=12)), st.integers(3, 20))
def test_no_word_is_lost_and_only_a_word_that_is_too_long_does_not_fit(pieces, width):
    shown = flowed(pieces, width)
    assert shown.split() == "".join(pieces).split()
    assert all(len(line) <= width or len(line.split()) == 1 for line in shown.split("\n"))
