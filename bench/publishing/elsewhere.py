"""What other commands measured, as tables: ``moslm cost --json`` and ``moslm eval --json``.

A document of another shape is shown figure by figure: nothing is left out because its form has changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from publishing.tables import amount, figure, markdown


def ownership(document: Any) -> str:
    """Return the reference design's case: a month, the sensitivity, where it breaks even, and the spread."""
    if not isinstance(document, Mapping) or not {"month", "horizon", "tornado", "break_even"} <= set(document):
        return flat(document)
    month, horizon, even = document["month"], document["horizon"], document["break_even"]
    parts = [
        [part, f"{ours:,.0f}", f"{month['single_parts'].get(part, 0):,.0f}"]
        for part, ours in month["parts"].items()
        if ours or month["single_parts"].get(part)
    ]
    total = ["**all**", f"**{month['total']:,.0f}**", f"**{month['single']:,.0f}**"]
    said = (
        f"Saved: ${month['saving']:,.0f} a month ({month['saved']:.0%}), ${month['saving_per_year']:,.0f} a year. The"
        f" hardware is paid back in {horizon['simple_payback_months']:.1f} months as the design reckons, in"
        f" {horizon['payback_months']:.1f} by what is really spent each month."
    )
    swings = [
        [each["input"], *(amount(each[key]) for key in ("low", "high")), *(f"{each[key]:,.0f}" for key in _SAVES)]
        for each in document["tornado"]
    ]
    evens = "; ".join(
        f"{name} {amount(found['value'])}" if found["value"] is not None else f"{name}: none ({found['why']})"
        for name, found in even.items()
    )
    return "\n\n".join(
        [
            markdown(["US dollars a month", "MoSLM", "one large model"], [*parts, total]),
            said,
            markdown(["input", "low", "high", "saving at low", "saving at high"], swings),
            f"It breaks even at: {evens}.{_spread(document.get('monte_carlo'))}",
        ]
    )


_SAVES = ("at_low", "at_high")


def _spread(drawn: Mapping[str, Any] | None) -> str:
    if not drawn:
        return ""
    saving = drawn["quantiles"]["saving"]
    return (
        f" With every input moved at once within these bounds ({drawn['count']:,} draws), {drawn['interval']:.0%} of"
        f" the savings lie between ${saving['low']:,.0f} and ${saving['high']:,.0f} a month."
    )


def end_to_end(document: Any) -> str:
    """Return a run's figures, a column a system."""
    if not isinstance(document, Mapping) or not isinstance(document.get("figures"), Mapping):
        return flat(document)
    systems = {name: found.get("all", {}) for name, found in document["figures"].items()}
    metrics = list(dict.fromkeys(metric for found in systems.values() for metric in found))
    rows = [
        [metric, *(figure(found[metric]) if metric in found else "–" for found in systems.values())]
        for metric in metrics
    ]
    endings = [
        f"{system}: {', '.join(f'{count} {ending}' for ending, count in found.items())}"
        for system, found in document.get("endings", {}).items()
    ]
    return "\n\n".join([markdown(["figure", *systems], rows), *endings])


def flat(document: Any) -> str:
    """Return every number and word of a JSON document with its path; lists of more than 24 are left to the file."""
    return markdown(["figure", "value"], [[key, value] for key, value in _each(document)])


def _each(value: Any, at: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _each(each, f"{at}.{key}" if at else str(key))
    elif isinstance(value, list):
        if len(value) <= 24:
            for place, each in enumerate(value):
                yield from _each(each, f"{at}[{place}]")
    elif value is not None:
        yield at, f"{value:,.6g}" if isinstance(value, float) else str(value)
