"""The commands of the guide are commands, and what it names is there."""

from __future__ import annotations

import re
import shlex
from importlib import import_module
from pathlib import Path

from moslm.cli import _Parser
from moslm.cli.eval import VERBS
from moslm.evals.people.choosing import CONDITIONS
from moslm.evals.people.findings import findings
from moslm.evals.people.ratings import VERDICTS
from moslm.evals.people.sheet import COLUMNS
from moslm.evals.trackers import TRACKERS

GUIDE = (Path(__file__).resolve().parents[3] / "docs/guides/people-and-trackers.md").read_text(encoding="utf-8")


def test_every_command_of_the_guide_can_be_read():
    found = re.findall(r"^moslm eval (\w+) ?([^#\n]*)", GUIDE, re.MULTILINE)
    assert {verb for verb, _ in found} == {"export", "import", "track", "register", "promote"}
    for verb, rest in found:
        parser = _Parser(prog=f"moslm eval {verb}", allow_abbrev=False)
        import_module(VERBS[verb][0]).arguments(parser)
        parser.parse_args(shlex.split(rest))


def test_it_names_every_column_verdict_way_of_choosing_tracker_and_figure():
    for name in (*COLUMNS, *VERDICTS, *CONDITIONS):
        assert f"`{name}`" in GUIDE
    for name in TRACKERS:
        assert f"--to {name}" in GUIDE
    for name in findings([])["all"].figures:
        assert f"\n{name} " in GUIDE
