"""Bars that lie: one figure a line with its interval, the parts of a sum, or how far a figure moves to either side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from moslm.reports.axes import Axis, Scale, scale
from moslm.reports.frame import WIDTH, Mark, colour, drawing, figure, hover, label
from moslm.reports.markup import Html, joined, tag

_ROW, _THICK, _LEFT, _RIGHT, _TOP = 30.0, 18.0, 200.0, 70.0, 8.0
_LONGEST = 30
"""Characters of a label that fit beside the bars."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One figure.

    Attributes:
        label: What it is.
        value: The figure.
        interval: (low, high) it lies in.
        place: Whose colour it has, from 0.
    """

    label: str
    value: float
    interval: tuple[float, float] | None = None
    place: int = 0


@dataclass(frozen=True, slots=True)
class Swing:
    """How far a figure moves when one input does.

    Attributes:
        label: The input.
        low: The figure with the input at its low end.
        high: The figure with the input at its high end.
        ends: How the two ends of the input are written beside the bar.
    """

    label: str
    low: float
    high: float
    ends: tuple[str, str] = ("", "")


def bars(title: str, shown: Sequence[Bar], axis: Axis, *, held: Sequence[Mark] = (), under: str = "") -> Html:
    """Return a bar a figure, from zero."""
    reach = [0.0, *(each.value for each in shown), *(end for each in shown for end in each.interval or ())]
    along = _scale(axis, [*reach, *(mark.value for mark in held)])
    made = []
    for place, each in enumerate(shown):
        middle = _middle(place)
        made.append(_rectangle(along(0), along(each.value), middle, colour(each.place), _told(each, axis)))
        end = each.value
        if each.interval:
            low, high = each.interval
            made.append(tag("line", x1=along(low), x2=along(high), y1=middle, y2=middle, class_="whisker"))
            end = max(high, each.value)
        made.append(label(along(max(end, 0)) + 6, middle + 4, axis.write(each.value)))
    return _whole(title, [each.label for each in shown], along, axis, made, held, under)


def stacked(title: str, rows: Sequence[tuple[str, Sequence[float]]], names: Sequence[str], axis: Axis, *,
            under: str = "") -> Html:  # fmt: skip
    """Return a bar a row, made of its parts; the sum stands at its end.

    Args:
        title: What it shows.
        rows: (label, the parts in the order of the names); none may be negative.
        names: What the parts are.
        axis: What is measured.
        under: One line under the title.

    Raises:
        ValueError: A part is negative, or a row has other than one part a name.
    """
    for told, parts in rows:
        if len(parts) != len(names) or min(parts, default=0.0) < 0:
            raise ValueError(f"{title}: {told} must have one part a name, none of them negative")
    along = _scale(axis, [0.0, *(sum(parts) for _, parts in rows)])
    made = []
    for place, (told, parts) in enumerate(rows):
        begun = 0.0
        for i, part in enumerate(parts):
            if part > 0:
                words = f"{told}, {names[i]}: {axis.write(part)}"
                made.append(_rectangle(along(begun), along(begun + part), _middle(place), colour(i), words))
            begun += part
        made.append(label(along(begun) + 6, _middle(place) + 4, axis.write(begun)))
    return _whole(title, [told for told, _ in rows], along, axis, made, (), under, names)


def tornado(title: str, swings: Sequence[Swing], middle: float, axis: Axis, *, under: str = "") -> Html:
    """Return how far a figure moves with each input, around where it stands; the caller sorts.

    Args:
        title: What it shows.
        swings: An input each.
        middle: The figure with every input as it is.
        axis: What is measured.
        under: One line under the title.
    """
    ends = [middle, *(end for each in swings for end in (each.low, each.high))]
    # what is written beside the longest bars takes room as well
    room = 0.2 * (max(ends) - min(ends)) if any(any(each.ends) for each in swings) else 0.0
    along = _scale(axis, [min(ends) - room, max(ends) + room, *ends])
    made = []
    for place, each in enumerate(swings):
        for end, series, written in ((each.low, 0, each.ends[0]), (each.high, 1, each.ends[1])):
            words = f"{each.label} {written}: {axis.write(end)}"
            made.append(_rectangle(along(middle), along(end), _middle(place), colour(series), words))
            leftwards = end < middle or (end == middle and series == 0)
            side = along(end) + (-6 if leftwards else 6)
            anchor = "end" if leftwards else "start"
            made.append(label(side, _middle(place) + 4, written, anchor=anchor, quiet=True))
    held = [Mark(middle, axis.write(middle))]
    names = ["input at its low end", "input at its high end"]
    return _whole(title, [each.label for each in swings], along, axis, made, held, under, names)


def _whole(title: str, labels: Sequence[str], along: Scale, axis: Axis, made: Sequence[Html], held: Sequence[Mark],
           under: str, names: Sequence[str] = ()) -> Html:  # fmt: skip
    bottom = _TOP + _ROW * max(len(labels), 1)
    grid = []
    for tick in along.ticks():
        place = along(tick)
        grid.append(tag("line", x1=place, x2=place, y1=_TOP, y2=bottom, class_="grid"))
        grid.append(label(place, bottom + 18, axis.write(tick), anchor="middle", quiet=True))
    told = [label(_LEFT - 10, _middle(i) + 4, _short(each), anchor="end") for i, each in enumerate(labels)]
    lines = []
    for mark in held:
        place = along(mark.value)
        lines.append(tag("line", x1=place, x2=place, y1=_TOP - 4, y2=bottom, class_="mark"))
    for mark in held:
        lines.append(label(along(mark.value), bottom + 34, mark.label, anchor="middle"))
    middle = (_LEFT + WIDTH - _RIGHT) / 2
    below = 52.0 if held else 36.0
    words = label(middle, bottom + below, axis.label, anchor="middle", quiet=True)
    whole = drawing(title, bottom + below + 8, joined(*grid), joined(*made), joined(*lines), joined(*told), words)
    return figure(title, whole, under=under, names=names)


def _scale(axis: Axis, values: Sequence[float]) -> Scale:
    return scale(axis, values, _LEFT, WIDTH - _RIGHT)


def _middle(place: int) -> float:
    return _TOP + _ROW * (place + 0.5)


def _rectangle(begin: float, end: float, middle: float, series: str, told: str) -> Html:
    left, width = min(begin, end), abs(end - begin)
    return tag("rect", hover(told), x=left, y=middle - _THICK / 2, width=width, height=_THICK, rx=2.0,
               class_=f"bar fill {series}")  # fmt: skip


def _told(bar: Bar, axis: Axis) -> str:
    within = f" ({axis.write(bar.interval[0])} to {axis.write(bar.interval[1])})" if bar.interval else ""
    return f"{bar.label}: {axis.write(bar.value)}{within}"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
