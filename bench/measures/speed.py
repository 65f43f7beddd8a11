"""What the classifier costs: requests a second through ``moslm classify``, and the start of a process that has it.

The clock is what a user feels; beside it stands the processor time of the same work, because machines are shared.
"""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

REQUESTS = 2000
_STARTS = 5
_START = """
import time
from pathlib import Path
from moslm.config import Config
from moslm.domains import load_domains
from moslm.models.classifiers import build_classifier
from moslm.turn import Turn
classifier, yardstick = build_classifier(Config().classifier, list(load_domains(Config()).values()))
ranking = classifier.rank([Turn("user", "My laptop shows a blue screen, and when will my parcel arrive?")])
status = Path("/proc/self/status")
peak = status.read_text().split("VmHWM:")[1].split()[0] if status.exists() else "nan"
print(float(peak) / 1024, time.process_time())
"""
"""A process of its own that builds the classifier, asks it once (both readings) and tells its peak memory."""


def of_speed(texts: Sequence[str]) -> dict[str, Any]:
    """Return throughput, start-up and memory, each on one thread."""
    return {"batch": of_batch(texts), "start": of_start()}


def of_batch(texts: Sequence[str]) -> dict[str, float]:
    """Put a fixed draw of requests as JSON lines through the function behind ``moslm classify``."""
    from moslm.cli.classify import classified, judging

    drawn = random.Random(7).sample(list(texts), min(REQUESTS, len(texts)))
    lines = [json.dumps({"id": number, "text": text}).encode() for number, text in enumerate(drawn)]
    judge = judging(None)
    list(classified(lines[:20], judge))
    started, worked = time.perf_counter(), time.process_time()
    found = list(classified(lines, judge))
    seconds, processor = time.perf_counter() - started, time.process_time() - worked
    if any("error" in each for each in found):
        raise RuntimeError("a request could not be classified, so the time says nothing")
    return {
        "requests": len(found),
        "requests_per_second": len(found) / seconds,
        "requests_per_processor_second": len(found) / processor,
    }


def of_start() -> dict[str, float]:
    """Return the median over fresh processes: from starting Python until the first request is ranked."""
    found = []
    for _ in range(_STARTS):
        started = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", _START], capture_output=True, text=True, check=True)
        seconds = time.perf_counter() - started
        peak, processor = map(float, done.stdout.split())
        found.append((seconds, processor, peak))
    seconds, processor, peak = (statistics.median(each) for each in zip(*found, strict=True))
    return {"seconds": seconds, "processor_seconds": processor, "peak_mb": peak}
