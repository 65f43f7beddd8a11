from __future__ import annotations

import heapq
import io
import json
import random
import re
import sys
from contextlib import redirect_stdout
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

import capacity  # noqa: E402
from measures.queueing import (  # noqa: E402
    GPUS,
    MODELS,
    ability,
    assumed,
    replicas_for,
)

from moslm.budgets.sizing.queueing import mean_wait, waiting_probability, waits_longer  # noqa: E402

GUIDE = (ROOT / "docs/guides/scaling.md").read_text(encoding="utf-8")


def simulated(servers: int, rate: float, answer_s: float, requests: int = 60_000) -> tuple[float, float, float]:
    """Let requests arrive and wait; return the shares that waited and that waited over a second, and the mean."""
    chance, now, free = random.Random(7), 0.0, [0.0] * servers
    waits = []
    for _ in range(requests):
        now += chance.expovariate(rate)
        begins = max(now, heapq.heappop(free))
        heapq.heappush(free, begins + chance.expovariate(1 / answer_s))
        waits.append(begins - now)
    return sum(w > 0 for w in waits) / requests, sum(w > 1 for w in waits) / requests, sum(waits) / requests


def test_the_textbooks_values_come_out():
    # one server waits as often as it is used; and the call centre of many a textbook
    assert waiting_probability(1, 0.6) == pytest.approx(0.6)
    assert waiting_probability(10, 8) == pytest.approx(0.409, abs=1e-3)
    assert (waiting_probability(4, 4), waiting_probability(4, 9)) == (1.0, 1.0)
    assert 0 <= waiting_probability(5000, 4000) < 1e-6


def test_the_formula_says_what_a_queue_does():
    servers, rate, answer_s = 6, 2.5, 2.0
    waited, long, mean = simulated(servers, rate, answer_s)
    assert waiting_probability(servers, rate * answer_s) == pytest.approx(waited, abs=0.03)
    assert waits_longer(1, servers, rate * answer_s, answer_s) == pytest.approx(long, abs=0.03)
    assert mean_wait(servers, rate * answer_s, answer_s) == pytest.approx(mean, rel=0.15)


def test_the_fewest_replicas_are_found_that_wait_little_and_have_headroom():
    need = replicas_for(rate=2.8, answer_s=6.0, side_by_side=16)
    assert (need.replicas, need.load) == (2, pytest.approx(16.8))
    assert need.utilisation <= 0.7
    # few places wait long before they are used much
    alone = replicas_for(rate=0.5, answer_s=1.0, side_by_side=1, wait_s=0.1)
    assert alone.replicas > 1
    assert alone.late <= 0.05 < waits_longer(0.1, alone.replicas - 1, alone.load, 1.0)
    with pytest.raises(ValueError, match="must be positive"):
        replicas_for(0, 1, 1)


def test_a_replica_does_no_more_than_its_memory_and_its_bandwidth_let_it():
    gpu, model = GPUS["L4"], MODELS["Qwen2.5-7B"]
    one, many = (ability(gpu, model, 800, 150, count) for count in (1, 32))
    assert one.tokens_s < gpu.bandwidth_gb_s / model.gb
    assert one.requests_s < many.requests_s
    assert one.answer_s < many.answer_s
    assert ability(gpu, MODELS["Qwen2.5-14B"], 800, 150, 1).most_side_by_side == 0


def test_the_guides_table_is_what_the_arithmetic_gives():
    told = re.search(r"<!-- assumed: .*? -->\n(.*?)<!-- to here -->", GUIDE, re.DOTALL)[1]
    assert told.strip().splitlines() == assumed(2.8, 800, 150, 16, 0.5)


def test_the_guides_program_runs_and_its_example_is_its_outcome():
    (program,) = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    with redirect_stdout(io.StringIO()) as out:
        exec(compile(program, "scaling.md", "exec"), space := {})
    assert out.getvalue().splitlines()[:2] == [
        "n = 1: used 101%, later than a second 100.0%",
        "n = 2: used 51%, later than a second 0.0%",
    ]
    assert space["waiting_probability"](10, 8) == pytest.approx(waiting_probability(10, 8))
    assumed_s = ability(GPUS["L4"], MODELS["Qwen2.5-7B, 4 bit"], 800, 150, 16, 0.5).answer_s
    assert f"S(16) = {assumed_s:.1f} s assumed" in GUIDE
    assert replicas_for(2.8, 9.0, 16).replicas == 3


@pytest.mark.loopback
@pytest.mark.model
def test_a_server_is_measured_and_the_replicas_told(tmp_path, capsys):
    from moslm.models.chat.engine import EngineSpec
    from moslm.models.weights.shelf import find
    from moslm.serving.embedded_server import EmbeddedServer

    with served(EmbeddedServer("smol", EngineSpec(find("smollm2-135m-instruct"), 1024, 2, 1)).app()) as port:
        url, figures = f"http://127.0.0.1:{port}/v1", tmp_path / "figures.json"
        sizes = ["--side-by-side", "1", "--seconds", "1", "--tokens-in", "20", "--tokens-out", "8", "--rate", "1"]
        assert capacity.main(["--base-url", url, "--model", "smol", "--json", str(figures), *sizes]) == 0
    assert "replicas for 1/s" in capsys.readouterr().out
    (row,) = json.loads(figures.read_text())["rows"]
    assert row["failed"] == 0
    # what `moslm cost --size` takes as samples
    assert len(row["seconds"]) == row["requests"]


class served:
    """An application on a port of its own, in a thread."""

    def __init__(self, app):
        import socket
        import threading

        import uvicorn

        self._socket = socket.create_server(("127.0.0.1", 0))
        self._server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]})

    def __enter__(self):
        import time

        self._thread.start()
        while not self._server.started:
            time.sleep(0.05)
        return self._socket.getsockname()[1]

    def __exit__(self, *_):
        self._server.should_exit = True
        self._thread.join(20)
        self._socket.close()
