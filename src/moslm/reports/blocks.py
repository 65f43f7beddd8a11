"""What stands on a page beside charts: sections, paragraphs, tables, key figures, quotations, and what folds out."""

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


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, right: str = "", strong: Sequence[int] = (),
          wide: str = "") -> Html:  # fmt: skip
    """Return a table that scrolls sideways where it is wider than the page.

    Args:
        header: Name of each column.
        rows: As many cells each.
        right: Names of the columns that hold figures, separated by ``|``: aligned on the right.
        strong: Numbers of the rows that stand out, such as a total.
        wide: Names of the columns that hold sentences, separated by ``|``: never narrower than a few words.
    """
    kinds = {**dict.fromkeys(wide.split("|"), "wide"), **dict.fromkeys(right.split("|"), "figure"), "": None}
    classes = [kinds.get(name) for name in header]

    def cells(row: Sequence[str], kind: str) -> Html:
        made = [tag(kind, cell, class_=named) for cell, named in zip(row, classes, strict=True)]
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


def coloured(text: str, how: str) -> Html:
    """Return words in the colour of good or bad news.

    Args:
        text: The words; they say it without the colour too.
        how: ``good``, ``bad`` or ``warning``.
    """
    return tag("span", text, class_=how)


def alert(*parts: str) -> Html:
    """Return a paragraph that must not be overlooked, such as that figures are not complete."""
    return tag("p", *parts, class_="alert", role="note")


def quoted(heading: str, lines: Sequence[tuple[str, str]]) -> Html:
    """Return texts of others under a heading, whatever they are: long, in lines, in a script from right to left.

    Args:
        heading: Where they are from.
        lines: (what it is, the text); one without a text is left out.
    """
    made = [joined(tag("dt", what), tag("dd", _shown(text), dir="auto")) for what, text in lines if text]
    return tag("article", tag("h3", heading, dir="auto"), tag("dl", *made), class_="quoted")


def _shown(text: str) -> str:
    """Return a text in which what cannot be printed is seen: control characters, and those that turn the direction."""
    return "".join(each if each.isprintable() or each in "\n\t" else _named(each) for each in text)


def _named(character: str) -> str:
    if character.isspace():
        return " "
    return f"[U+{ord(character):04X}]"
