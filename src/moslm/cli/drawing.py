"""A laid-out graph as a PNG, drawn offline with Pillow (extra ``draw``); it knows places, not what stands there."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moslm.cli.layout import Layout, Line, Link, Point, Rect, lay_out
from moslm.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

_SCALE = 4
"""Drawn this much larger and then reduced, half of it for the picture's own sharpness."""
_SHRINK = 2
_RADIUS = 10.0
_INK, _LINE, _PAPER, _QUIET = "#1f2933", "#8795a6", "#ffffff", "#52606d"
_PALETTE = ("#dbeafe", "#dcfce7", "#fef3c7", "#fde2e4", "#ede9fe", "#cffafe", "#ffe8d6", "#e5e7eb")
"""Fills of the boxes, by group in the order of appearance."""


def draw_png(names: Sequence[str], links: Sequence[Link], groups: Mapping[str, str], file: Path) -> None:
    """Draw a graph into a PNG file.

    Args:
        names: The steps from top to bottom.
        links: The edges between them.
        groups: Which group each step belongs to; those of one group have one colour, and its name stands below theirs.
        file: Where the picture goes.

    Raises:
        MissingExtraError: Pillow is not installed.
        ConfigError: The file cannot be written.
    """
    try:
        from PIL import Image, ImageDraw, ImageFont
    except ImportError:
        raise MissingExtraError("moslm graph --png", "draw") from None
    name_font, label_font, group_font = (ImageFont.load_default(size * _SCALE) for size in (15, 12, 11))

    def text_width(text: str) -> float:
        return float(max(name_font.getlength(text) if text in names else label_font.getlength(text), 1)) / _SCALE + 10

    placed = lay_out(names, links, text_width)
    size = (math.ceil(placed.width * _SCALE), math.ceil(placed.height * _SCALE))
    image = Image.new("RGB", size, _PAPER)
    pen = _Pen(ImageDraw.Draw(image), name_font, label_font, group_font)
    pen.graph(placed, groups)
    reduced = image.resize((size[0] // _SHRINK, size[1] // _SHRINK), Image.Resampling.LANCZOS)
    try:
        reduced.save(file, format="PNG", optimize=True)
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror}", file=str(file)) from None


class _Pen:
    """Draws in the layout's units."""

    def __init__(self, draw: ImageDraw, name_font: Any, label_font: Any, group_font: Any) -> None:
        self._draw, self._fonts = draw, (name_font, label_font, group_font)

    def graph(self, placed: Layout, groups: Mapping[str, str]) -> None:
        colours = dict(zip(dict.fromkeys(groups.values()), _PALETTE, strict=False))
        for line in placed.lines:
            self.line(line)
        for line in placed.lines:
            self.label(line)
        for name, box in placed.boxes.items():
            group = groups.get(name, "")
            self.box(name, group, box, colours.get(group, _PAPER))

    def line(self, line: Line) -> None:
        points = _rounded(line.corners)
        self._draw.line([_scaled(point) for point in points], fill=_LINE, width=round(1.6 * _SCALE), joint="curve")
        self._arrow(line.corners[-2], line.corners[-1])

    def _arrow(self, before: Point, tip: Point) -> None:
        angle = math.atan2(tip[1] - before[1], tip[0] - before[0])
        wings = [(tip[0] - 8 * math.cos(angle + turn), tip[1] - 8 * math.sin(angle + turn)) for turn in (-0.45, 0.45)]
        self._draw.polygon([_scaled(point) for point in (tip, *wings)], fill=_LINE)

    def label(self, line: Line) -> None:
        if line.label is None:
            return
        self._draw.rounded_rectangle(_corners(line.label), radius=6 * _SCALE, fill=_PAPER)
        self._text(line.label.x, line.label.y, line.link.label, self._fonts[1], _QUIET)

    def box(self, name: str, group: str, box: Rect, colour: str) -> None:
        radius = (12 if group else box.height / 2) * _SCALE
        outline, width = (_INK, round(1.2 * _SCALE))
        self._draw.rounded_rectangle(_corners(box), radius=radius, fill=colour, outline=outline, width=width)
        self._text(box.x, box.y - (7 if group else 0), name.strip("_"), self._fonts[0], _INK)
        if group:
            self._text(box.x, box.y + 11, group, self._fonts[2], _QUIET)

    def _text(self, x: float, y: float, text: str, font: Any, colour: str) -> None:
        self._draw.text(_scaled((x, y)), text, font=font, fill=colour, anchor="mm")


def _scaled(point: Point) -> Point:
    return (point[0] * _SCALE, point[1] * _SCALE)


def _corners(rect: Rect) -> tuple[float, float, float, float]:
    left, top = _scaled((rect.x - rect.width / 2, rect.y - rect.height / 2))
    return (left, top, left + rect.width * _SCALE, top + rect.height * _SCALE)


def _rounded(corners: Sequence[Point]) -> list[Point]:
    """Return the corners as a path with round turns (quadratic Bézier curves)."""
    path = [corners[0]]
    for before, corner, after in zip(corners, corners[1:], corners[2:], strict=False):
        start, end = _towards(corner, before), _towards(corner, after)
        for step in range(9):
            t = step / 8
            path.append(
                (
                    (1 - t) ** 2 * start[0] + 2 * t * (1 - t) * corner[0] + t**2 * end[0],
                    (1 - t) ** 2 * start[1] + 2 * t * (1 - t) * corner[1] + t**2 * end[1],
                )
            )
    return [*path, corners[-1]]


def _towards(corner: Point, other: Point) -> Point:
    length = math.dist(corner, other)
    share = min(_RADIUS, length / 2) / length if length else 0.0
    return (corner[0] + (other[0] - corner[0]) * share, corner[1] + (other[1] - corner[1]) * share)
