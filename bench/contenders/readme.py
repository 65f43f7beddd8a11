"""Puts the comparison into a page between two marks, so that no figure is typed by hand.

Knows figures and what was told of the run; measures nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from contenders import figures

BEGIN, END = "<!-- bench/routing.py writes from here -->", "<!-- to here -->"


def put(file: Path, found: Mapping[str, Mapping[str, Any]], told: Mapping[str, Any]) -> None:
    """Replace what stands between the marks of a file.

    Raises:
        SystemExit: The file does not have both marks once each, in this order.
    """
    page = file.read_text(encoding="utf-8")
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in after or END in after:
        raise SystemExit(f"{file} needs one line {BEGIN} and below it one line {END}")
    written = f"{before}{BEGIN}\n\n{figures.across(found)}\n\n{caption(told)}\n\n{END}{after}"
    file.write_text(written, encoding="utf-8")


def caption(told: Mapping[str, Any]) -> str:
    """Return what the figures were measured on, in few words."""
    sources = sum(map(len, told["left_out"]))
    packages = ", ".join(f"{name} {version}" for name, version in told["packages"].items())
    alone = "each alone" if sources == len(told["left_out"]) else f"in {len(told['left_out'])} groups"
    reading = "" if told["encoders_tuned_without"] else ", MoSLM by its first reading alone"
    return (
        f"{told['learned_from']:,} rows to learn from for every system that learns, {told['asked']:,} test rows;"
        f" {sources} sources left out {alone}, up to {told['rows_a_source']} rows of each{reading}."
        f" One thread; {packages}."
    )
