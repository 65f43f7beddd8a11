"""Markup that is escaped by construction: text becomes part of a page only through `tag`, which escapes it.

A page shows names of models, tenants and files, and words of users; none of them may become markup. So there are two
kinds of text, and the type tells them apart: `str` is escaped wherever it is put, `Html` is markup made here.
"""

from __future__ import annotations

from html import escape

_VOID = frozenset({"br", "hr", "meta", "circle", "line", "path", "polygon", "polyline", "rect"})
"""Elements that are written without an end; in SVG they close themselves."""


class Html(str):
    """Markup that may stand in a page as it is. Made by `tag` and `joined`, never from what others wrote."""

    __slots__ = ()


def tag(element: str, /, *children: str, **attributes: str | float | bool | None) -> Html:
    """Return an element.

    Args:
        element: Its name, written in code.
        children: What stands in it; everything but `Html` is escaped.
        attributes: Its attributes. An underscore at the end is dropped (``class_``), one inside becomes a hyphen
            (``stroke_width``). Numbers are written with two decimals at most. None and False leave an attribute out,
            True writes its name alone.
    """
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    if element in _VOID and not children:
        return Html(f"<{element}{written}/>")
    return Html(f"<{element}{written}>{joined(*children)}</{element}>")


def joined(*parts: str) -> Html:
    """Return markup after markup; everything but `Html` is escaped."""
    return Html("".join(each if isinstance(each, Html) else escape(str(each)) for each in parts))


def plain_number(value: float) -> str:
    """Return a coordinate as SVG reads it: two decimals at most.

    Raises:
        ValueError: It is no finite number; a chart that drew it would show something else than the figures.
    """
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError(f"{value!r} cannot be drawn")
    return f"{value:.2f}".rstrip("0").rstrip(".") if value % 1 else f"{value:.0f}"


def _attribute(key: str, value: str | float | bool | None) -> str:
    if value is None or value is False:
        return ""
    name = key.removesuffix("_").replace("_", "-")
    if value is True:
        return f" {name}"
    text = value if isinstance(value, str) else plain_number(value)
    return f' {name}="{escape(text)}"'
