"""Every system on every recorded table, in one run. Knows which gates stand beside each other; shows nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from moslm.evals.frontiers.frontier import Frontier, frontier
from moslm.evals.frontiers.gates import (
    Gate,
    agreement,
    by_small_alone,
    choice_gates,
    oracle,
    random_mix,
    scored,
    text_gates,
)
from moslm.evals.tables import TABLES, Assumptions
from moslm.evals.tables.recorded import RecordedTable

Gates = dict[str, tuple[str, Gate]]

MOSLM, MIXTURE, REQUEST = "moslm", "moslm, several small models", "moslm, by the request"
LOCAL_PRICES = (0.0, 0.05, 0.2)
"""US dollars a million tokens of a small model: free, a busy machine of one's own, the list price of hosts."""
SECOND_LARGE = "gemini-1.5-pro-002"
_THREE = ("Meta-Llama-3_1-8B-Instruct", "Phi-3-mini-4k-instruct", "mathstral-7B")
_BEST_OF_LLMROUTER = "llama-3.1-8b-instruct"


def everything(data: Path, cascadeflow: Path, kept: Path) -> dict[str, Any]:
    """Measure all tables.

    Args:
        data: Folder of the public data.
        cascadeflow: What `bench/cascadeflow_confidence.py` wrote.
        kept: Folder in which learned gates are kept between runs; learning them takes most of the time.
    """
    peer = json.loads(cascadeflow.read_text(encoding="utf-8"))
    found: dict[str, Frontier] = {}
    sensitivity: dict[str, list[dict[str, Any]]] = {}
    for name, read in TABLES.items():
        table = read(data, Assumptions())
        for large in (table.large, *([SECOND_LARGE] if name == "mmlu_pro_models" else [])):
            gates = _gates(table, large, peer, kept)
            key = name if large == table.large else f"{name}, {large}"
            print(f"{key}: measuring {len(gates)} systems", flush=True)
            found[key] = frontier(table, gates, large)
            if name in ("mmlu_pro_models", "llmrouter_9models"):
                sensitivity[key] = _by_local_price(lambda at, read=read: read(data, at), gates, large)
    return {
        "frontiers": {name: each.model_dump(mode="json") for name, each in found.items()},
        "by_local_price": sensitivity,
        "cascadeflow": peer["cascadeflow"],
    }


def _gates(table: RecordedTable, large: str, peer: dict[str, Any], kept: Path) -> Gates:
    gates = _by_choice(table, large, peer, kept) if table.choices else _by_text(table, large, kept)
    small = table.small[0] if table.name != "llmrouter_9models" else _BEST_OF_LLMROUTER
    request = np.array(peer["request"][table.name], dtype=np.float64)
    name = "cascadeflow, by the request"
    gates[name] = ("its ComplexityDetector, before any draft", scored(table, small, request, before_any_draft=True))
    gates["random mix"] = ("a share of the cases blindly, before any draft", random_mix(table, small))
    ours = gates[MIXTURE if MIXTURE in gates else MOSLM][1]
    gates["oracle"] = ("knows who is right, with MoSLM's local answers", oracle(table, ours, large))
    return gates


def _by_choice(table: RecordedTable, large: str, peer: dict[str, Any], kept: Path) -> Gates:
    one = _learned(kept, table, large, 1, lambda: choice_gates(table, _THREE[:1], large))
    three = _learned(kept, table, large, 3, lambda: choice_gates(table, _THREE, large))
    before = _learned(kept, table, large, 0, lambda: text_gates(table, _THREE[:1], large))
    said = np.array(peer["answer"][table.name], dtype=np.float64)
    answer = scored(table, peer["answered_by"], said, before_any_draft=False)
    return {
        MOSLM: (f"learned gate over {_THREE[0]}", one),
        MIXTURE: (f"learned gate over {', '.join(_THREE)}: the most probable answers", three),
        REQUEST: (f"the request's text, before any draft of {_THREE[0]}", before),
        "probability alone": ("the first gate by its calibrated probability, not by the gain", by_small_alone(one)),
        "raw agreement": ("how many of the three chose alike, uncalibrated", agreement(table, _THREE)),
        "cascadeflow, by the answer": ("its ProductionConfidenceEstimator, without log-probabilities", answer),
    }


def _by_text(table: RecordedTable, large: str, kept: Path) -> Gates:
    small = (_BEST_OF_LLMROUTER,) if table.name == "llmrouter_9models" else table.small[:1]
    one = _learned(kept, table, large, 1, lambda: text_gates(table, small, large))
    gates = {MOSLM: (f"the request's text, before any draft of {small[0]}", one)}
    if len(table.small) > 2:
        several = _learned(kept, table, large, len(table.small), lambda: text_gates(table, table.small, large))
        gates[MIXTURE] = (f"the same over {len(table.small)} small models: the most probable answers", several)
    gates["probability alone"] = ("the first gate by its calibrated probability, not by the gain", by_small_alone(one))
    return gates


def _learned(kept: Path, table: RecordedTable, large: str, count: int, learn: Callable[[], Gate]) -> Gate:
    file = kept / f"{table.name}-{large}-{count}.npz"
    if file.exists():
        found = np.load(file)
        return Gate(found["answers"], found["need"], tuple(found["consulted"].tolist()), found["probability"])
    print(f"{file.stem}: learning", flush=True)
    gate = learn()
    assert gate.probability is not None  # learned gates have one
    file.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        file,
        answers=gate.answers,
        need=gate.need,
        consulted=np.array(gate.consulted, dtype=np.int64),
        probability=gate.probability,
    )
    return gate


def _by_local_price(read: Callable[[Assumptions], RecordedTable], gates: Gates, large: str) -> list[dict[str, Any]]:
    own = {name: gates[name] for name in (MOSLM, MIXTURE, REQUEST) if name in gates}
    rows = []
    for price in LOCAL_PRICES:
        measured = frontier(read(Assumptions(local_usd_per_million=price)), own, large)
        for system in measured.systems:
            figures = {key: system.figures[key].model_dump(mode="json") for key in ("saved_95", "saved_99")}
            rows.append({"local_usd_per_million": price, "system": system.system, **figures})
    return rows
