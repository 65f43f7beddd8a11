"""Plain tables that fit the terminal: columns for lists, labelled lines for one thing; whatever they show."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from moslm.cli.style import PLAIN, WIDTH, Style

_GAP = "  "
_SEPARATOR = " · "


def columns(header: Sequence[str], rows: Sequence[Sequence[str]], style: Style = PLAIN, *, right: str = "") -> str:
    """Lay rows out in columns.

    Args:
        header: Name of each column.
        rows: As many cells each; the widest column gives way when the table is wider than the terminal.
        style: How the header is set off.
        right: Names of the columns that hold figures, separated by spaces: aligned on the right.
    """
    widths = _widths(header, rows)
    figures = [name in right.split() for name in header]

    def line(cells: Sequence[str]) -> str:
        laid = [_cell(*each) for each in zip(cells, widths, figures, strict=True)]
        return _GAP.join(laid).rstrip()

    return "\n".join([style.bold(line(header)), *(line(row) for row in rows)])


def labelled(lines: Sequence[tuple[str, str]], style: Style = PLAIN, *, strong: str = "", indent: str = "  ") -> str:
    """Lay out one thing as labelled lines, a long value on several.

    Args:
        lines: Label and value; lines without a value are left out. Values of several items, separated by ``·``, break
            between items.
        style: How the labels are set back.
        strong: Label of the line that stands out.
        indent: What stands before each line.
    """
    shown = [(label, value) for label, value in lines if value]
    width = max((len(label) for label, _ in shown), default=0)
    made = []
    for label, value in shown:
        first, *rest = broken(value, WIDTH - len(indent) - width - len(_GAP)) or [""]
        emphasis = style.bold if label == strong else str
        made.append(f"{indent}{style.dim(label.ljust(width))}{_GAP}{emphasis(first)}")
        made.extend(f"{indent}{' ' * width}{_GAP}{emphasis(each)}" for each in rest)
    return "\n".join(made)


def items(values: Sequence[str]) -> str:
    """Join the items of one value."""
    return _SEPARATOR.join(values)


def paragraphs(text: str, width: int = WIDTH) -> str:
    """Break text into lines, each paragraph for itself."""
    return "\n".join(textwrap.fill(each, width, break_on_hyphens=False) for each in text.split("\n"))


def broken(value: str, width: int) -> list[str]:
    """Break a value into lines of at most this width: between its items where that is possible."""
    made: list[str] = []
    for part in value.split(_SEPARATOR):
        if made and len(made[-1]) + len(_SEPARATOR) + len(part) <= width:
            made[-1] += _SEPARATOR + part
        else:
            made.extend(textwrap.wrap(part, width, break_on_hyphens=False) or [""])
    return made


def _widths(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    widths = [max(len(cell) for cell in column) for column in zip(header, *rows, strict=True)]
    excess = sum(widths) + len(_GAP) * (len(widths) - 1) - WIDTH
    while excess > 0 and max(widths) > 8:
        widest = widths.index(max(widths))
        widths[widest] -= 1
        excess -= 1
    return widths


def _cell(text: str, width: int, figure: bool) -> str:
    if len(text) > width:
        text = text[: width - 1] + "…"
    return text.rjust(width) if figure else text.ljust(width)
