from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moslm.reports.axes import Axis
from moslm.reports.bars import Bar, Swing, bars, stacked, tornado
from moslm.reports.blocks import code, folded, note, paragraph, section, table, tiles
from moslm.reports.heatmap import heatmap
from moslm.reports.histogram import histogram
from moslm.reports.markup import Html, joined, tag
from moslm.reports.page import page
from moslm.reports.xy import Series, xy


class _Elements(HTMLParser):
    """Every element and attribute a browser would see, and the text between."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def _everything(word: str) -> str:
    x = Axis(word)
    return page(
        word,
        section(word, word, note(word), paragraph(word, code(word)), table([word], [[word]]), folded(word, word)),
        tiles([(word, word, word)]),
        xy(word, [Series(word, [(1, 2), (2, 3)], labels=[word, word]), Series(word, [(1, 1)])], x, x, under=word),
        bars(word, [Bar(word, 1.0)], x),
        stacked(word, [(word, [1.0, 2.0])], [word, word], x),
        tornado(word, [Swing(word, 1, 3)], 2, x),
        histogram(word, [1, 2], [0, 1, 2], x, count=word),
        heatmap(word, [word], [word], [[1.0]], across=word, down=word, write=lambda _: word),
        lead=word,
        foot=word,
    )


HARMLESS = _Elements(_everything("x")).elements


@given(
    st.text(min_size=1, max_size=40) | st.sampled_from(["</style><script>", '" onload="x', "&lt;b&gt;", "<!--", "]]>"])
)
def test_no_text_of_others_ever_becomes_markup(word: str) -> None:
    assert _Elements(_everything(word)).elements == HARMLESS


def test_text_is_shown_as_it_was_written() -> None:
    assert "a <b> & 'c'" in _Elements(tag("p", "a <b> & 'c'")).text


def test_markup_made_here_is_not_escaped_again() -> None:
    assert joined(tag("b", "1 < 2"), "<") == "<b>1 &lt; 2</b>&lt;"


def test_attributes_that_say_nothing_are_left_out() -> None:
    assert tag("p", class_=None, hidden=False, open=True, x=1.5, data_a="1") == '<p open x="1.5" data-a="1"></p>'


def test_html_is_not_made_of_a_formatted_text() -> None:
    assert not isinstance(Html("<b>") + "<i>", Html)


@pytest.mark.parametrize("wrong", [float("nan"), float("inf")])
def test_a_figure_that_is_none_is_not_drawn(wrong: float) -> None:
    with pytest.raises(ValueError, match="cannot be drawn"):
        xy("t", [Series("a", [(0, wrong)])], Axis("x"), Axis("y"))
    with pytest.raises(ValueError, match="cannot be drawn"):
        tag("line", x1=wrong)
