"""Where the boxes, lines and labels of a drawn graph go: a spine of steps with lanes beside it.

The steps stand one below the other in the order a request meets them. An edge to the next step is a straight arrow;
every other edge leaves its step sideways, runs down (or, on the way back, up) a lane of its own and comes in again. A
lane is as wide as its label, and labels stand between two rows, where no line runs sideways: so nothing can overlap.

Pure geometry in abstract units; knows nothing of pictures or of what the steps do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

BOX_HEIGHT, ROW_HEIGHT, MARGIN = 46.0, 92.0, 28.0
_LANE_GAP, _BOX_PADDING, _LABEL_HEIGHT = 18.0, 26.0, 20.0

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Link:
    """One edge to draw."""

    source: str
    target: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle by its centre."""

    x: float
    y: float
    width: float
    height: float

    def overlaps(self, other: Rect) -> bool:
        """Tell whether the two share any area."""
        near_x = abs(self.x - other.x) * 2 < self.width + other.width
        return near_x and abs(self.y - other.y) * 2 < self.height + other.height


@dataclass(frozen=True, slots=True)
class Line:
    """One drawn edge: its corners from source to target, and where its label stands."""

    link: Link
    corners: tuple[Point, ...]
    label: Rect | None


@dataclass(frozen=True, slots=True)
class Layout:
    """Everything with its place; the origin is the top left corner."""

    width: float
    height: float
    boxes: Mapping[str, Rect]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class _Lane:
    side: Literal[-1, 1]
    number: int


def lay_out(names: Sequence[str], links: Sequence[Link], text_width: Callable[[str], float]) -> Layout:
    """Place a graph.

    Args:
        names: The steps from top to bottom.
        links: The edges between them.
        text_width: How wide a label is, its surroundings included.
    """
    rows = {name: row for row, name in enumerate(names)}
    lanes = _lanes([link for link in links if rows[link.target] - rows[link.source] != 1], rows)
    box_width = max(text_width(name) for name in names) + 2 * _BOX_PADDING
    straight_labels = [text_width(link.label) for link in links if link not in lanes]
    spine = max(box_width, *straight_labels, 0.0)
    offsets = _offsets(lanes, spine, text_width)
    left = max([0.0, *(-x for x in offsets.values())], default=0.0)
    centre = MARGIN + max(spine / 2, left + _widest(lanes, offsets, -1, text_width))
    right = max(spine / 2, max([0.0, *offsets.values()]) + _widest(lanes, offsets, 1, text_width))
    boxes = {
        name: Rect(centre, MARGIN + ROW_HEIGHT * row + BOX_HEIGHT / 2, box_width, BOX_HEIGHT)
        for name, row in rows.items()
    }
    ports = _ports(lanes, rows)
    straight = [_straight(link, boxes, text_width) for link in links if link not in lanes]
    around = [_around(link, lane, centre + offsets[lane], boxes, ports, text_width) for link, lane in lanes.items()]
    height = MARGIN * 2 + ROW_HEIGHT * (len(names) - 1) + BOX_HEIGHT
    return Layout(centre + right + MARGIN, height, boxes, (*straight, *around))


def _lanes(links: Sequence[Link], rows: Mapping[str, int]) -> dict[Link, _Lane]:
    """Give each edge a lane: short ones inside, ways back and the longest ways on the left."""
    taken: dict[_Lane, list[tuple[int, int]]] = {}
    lanes: dict[Link, _Lane] = {}
    for link in sorted(links, key=lambda each: abs(rows[each.target] - rows[each.source])):
        first, last = sorted((rows[link.source], rows[link.target]))
        back = rows[link.target] < rows[link.source]
        side: Literal[-1, 1] = -1 if back or last - first > len(rows) / 2 else 1
        number = 0
        while any(first < end and begin < last for begin, end in taken.get(_Lane(side, number), [])):
            number += 1
        lanes[link] = _Lane(side, number)
        taken.setdefault(lanes[link], []).append((first, last))
    return lanes


def _offsets(lanes: Mapping[Link, _Lane], spine: float, text_width: Callable[[str], float]) -> dict[_Lane, float]:
    """Return how far each lane lies from the spine, negative on the left."""
    offsets: dict[_Lane, float] = {}
    for side in (-1, 1):
        edge = spine / 2 + _LANE_GAP
        for number in sorted({lane.number for lane in lanes.values() if lane.side == side}):
            half = max(text_width(link.label) for link, lane in lanes.items() if lane == _Lane(side, number)) / 2
            offsets[_Lane(side, number)] = side * (edge + half)
            edge += 2 * half + _LANE_GAP
    return offsets


def _widest(
    lanes: Mapping[Link, _Lane], offsets: Mapping[_Lane, float], side: int, text_width: Callable[[str], float]
) -> float:
    outer = max((lane for lane in offsets if lane.side == side), key=lambda lane: lane.number, default=None)
    return max((text_width(link.label) for link, lane in lanes.items() if lane == outer), default=0.0) / 2


def _ports(lanes: Mapping[Link, _Lane], rows: Mapping[str, int]) -> dict[tuple[Link, str], float]:
    """Return how far from its box's middle each sideways edge leaves or comes in.

    What comes from above comes in above what leaves downwards, and outer lanes pass inner ones without crossing.
    """
    ports: dict[tuple[Link, str], float] = {}
    for name in rows:
        for side in (-1, 1):
            ends = [
                (link, lane) for link, lane in lanes.items() if lane.side == side and name in (link.source, link.target)
            ]
            ends.sort(key=lambda end: _turn(end[0], end[1], name, rows))
            step = BOX_HEIGHT * 0.7 / max(len(ends), 1)
            for place, (link, _) in enumerate(ends):
                ports[link, name] = (place - (len(ends) - 1) / 2) * step
    return ports


def _turn(link: Link, lane: _Lane, name: str, rows: Mapping[str, int]) -> tuple[int, int]:
    other = link.target if name == link.source else link.source
    if rows[other] < rows[name]:
        return (0, lane.number)
    return (1, -lane.number)


def _straight(link: Link, boxes: Mapping[str, Rect], text_width: Callable[[str], float]) -> Line:
    source, target = boxes[link.source], boxes[link.target]
    top, bottom = source.y + BOX_HEIGHT / 2, target.y - BOX_HEIGHT / 2
    label = Rect(source.x, (top + bottom) / 2, text_width(link.label), _LABEL_HEIGHT) if link.label else None
    return Line(link, ((source.x, top), (target.x, bottom)), label)


def _around(
    link: Link,
    lane: _Lane,
    x: float,
    boxes: Mapping[str, Rect],
    ports: Mapping[tuple[Link, str], float],
    text_width: Callable[[str], float],
) -> Line:
    source, target = boxes[link.source], boxes[link.target]
    leave, enter = source.y + ports[link, link.source], target.y + ports[link, link.target]
    side = lane.side * source.width / 2
    corners = ((source.x + side, leave), (x, leave), (x, enter), (target.x + side, enter))
    # in the gap next to the source, so that a reader finds all the ways out of a step side by side
    gap = source.y + (ROW_HEIGHT / 2 if target.y > source.y else -ROW_HEIGHT / 2)
    label = Rect(x, gap, text_width(link.label), _LABEL_HEIGHT) if link.label else None
    return Line(link, corners, label)
