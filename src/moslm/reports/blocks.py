"""What stands on a page beside charts: sections, paragraphs, tables, key figures, and what folds out."""

from __future__ import annotations

from collections.abc import Sequence

from moslm.reports.markup import Html, joined, tag


def section(heading: str, *parts: str) -> Html:
    """Return a part of the page under its heading; text becomes a paragraph, `Html` stays as it is."""
    return tag("section", tag("h2", heading), *(each if isinstance(each, Html) else paragraph(each) for each in parts))


def paragraph(*parts: str) -> Html:
    """Return a paragraph."""
    return tag("p", *parts)


def note(*parts: str) -> Html:
    """Return a paragraph that stands back: where figures come from, what they leave out."""
    return tag("p", *parts, class_="note")


def code(text: str) -> Html:
    """Return words of a file or a command line."""
    return tag("code", text)


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, right: str = "", strong: Sequence[int] = ()) -> Html:
    """Return a table that scrolls sideways where it is wider than the page.

    Args:
        header: Name of each column.
        rows: As many cells each.
        right: Names of the columns that hold figures, separated by ``|``: aligned on the right.
        strong: Numbers of the rows that stand out, such as a total.
    """
    figures = [bool(name) and name in right.split("|") for name in header]

    def cells(row: Sequence[str], kind: str) -> Html:
        made = [tag(kind, cell, class_="figure" if figure else None) for cell, figure in zip(row, figures, strict=True)]
        return joined(*made)

    head = tag("thead", tag("tr", cells(header, "th")))
    body = [tag("tr", cells(row, "td"), class_="strong" if i in strong else None) for i, row in enumerate(rows)]
    return tag("div", tag("table", head, tag("tbody", *body)), class_="scroll")


def tiles(figures: Sequence[tuple[str, str, str]]) -> Html:
    """Return the figures that matter most, large: (label, figure, what it is held against or its interval)."""
    made = [
        tag("div", tag("span", label), tag("strong", figure), tag("span", beside), class_="tile")
        for label, figure, beside in figures
    ]
    return tag("div", *made, class_="tiles")


def folded(summary: str, *parts: str) -> Html:
    """Return what is shown once somebody opens it."""
    return tag("details", tag("summary", summary), *parts)
