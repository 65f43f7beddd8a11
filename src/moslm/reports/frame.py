"""What every chart has: its caption, its legend, its grid and its labelled axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from moslm.reports.axes import Axis, Scale
from moslm.reports.markup import Html, joined, tag

WIDTH = 680.0
SERIES = 8
"""Colours there are; more series than that share them."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A line across a chart that figures are held against, such as a target.

    Attributes:
        value: Where it stands.
        label: What it is.
        along: ``x``: it stands upright at this figure of the horizontal axis; ``y``: it lies at one of the other.
    """

    value: float
    label: str
    along: str = "x"


@dataclass(frozen=True, slots=True)
class Box:
    """Where the figures are drawn, inside the labels."""

    left: float = 64.0
    top: float = 26.0
    right: float = WIDTH - 16.0
    bottom: float = 290.0

    @property
    def height(self) -> float:
        """Height of the whole drawing, with the labels under it."""
        return self.bottom + 44.0


def colour(place: int) -> str:
    """Return the class that gives a series its colour, by its place."""
    return f"s{place % SERIES + 1}"


def figure(title: str, drawing: Html, *, under: str = "", names: Sequence[str] = ()) -> Html:
    """Return a drawing with its caption, and a legend where there are several names.

    Args:
        title: What it shows.
        drawing: The drawing.
        under: One line under the title: how to read it, n, intervals.
        names: Name of each series, in the order of their colours.
    """
    caption = tag("figcaption", title, tag("small", under) if under else "")
    keys = [tag("li", tag("i", class_=colour(i)), name) for i, name in enumerate(names)]
    legend = tag("ul", *keys, class_="legend") if len(keys) > 1 else ""
    return tag("figure", caption, legend, drawing)


def drawing(title: str, height: float, *parts: str) -> Html:
    """Return an SVG as wide as the page; its title is what a screen reader says."""
    return tag("svg", *parts, viewBox=f"0 0 {WIDTH:.0f} {height:.0f}", role="img", aria_label=title)


def label(x: float, y: float, text: str, *, anchor: str = "start", quiet: bool = False) -> Html:
    """Return words in a drawing."""
    return tag("text", text, x=x, y=y, text_anchor=anchor, class_="quiet" if quiet else None)


def hover(text: str) -> Html:
    """Return what is shown when the pointer rests on the element it stands in."""
    return tag("title", text)


def axes(box: Box, x: Axis, y: Axis, across: Scale, up: Scale) -> Html:
    """Return the grid, the round numbers along both axes, and what they measure."""
    made = []
    for tick in up.ticks():
        place = up(tick)
        made.append(tag("line", x1=box.left, x2=box.right, y1=place, y2=place, class_="grid"))
        made.append(label(box.left - 8, place + 4, y.write(tick), anchor="end", quiet=True))
    for tick in across.ticks(6):
        place = across(tick)
        made.append(tag("line", x1=place, x2=place, y1=box.bottom, y2=box.bottom + 5, class_="axis"))
        made.append(label(place, box.bottom + 19, x.write(tick), anchor="middle", quiet=True))
    made.append(tag("line", x1=box.left, x2=box.right, y1=box.bottom, y2=box.bottom, class_="axis"))
    made.append(label((box.left + box.right) / 2, box.bottom + 38, x.label, anchor="middle", quiet=True))
    if y.label:
        made.append(label(box.left, box.top - 12, y.label, quiet=True))
    return joined(*made)


def marks(box: Box, shown: Sequence[Mark], across: Scale, up: Scale) -> Html:
    """Return the lines that figures are held against; one outside the axes is left out."""
    made = []
    for each in shown:
        if each.along == "x" and across.low <= each.value <= across.high:
            place = across(each.value)
            made.append(tag("line", x1=place, x2=place, y1=box.top, y2=box.bottom, class_="mark"))
            late = place > (box.left + box.right) / 2
            made.append(label(place + (-5 if late else 5), box.top + 10, each.label, anchor="end" if late else "start"))
        elif each.along == "y" and up.low <= each.value <= up.high:
            place = up(each.value)
            made.append(tag("line", x1=box.left, x2=box.right, y1=place, y2=place, class_="mark"))
            made.append(label(box.right, place - 5, each.label, anchor="end"))
    return joined(*made)
