"""How the figures of a report are written, one way on the whole page: values, intervals, names that others chose."""

from __future__ import annotations

from moslm.evals.figures import Figure
from moslm.governance.wording import dollars, milliseconds, printable

NONE = "–"
_LONGEST = 80


def share(value: float | None) -> str:
    """Write a share as a percentage with one decimal."""
    return NONE if value is None else f"{100 * value:.1f} %"


def points_of(value: float | None) -> str:
    """Write a difference of shares in percentage points, with its sign."""
    if value is None:
        return NONE
    text = f"{100 * value:+.1f}"
    return f"{'0.0' if text in ('+0.0', '-0.0') else text} pp"


def in_unit(value: float | None, unit: str) -> str:
    """Write a number in its unit."""
    if value is None:
        return NONE
    if unit == "share":
        return share(value)
    if unit == "count":
        return f"{value:,.0f}"
    written = {"ms": milliseconds, "usd": dollars}.get(unit)
    return written(value) if written else f"{value:.3f}"


def value_of(figure: Figure) -> str:
    """Write a figure's value."""
    return in_unit(figure.value, figure.unit)


def interval_of(figure: Figure) -> str:
    """Write a figure's 95 % interval; a bound that is not known is a question mark."""
    if figure.low is None and figure.high is None:
        return NONE
    low, high = ("?" if each is None else in_unit(each, figure.unit) for each in (figure.low, figure.high))
    return f"{low} to {high}"


def beside(figure: Figure) -> str:
    """Write what stands beside a value: its interval and its n, or why there is no value."""
    if figure.value is None:
        return f"not measured: {figure.why or 'no case'}"
    within = "" if interval_of(figure) == NONE else f"{interval_of(figure)}, "
    return f"{within}n {figure.n:,}"


def whole(figure: Figure) -> str:
    """Write a figure with its interval and its n."""
    return beside(figure) if figure.value is None else f"{value_of(figure)} ({beside(figure)})"


def named(text: str) -> str:
    """Write a name that somebody else chose: on one line, printable, not too long."""
    line = printable(text)
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def metric_name(name: str) -> str:
    """Write the name of a metric as words."""
    return named(name.replace("_", " "))
