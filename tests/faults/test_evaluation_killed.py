"""An evaluation that is killed again and again ends as one that never was: each case once, and nothing paid twice."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from moslm.evals.running.folder import read_run

EVALUATED = Path(__file__).with_name("evaluated.py")
CASES, CONCURRENCY = 60, 4
CONFIG = """
[defaults.model]
kind = "scripted"

[large_model]
max_usd_per_day = 5000
max_calls_per_day = 100000
requests_per_minute = 100000
[large_model.model]
kind = "scripted"
name = "dear"
replies = ["It is 7."]
delay_ms = 15

[prices]
dear = { input = 1000.0, output = 1000.0 }
"""


@pytest.fixture
def paths(tmp_path):
    (tmp_path / "moslm.toml").write_text(CONFIG)
    (tmp_path / "mine.toml").write_text('name = "mine"\nabout = "Mine."\nlicence = "Apache-2.0"\ngrader = "number"\n')
    lines = [{"id": f"c{i}", "question": f"Which number has room {i}?", "expected": 7} for i in range(CASES)]
    (tmp_path / "mine.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return [str(tmp_path / name) for name in ("moslm.toml", "mine.toml", "run")]


def killed_after(paths, outcomes):
    """Run until so many outcomes were told of, then kill the process outright; True where it ended before that."""
    command = [sys.executable, str(EVALUATED), *paths, str(CONCURRENCY)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for _ in range(outcomes):
            if not process.stdout.readline():
                break
        else:
            process.kill()
        process.wait(timeout=120)
        return process.returncode == 0


def purchases(home):
    with closing(sqlite3.connect(home / "ledger.sqlite")) as db:
        return db.execute("SELECT key, state, request FROM purchases").fetchall()


def test_a_run_that_is_killed_loses_nothing_and_pays_nothing_twice(paths, home):
    # each start tells of what was there before as well
    for outcomes in (9, 23, 41):
        assert not killed_after(paths, outcomes)
        held = read_run(Path(paths[2]))
        assert not held.finished
        assert len(held.outcomes) >= outcomes - 1
    assert killed_after(paths, 10_000)
    run = read_run(Path(paths[2]))
    assert run.finished
    assert sorted(each.case for each in run.outcomes) == sorted(f"c{i}" for i in range(CASES))
    assert {each.ending for each in run.outcomes} == {"right"}
    bought = purchases(home)
    settled = [key for key, state, _ in bought if state == "settled"]
    # a call whose answer was lost with its process is booked, because the provider may have charged for it
    lapsed = [key for key, state, _ in bought if state == "lapsed"]
    assert len(settled) == len(set(settled)) == CASES
    assert len(lapsed) <= 3 * CONCURRENCY
    assert {state for _, state, _ in bought} <= {"settled", "lapsed", "released"}
