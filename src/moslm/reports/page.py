"""A whole page: one file that asks for nothing from anywhere, readable in light and in dark."""

from __future__ import annotations

from importlib import resources

from moslm.reports.markup import Html, joined, tag


def page(title: str, *sections: str, lead: str = "", foot: str = "") -> str:
    """Return an HTML document.

    A policy in its head forbids every request, so that a page mailed around tells nobody that it was opened.

    Args:
        title: Its heading.
        sections: What stands on it, as `moslm.reports.blocks` and the charts make it.
        lead: One sentence under the heading.
        foot: Where the figures come from: version, date, file.
    """
    style = resources.files("moslm.reports").joinpath("style.css").read_text(encoding="utf-8")
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("style", Html(style)),
    )
    header = tag("header", tag("h1", title), tag("p", lead) if lead else "")
    body = tag("body", tag("main", header, *sections, tag("footer", foot) if foot else ""))
    return f"<!doctype html>\n{tag('html', joined(head, body), lang='en')}\n"
