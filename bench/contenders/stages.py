"""What a system does in a process of its own: learn, serve, learn again without some sources.

Each stage reads what the stage before kept in the work folder and returns plain figures and answers. One thread is the
caller's business (the environment variables must be set before numpy is imported). Judges nothing.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import astuple
from pathlib import Path
from typing import Any

from contenders import CONTENDERS, plans, rows

BATCH_ROWS = 1000
"""Requests of the batch measurement at most."""


def fit(name: str, work: Path) -> dict[str, Any]:
    """Learn from all of train and keep the result."""
    started = time.perf_counter()
    CONTENDERS[name]().fit(rows.kept(work / "data.json"), work / name)
    return {"fit_seconds": time.perf_counter() - started}


def serve(name: str, work: Path) -> dict[str, Any]:
    """Start afresh, answer the test rows one at a time, then many at once; memory is read before the many."""
    texts = json.loads((work / "test.json").read_text(encoding="utf-8"))
    started = time.perf_counter()
    router = CONTENDERS[name]().load(work / name)
    router.answer("warm up")
    ready = time.perf_counter() - started
    answers, milliseconds, cpu_milliseconds = [], [], []
    for text in texts:
        started, worked = time.perf_counter(), time.process_time()
        answers.append(router.answer(text))
        milliseconds.append((time.perf_counter() - started) * 1000)
        cpu_milliseconds.append((time.process_time() - worked) * 1000)
    peak = _peak_mb()
    started = time.perf_counter()
    router.answer_all(texts[:BATCH_ROWS])
    return {
        "start_seconds": ready,
        "answers": [astuple(answer) for answer in answers],
        "milliseconds": milliseconds,
        "cpu_milliseconds": cpu_milliseconds,
        "peak_mb": peak,
        "batch_per_second": len(texts[:BATCH_ROWS]) / (time.perf_counter() - started),
    }


def left_out(name: str, work: Path) -> dict[str, Any]:
    """Learn again without each group of sources, then answer their rows and the novel rows of test.

    Returns:
        For each source the answers to its rows, then to the novel rows.
    """
    data = rows.kept(work / "data.json")
    plan = plans.kept(work / "plan.json")
    contender = CONTENDERS[name]()
    novel = [row.text for row in data.test if row.domain is None]
    found = {}
    for number, out in enumerate(plan.groups, 1):
        started = time.perf_counter()
        router = contender.left_out(data, out, work / name)
        strangers = [astuple(router.answer(text)) for text in novel]
        for pair in out.pairs:
            asked = [astuple(router.answer(row.text)) for row in data.asked_of(pair, plan.most)]
            found["/".join(pair)] = [*asked, *strangers]
        told = f"without {', '.join(map('/'.join, out.pairs))} ({number} of {len(plan.groups)})"
        print(f"{name}: {told}, {time.perf_counter() - started:.0f} s", file=sys.stderr, flush=True)
    return found


STAGES: dict[str, Callable[[str, Path], dict[str, Any]]] = {"fit": fit, "serve": serve, "left_out": left_out}


def _peak_mb() -> float:
    """Return the largest resident set of this process so far."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage counts what the parent held when it started this process
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(lines["VmHWM"].split()[0]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)
