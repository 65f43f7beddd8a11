"""A figure for each pair of names, darker where it is larger: confusions, agreements, shares."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from moslm.reports.axes import plain
from moslm.reports.frame import WIDTH, drawing, figure, hover, label
from moslm.reports.markup import Html, joined, tag

_LEFT, _TOP, _ROW = 150.0, 44.0, 34.0
_LONGEST = 20


def heatmap(
    title: str,
    rows: Sequence[str],
    columns: Sequence[str],
    values: Sequence[Sequence[float]],
    *,
    write: Callable[[float], str] = plain,
    shade: Sequence[Sequence[float]] | None = None,
    across: str = "",
    down: str = "",
    under: str = "",
) -> Html:
    """Return a cell for each row and column, with its figure written in it.

    Args:
        title: What it shows.
        rows: Name of each row.
        columns: Name of each column.
        values: The figures, a sequence for each row.
        write: How a figure is written.
        shade: How dark each cell is, from 0 to 1; by default its share of the largest figure. A confusion matrix is
            read best with the share of its row.
        across: What the columns are.
        down: What the rows are.
        under: One line under the title.

    Raises:
        ValueError: There is not one figure for each row and column, or a shade is not from 0 to 1.
    """
    depth = _shades(values) if shade is None else shade
    if any(len(table) != len(rows) or any(len(row) != len(columns) for row in table) for table in (values, depth)):
        raise ValueError(f"{title}: needs one figure for each of {len(rows)} rows and {len(columns)} columns")
    if any(not 0 <= each <= 1 for row in depth for each in row):
        raise ValueError(f"{title}: a shade must be from 0 to 1")
    width = min((WIDTH - _LEFT) / max(len(columns), 1), 120.0)
    named = [
        label(_LEFT + width * (i + 0.5), _TOP - 8, _short(each, width), anchor="middle")
        for i, each in enumerate(columns)
    ]
    named += [
        label(_LEFT - 10, _TOP + _ROW * (i + 0.5) + 4, each[:_LONGEST], anchor="end") for i, each in enumerate(rows)
    ]
    named.append(label(_LEFT, 14, across, quiet=True))
    named.append(label(_LEFT - 10, 14, down, anchor="end", quiet=True))
    cells = [
        _cell(_LEFT + width * j, _TOP + _ROW * i, width, depth[i][j], write(value), f"{rows[i]}, {columns[j]}")
        for i, row in enumerate(values)
        for j, value in enumerate(row)
    ]
    return figure(title, drawing(title, _TOP + _ROW * len(rows) + 6, joined(*named), *cells), under=under)


def _shades(values: Sequence[Sequence[float]]) -> list[list[float]]:
    largest = max((each for row in values for each in row), default=0.0)
    return [[max(each, 0.0) / largest if largest > 0 else 0.0 for each in row] for row in values]


def _cell(x: float, y: float, width: float, depth: float, text: str, told: str) -> Html:
    # the darkest is still light enough for words in the colour of text, and in the dark theme dark enough
    strength = 6 + 94 * depth
    fill = f"fill: color-mix(in srgb, var(--heat) {strength:.0f}%, var(--surface))"
    box = tag("rect", hover(f"{told}: {text}"), x=x, y=y, width=width - 2, height=_ROW - 2, rx=3.0, style=fill)
    return joined(box, tag("text", text, x=x + width / 2 - 1, y=y + _ROW / 2 + 3, text_anchor="middle"))


def _short(text: str, width: float) -> str:
    longest = max(int(width / 7), 3)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
