"""Figures against figures: lines, steps and points in one chart, with bands and intervals where they are known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from moslm.reports.axes import Axis, Scale, scale
from moslm.reports.frame import Box, Mark, axes, colour, drawing, figure, hover, label, marks
from moslm.reports.markup import Html, plain_number, tag

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Series:
    """One set of figures.

    Attributes:
        name: What it is called in the legend.
        points: (x, y), in the order they are joined.
        drawn: As a line, as steps that hold until the next point, or as points alone.
        interval: (low, high) of y at each point: a band around a line, whiskers on points.
        labels: What is written beside each point; empty writes nothing.
        dashed: Whether the line is broken: something assumed, or a reference.
        dots: Whether the points of a line are shown too.
        place: The series before it whose colour it shares, from 0; it then stands in no legend. None has its own.
    """

    name: str
    points: Sequence[Point]
    drawn: Literal["line", "step", "points"] = "line"
    interval: Sequence[Point] = ()
    labels: Sequence[str] = ()
    dashed: bool = False
    dots: bool = False
    place: int | None = None


def xy(title: str, series: Sequence[Series], x: Axis, y: Axis, *, held: Sequence[Mark] = (), under: str = "") -> Html:
    """Return a chart of figures against figures.

    Args:
        title: What it shows.
        series: What is drawn, each in its colour.
        x: The horizontal axis.
        y: The vertical one.
        held: Lines that the figures are held against.
        under: One line under the title.

    Raises:
        ValueError: A figure is not finite, a series has other than one interval or label a point, or an axis of equal
            factors meets a figure that is not positive.
    """
    for each in series:
        if {len(each.interval), len(each.labels)} - {0, len(each.points)}:
            raise ValueError(f"{title}: {each.name} must have one interval and one label a point, or none")
    box = Box()
    across = scale(x, [point[0] for each in series for point in each.points], box.left, box.right)
    heights = [value for each in series for value in _heights(each)]
    up = scale(y, heights, box.bottom, box.top)
    drawn = [tag("g", *_parts(each, across, up, x, y), class_=colour(place if each.place is None else each.place))
             for place, each in enumerate(series)]  # fmt: skip
    made = drawing(title, box.height, axes(box, x, y, across, up), marks(box, held, across, up), *drawn)
    return figure(title, made, under=under, names=[each.name for each in series if each.place is None])


def _heights(series: Series) -> Iterator[float]:
    yield from (height for _, height in series.points)
    for interval in series.interval:
        yield from interval


def _parts(series: Series, across: Scale, up: Scale, x: Axis, y: Axis) -> Iterator[Html]:
    lined = series.drawn != "points"
    if series.interval and lined:
        yield _band(series, across, up)
    if lined and len(series.points) > 1:
        places = [(across(each[0]), up(each[1])) for each in _cornered(series)]
        style = "line stroke dashed" if series.dashed else "line stroke"
        yield tag("polyline", points=_written(places), class_=style)
    for place, point in enumerate(series.points):
        at = across(point[0]), up(point[1])
        if series.interval and not lined:
            low, high = series.interval[place]
            yield tag("line", x1=at[0], x2=at[0], y1=up(low), y2=up(high), class_="whisker")
        # what a pointer finds is larger than what is seen
        radius, shown = (4.5, "dot fill") if series.dots or not lined or len(series.points) == 1 else (7.0, None)
        told = hover(f"{series.name}: {x.label} {x.write(point[0])}, {y.label or 'y'} {y.write(point[1])}")
        yield tag("circle", told, cx=at[0], cy=at[1], r=radius, class_=shown, fill_opacity=None if shown else 0.0)
        if series.labels:
            late = at[0] > 0.75 * across.end
            yield label(at[0] + (-8 if late else 8), at[1] - 7, series.labels[place], anchor="end" if late else "start")


def _band(series: Series, across: Scale, up: Scale) -> Html:
    stepped = [Series("", [(p[0], i[side]) for p, i in zip(series.points, series.interval, strict=True)], series.drawn)
               for side in (0, 1)]  # fmt: skip
    low, high = ([(across(each[0]), up(each[1])) for each in _cornered(one)] for one in stepped)
    return tag("polygon", points=_written([*low, *reversed(high)]), class_="band fill")


def _cornered(series: Series) -> list[Point]:
    """Return the points of a line; between those of steps also the corners."""
    if series.drawn != "step":
        return list(series.points)
    corners = [each for (_, y), (x, below) in pairwise(series.points) for each in ((x, y), (x, below))]
    return [*series.points[:1], *corners]


def _written(places: Sequence[Point]) -> str:
    return " ".join(f"{plain_number(x)},{plain_number(y)}" for x, y in places)
