import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moslm.reports.axes import Axis, percent, plain, scale
from moslm.reports.bars import Bar, Swing, bars, stacked, tornado
from moslm.reports.frame import Mark
from moslm.reports.heatmap import heatmap
from moslm.reports.histogram import histogram
from moslm.reports.xy import Series, xy

FIGURES = st.floats(-1e9, 1e9, allow_nan=False)


@given(st.lists(FIGURES, min_size=1, max_size=20))
def test_every_figure_lies_between_the_ends_of_its_axis(values: list[float]) -> None:
    made = scale(Axis("x"), values, 0, 100)
    assert all(-1e-6 <= made(each) <= 100 + 1e-6 for each in values)
    assert 2 <= len(made.ticks()) <= 14


@given(st.lists(st.floats(1e-6, 1e9), min_size=1, max_size=20))
def test_equal_factors_are_equal_steps(values: list[float]) -> None:
    made = scale(Axis("x", log=True), values, 0, 100)
    assert made(made.low * 2) - made(made.low) == pytest.approx(made(made.low * 6) - made(made.low * 3))


def test_round_numbers_stand_along_an_axis() -> None:
    assert scale(Axis("x"), [0, 13_167], 0, 1).ticks() == [0, 2500, 5000, 7500, 10_000, 12_500, 15_000]
    assert scale(Axis("x", log=True), [1, 5000], 0, 1).ticks() == [1, 10, 100, 1000]


def test_a_figure_without_a_logarithm_is_refused() -> None:
    with pytest.raises(ValueError, match="equal factors"):
        scale(Axis("cost", log=True), [0, 1], 0, 1)


def test_figures_are_written_as_people_read_them() -> None:
    assert (plain(13166.67), plain(0.125), plain(0), percent(0.5611)) == ("13,167", "0.125", "0", "56.1 %")


def test_a_higher_figure_stands_higher() -> None:
    made = xy("t", [Series("a", [(0, 1), (1, 2)], dots=True)], Axis("x"), Axis("y"))
    first, second = (float(each) for each in re.findall(r'cy="([\d.]+)"', made))
    assert second < first


def test_steps_hold_until_the_next_point() -> None:
    made = xy("t", [Series("a", [(0, 0), (1, 1)], drawn="step")], Axis("x"), Axis("y"))
    points = re.search(r'polyline points="([^"]+)"', made)
    assert points is not None
    places = [tuple(map(float, each.split(","))) for each in points[1].split()]
    assert len(places) == 3
    assert all(a[0] == b[0] or a[1] == b[1] for a, b in pairwise(places))


def test_several_series_have_a_legend_and_one_has_none() -> None:
    one = xy("t", [Series("alone", [(0, 0), (1, 1)])], Axis("x"), Axis("y"))
    two = xy("t", [Series("first", [(0, 0), (1, 1)]), Series("second", [(0, 1)])], Axis("x"), Axis("y"))
    assert "legend" not in one
    assert "first" in two.split("<svg")[0]


def test_a_band_lies_around_its_line() -> None:
    made = xy("t", [Series("a", [(0, 1), (1, 2)], interval=[(0, 2), (1, 3)])], Axis("x"), Axis("y"))
    assert "band" in made


def test_an_interval_is_missing() -> None:
    with pytest.raises(ValueError, match="one interval"):
        xy("t", [Series("a", [(0, 1), (1, 2)], interval=[(0, 2)])], Axis("x"), Axis("y"))


def test_a_mark_outside_the_axes_is_left_out() -> None:
    held = [Mark(0.5, "inside"), Mark(99, "outside")]
    made = xy("t", [Series("a", [(0, 1), (1, 2)])], Axis("x"), Axis("y"), held=held)
    assert "inside" in made
    assert "outside" not in made


def test_a_bar_is_as_long_as_its_figure() -> None:
    made = bars("t", [Bar("a", 10), Bar("b", 5, (4, 6))], Axis("x"))
    first, second = (float(each) for each in re.findall(r'rect x="[\d.]+" y="[\d.]+" width="([\d.]+)"', made))
    assert first == pytest.approx(2 * second, abs=0.02)
    assert made.count("whisker") == 1


def test_a_sum_stands_at_the_end_of_its_parts() -> None:
    made = stacked("t", [("now", [4167, 3000, 6000])], ["hardware", "operating", "large model"], Axis("x"))
    assert ">13,167<" in made
    with pytest.raises(ValueError, match="negative"):
        stacked("t", [("now", [-1.0])], ["hardware"], Axis("x"))


def test_a_tornado_spreads_from_where_the_figure_stands() -> None:
    made = tornado("t", [Swing("share", 20, 5, ("16 %", "24 %"))], 10, Axis("x"))
    assert made.count("<rect") == 2
    # the low end of the input is the high one of the figure
    place = {text: float(x) for x, text in re.findall(r'<text x="([\d.]+)"[^>]*>(16 %|24 %)<', made)}
    assert place["24 %"] < place["16 %"]


def test_a_histogram_needs_its_edges() -> None:
    made = histogram("t", [1, 4, 2], [0, 1, 2, 3], Axis("x"))
    assert made.count("<rect") == 3
    with pytest.raises(ValueError, match="edges"):
        histogram("t", [1, 4, 2], [0, 1, 2], Axis("x"))


def test_a_confusion_matrix_writes_every_count() -> None:
    made = heatmap("t", ["a", "b"], ["a", "b"], [[90, 10], [5, 95]], shade=[[0.9, 0.1], [0.05, 0.95]])
    assert all(f">{each}<" in made for each in (90, 10, 5, 95))
    with pytest.raises(ValueError, match="one figure for each"):
        heatmap("t", ["a"], ["a", "b"], [[1]])


def test_a_series_may_share_the_colour_of_another_and_then_stands_in_no_legend():
    line, point = Series("kept", [(0.0, 1.0), (1.0, 2.0)]), Series("promised", [(0.5, 1.5)], "points", place=0)
    made = xy("t", [line, Series("other", [(0.0, 0.0)]), point], Axis("x"), Axis("y"))
    assert made.count('<g class="s1">') == 2
    assert "<li><i" in made
    assert "promised</li>" not in made
