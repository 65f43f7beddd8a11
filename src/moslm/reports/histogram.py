"""How often figures fall where: counts in bins that the caller made."""

from __future__ import annotations

from collections.abc import Sequence

from moslm.reports.axes import Axis, scale
from moslm.reports.frame import Box, Mark, axes, drawing, figure, hover, marks
from moslm.reports.markup import Html, tag


def histogram(title: str, counts: Sequence[float], edges: Sequence[float], x: Axis, *, held: Sequence[Mark] = (),
              under: str = "", count: str = "count") -> Html:  # fmt: skip
    """Return the counts of figures in bins.

    Args:
        title: What it shows.
        counts: How many fell into each bin.
        edges: Where the bins begin, and where the last one ends.
        x: What is counted.
        held: Lines at figures of it, such as a median.
        under: One line under the title.
        count: What the height is.

    Raises:
        ValueError: There is not one edge more than counts.
    """
    if len(edges) != len(counts) + 1:
        raise ValueError(f"{title}: {len(counts)} bins need {len(counts) + 1} edges, not {len(edges)}")
    box = Box()
    across = scale(x, edges, box.left, box.right)
    y = Axis(count, low=0.0)
    up = scale(y, [0.0, *counts], box.bottom, box.top)
    made = []
    for place, height in enumerate(counts):
        left, right = across(edges[place]), across(edges[place + 1])
        told = hover(f"{x.write(edges[place])} to {x.write(edges[place + 1])}: {y.write(height)}")
        size = {"x": left, "y": up(height), "width": right - left, "height": box.bottom - up(height)}
        made.append(tag("rect", told, class_="bar fill s1", **size))
    whole = drawing(title, box.height, axes(box, x, y, across, up), *made, marks(box, held, across, up))
    return figure(title, whole, under=under)
