"""Fixtures: a run of one suite, written as a run is, and the verbs of ``moslm eval`` that are given it."""

from __future__ import annotations

import csv
import json

import pytest

from moslm.cli import main
from moslm.evals.outcomes import Outcome
from moslm.evals.people.shown import shown_of, suites_of
from moslm.evals.running.folder import opened, read_run
from moslm.evals.running.manifest import made_from
from moslm.evals.suites.reading import read_suite


@pytest.fixture
def write_run(tmp_path):
    """Write a suite and a run of it: ``write_run({"1": {"moslm": {"answer": ...}}})``; return its folder."""

    def write(answers, name="run", suite="mine", ids=None):
        ids = ids or {case: case for case in answers}
        head = tmp_path / f"{suite}.toml"
        head.write_text(f'name = "{suite}"\nabout = "Mine."\nlicence = "Apache-2.0"\ngrader = "number"\n')
        cases = [{"id": ids[case], "question": f"How much is {case}?", "expected": 140} for case in answers]
        head.with_suffix(".jsonl").write_text("".join(json.dumps(each) + "\n" for each in cases))
        read = read_suite(head)
        manifest = made_from(
            command=["moslm", "eval"],
            config_sha256="c",
            suites=[(read, len(read.cases))],
            data_sha256="d",
            systems={"moslm": "from the configuration"},
            models={},
            judge=None,
            checked=0.0,
            seed=0,
            sample=None,
        )
        with opened(tmp_path / name, manifest) as folder:
            for case, systems in answers.items():
                for system, told in systems.items():
                    given = {
                        "ending": "right",
                        "score": 1.0,
                        "way": "local",
                        "confidence": 0.9,
                        "threshold": 0.8,
                        **told,
                    }
                    folder.append(Outcome(suite=suite, case=ids[case], group=ids[case], system=system, **given))
            folder.finish()
        return tmp_path / name

    return write


@pytest.fixture
def answered():
    """Return every answer of a run as raters see it."""

    def read(folder, suite="mine"):
        found = read_run(folder)
        return shown_of(found, suites_of(found.manifest, [str(folder.parent / f"{suite}.toml")]))

    return read


@pytest.fixture
def command(tmp_path):
    """Run a verb of ``moslm eval`` and return its exit code."""

    def run(verb, folder, *arguments, suite="mine"):
        return main(["eval", verb, str(folder), "--suite", str(tmp_path / f"{suite}.toml"), *arguments])

    return run


@pytest.fixture
def sheet():
    """Read a sheet as its rows, or fill it in: ``sheet(file, {row id: dict(verdict="right")})``."""

    def fill(file, ratings=None):
        with file.open(encoding="utf-8-sig", newline="") as opened_file:
            rows = list(csv.DictReader(opened_file))
        if ratings is not None:
            with file.open("w", encoding="utf-8", newline="") as opened_file:
                writer = csv.DictWriter(opened_file, list(rows[0]))
                writer.writeheader()
                writer.writerows([{**row, **ratings.get(row["row"], {})} for row in rows])
        return rows

    return fill
