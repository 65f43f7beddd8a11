"""What MoSLM adds to a model call, and where that goes.

A scripted server in a process of its own answers after a fixed 300 ms. The official ``openai`` client and MoSLM (real
classifier, audit log on the disk, tools bound, confidence, Decision) ask it in turns, batch by batch, so that both meet
the same machine; what is told is the difference of their percentiles, as the median over rounds and of the quietest
round of either. Then, without latency, requests a second and
processor time a request beside the bare LangGraph of the same shape; a profile by package; memory of open
conversations; and whether any of it grows with the number of requests. Processor time is of this process alone: on a
machine that is shared, it is the figure to compare.

``python bench/overhead.py [--only added,throughput,profile,memory,growth] [--json FILE]``
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import gc
import itertools
import json
import os
import pstats
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypedDict
from unittest import mock

import openai
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph

from moslm import Config, ScriptedChatModel, create_moslm
from moslm.config import Defaults, DomainSettings, RecallSettings, VLLMModel
from moslm.evals.questions import read_questions
from moslm.graph.parts import build_parts
from moslm.turn import Turn

QUESTIONS = Path(__file__).resolve().parents[1] / "calibration" / "handbook" / "finance.jsonl"
"""Of these, the ones that layer 1 gives to the small model of finance are asked in turn."""
IN_FLIGHT = (1, 10, 20)
NODES = ("screen", "recall", "classify", "check_request", "answer", "check_draft", "respond")
"""The way of an answered request."""
Ask = Callable[[int], Awaitable[None]]
_CLIENTS: list[openai.AsyncOpenAI] = []
"""What is to be closed before its event loop is."""


@contextmanager
def server(latency_ms: float) -> Iterator[str]:
    """Run the scripted server; yield its address."""
    command = [sys.executable, str(Path(__file__).with_name("scripted_server.py")), "--latency-ms", str(latency_ms)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()


def settings(url: str, *, use_tools: str = "auto") -> Config:
    """Return MoSLM as it is served: every part of it on, and nothing left out."""
    model = VLLMModel(kind="vllm", name="scripted", base_url=[url])
    return Config(
        defaults=Defaults(confidence="mean", use_tools=use_tools),  # type: ignore[arg-type]
        domains={"finance": DomainSettings(model=model, deadline_ms=60_000)},
        recall=RecallSettings(enabled=False),  # the same few questions are asked again and again
    )


@cache
def questions() -> tuple[str, ...]:
    """Return the questions that are asked."""
    parts = build_parts()
    found = []
    for question in read_questions(QUESTIONS):
        read, check = parts.judge([Turn("user", question.question)])
        if check.action == "answer" and read.domain == "finance":
            found.append(question.question)
    return tuple(found)


def through_moslm(url: str, *, use_tools: str = "auto") -> Ask:
    """Return how a request goes through the graph; one that is not answered by the small model ends the bench."""
    graph, texts = create_moslm(settings(url, use_tools=use_tools)).compile(), questions()

    async def ask(number: int) -> None:
        result = await graph.ainvoke({"messages": [HumanMessage(texts[number % len(texts)])]})
        assert result["decision"]["outcome"] == "answered", result["decision"]["reasons"]

    return ask


def directly(url: str, *, stream: bool = False) -> Ask:
    """Return how a request goes through the official client, log-probabilities and all."""
    client, texts = openai.AsyncOpenAI(base_url=url, api_key="EMPTY", max_retries=0), questions()
    _CLIENTS.append(client)

    async def ask(number: int) -> None:
        messages: Any = [
            {"role": "system", "content": "You answer."},
            {"role": "user", "content": texts[number % len(texts)]},
        ]
        asked: Any = {"model": "scripted", "messages": messages, "logprobs": True, "top_logprobs": 5}
        if stream:
            async for _ in await client.chat.completions.create(**asked, stream=True):
                pass
        else:
            await client.chat.completions.create(**asked)

    return ask


async def batch(ask: Ask, requests: int, in_flight: int, spread_s: float = 0.0) -> list[float]:
    """Make requests, so many at a time, the first ones spread over a time; return how long each took, in seconds."""
    numbers, taken = iter(range(requests)), list[float]()

    async def worker(place: int) -> None:
        await asyncio.sleep(spread_s * place / in_flight)
        for number in numbers:
            started = time.perf_counter()
            await ask(number)
            taken.append(time.perf_counter() - started)

    await asyncio.gather(*(worker(place) for place in range(in_flight)))
    return taken


def percentile(values: list[float], share: float) -> float:
    """Return a percentile; the largest value where there are few."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


async def added(rounds: int) -> list[dict[str, Any]]:
    """Measure what MoSLM adds at 300 ms of latency: medians over rounds, each with a batch of either."""
    rows = []
    with server(300) as url:
        kinds = {
            "direct": directly(url),
            "moslm": through_moslm(url),
            "moslm, passages": through_moslm(url, use_tools="never"),
        }
        for ask in kinds.values():
            await batch(ask, 20, 10)
        for in_flight in IN_FLIGHT:
            taken: dict[str, list[list[float]]] = defaultdict(list)
            for _ in range(rounds):
                for name, ask in kinds.items():
                    taken[name].append(await batch(ask, max(6, 5 * in_flight), in_flight, spread_s=0.3))
            for name in list(kinds)[1:]:
                pairs = list(zip(taken[name], taken["direct"], strict=True))
                rows.append(
                    {
                        "in_flight": in_flight,
                        "through": name,
                        "direct_p50_ms": 1000 * percentile(list(itertools.chain(*taken["direct"])), 0.5),
                        "added_p50_ms": _added(pairs, 0.5),
                        "added_p95_ms": _added(pairs, 0.95),
                        "quietest_p50_ms": _quietest(taken[name], taken["direct"], 0.5),
                        "quietest_p95_ms": _quietest(taken[name], taken["direct"], 0.95),
                        "requests": sum(map(len, taken[name])),
                    }
                )
    return rows


def _added(pairs: list[tuple[list[float], list[float]]], share: float) -> float:
    return 1000 * statistics.median(percentile(ours, share) - percentile(theirs, share) for ours, theirs in pairs)


def _quietest(ours: list[list[float]], theirs: list[list[float]], share: float) -> float:
    """Return the difference of the best rounds of either: what is left of it where others use the machine too."""
    return 1000 * (min(percentile(each, share) for each in ours) - min(percentile(each, share) for each in theirs))


class _Bare(TypedDict):
    messages: list[Any]


def bare() -> Ask:
    """Return a request through a LangGraph of the same shape whose nodes do nothing."""

    async def nothing(state: _Bare) -> dict[str, Any]:
        return {}

    graph: Any = StateGraph(_Bare)
    for name in NODES:
        graph.add_node(name, nothing)
    graph.add_edge(START, NODES[0])
    for name, after in itertools.pairwise(NODES):
        graph.add_conditional_edges(name, lambda _, after=after: after, [after])
    graph.add_edge(NODES[-1], END)
    compiled = graph.compile()

    async def ask(number: int) -> None:
        await compiled.ainvoke({"messages": [number]})

    return ask


async def throughput(rounds: int, requests: int) -> list[dict[str, Any]]:
    """Measure requests a second and processor time a request, without latency, 20 in flight; medians over rounds."""
    with server(0) as url:
        kinds = {
            "direct": directly(url),
            "direct, streamed": directly(url, stream=True),
            "bare graph": bare(),
            "moslm": through_moslm(url),
            "moslm, passages": through_moslm(url, use_tools="never"),
        }
        figures: dict[str, list[tuple[float, float]]] = defaultdict(list)
        for ask in kinds.values():
            await batch(ask, 20, 20)
        for _ in range(rounds):
            for name, ask in kinds.items():
                wall, cpu = time.perf_counter(), time.process_time()
                await batch(ask, requests, 20)
                figures[name].append((time.perf_counter() - wall, time.process_time() - cpu))
    return [
        {
            "through": name,
            "requests_per_s": statistics.median(requests / wall for wall, _ in rows),
            "cpu_ms": statistics.median(1000 * cpu / requests for _, cpu in rows),
            "requests_per_cpu_s": statistics.median(requests / cpu for _, cpu in rows),
        }
        for name, rows in figures.items()
    ]


async def profile(requests: int, *, use_tools: str = "auto") -> list[dict[str, Any]]:
    """Return where the processor time of a request goes, by package: own time in ms a request, the most first.

    What runs in threads beside the event loop is run on it here, so that one profile sees all of it.
    """
    with server(0) as url:
        ask = through_moslm(url, use_tools=use_tools)
        await batch(ask, 20, 20)
        profiler = cProfile.Profile(time.thread_time)
        with mock.patch("asyncio.to_thread", _here):
            profiler.enable()
            await batch(ask, requests, 20)
            profiler.disable()
    stats: dict[Any, Any] = pstats.Stats(profiler).stats  # type: ignore[attr-defined]
    own: dict[str, float] = defaultdict(float)
    for (file, _, name), (_, _, seconds, _, _) in stats.items():
        own[_package(file, name)] += 1000 * seconds / requests
    profiler.dump_stats("build/overhead.prof") if Path("build").is_dir() else None
    ranked = sorted(own.items(), key=lambda item: -item[1])
    return [{"package": package, "ms": ms} for package, ms in ranked[:16]]


async def _here(function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    return function(*arguments, **named)


def _package(file: str, name: str) -> str:
    if "site-packages/" in file:
        return file.split("site-packages/")[1].split("/")[0]
    for ours in ("/nodes/", "/graph/", "/src/moslm/"):
        if ours in file and "/lib/" not in file:
            room = file.split(ours)[1].split("/")[0].removesuffix(".py")
            return f"moslm.{room}" if "src" in ours else f"moslm{ours.replace('/', '.').rstrip('.')}"
    if file == "~":
        return f"built-in {name.split()[-1].strip('>')}" if "sqlite" in name or "select" in name else "built-in"
    return "standard library"


def resident_mib() -> float:
    """Return the resident memory of this process, MiB."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


async def memory(conversations: int) -> list[dict[str, Any]]:
    """Measure what an open conversation holds in LangGraph's own checkpointer: finished ones, and ones that wait."""
    call = {"name": "open_ticket", "args": {"summary": "The laptop is slow."}, "id": "c1"}
    replies = {"finished": "The budget is 40 thousand euros.", "waiting": AIMessage("", tool_calls=[call])}
    rows = []
    for name, reply in replies.items():
        saver = InMemorySaver()
        models: Any = dict.fromkeys(("finance", "it_support"), ScriptedChatModel(replies=[reply]))
        graph = create_moslm(Config(recall=RecallSettings(enabled=False)), models=models).compile(checkpointer=saver)
        text = questions()[0] if name == "finished" else "My laptop is very slow, please open a ticket."

        async def ask(number: int, graph: Any = graph, text: str = text, name: str = name) -> None:
            config: Any = {"configurable": {"thread_id": f"{name} {number}"}}
            result = await graph.ainvoke({"messages": [HumanMessage(text)]}, config)
            assert ("__interrupt__" in result) == (name == "waiting"), result

        await batch(ask, 50, 10)
        gc.collect()
        tracemalloc.start()  # resident memory would show what the allocator keeps for itself, too
        before = tracemalloc.get_traced_memory()[0]
        numbers = itertools.count(50)
        await batch(lambda _, ask=ask, numbers=numbers: ask(next(numbers)), conversations, 10)  # type: ignore[misc]
        gc.collect()
        grown = (tracemalloc.get_traced_memory()[0] - before) / 2**20
        tracemalloc.stop()
        rows.append({"conversations": name, "count": conversations, "mib_per_1000": 1000 * grown / conversations})
    return rows


async def growth(steps: tuple[int, ...]) -> list[dict[str, Any]]:
    """Make more and more requests in one process; return what the last hundred of each step cost."""
    rows, made = [], 0
    with server(0) as url:
        ask = through_moslm(url)
        await batch(ask, 50, 10)
        for step in steps:
            await batch(ask, step - made - 100, 10)
            wall, cpu = time.perf_counter(), time.process_time()
            taken = await batch(ask, 100, 10)
            made = step
            rows.append(
                {
                    "requests": step,
                    "cpu_ms": 10 * (time.process_time() - cpu),
                    "requests_per_s": 100 / (time.perf_counter() - wall),
                    "p50_ms": 1000 * percentile(taken, 0.5),
                    "resident_mib": resident_mib(),
                }
            )
    return rows


def table(rows: list[dict[str, Any]]) -> str:
    """Return rows as a table."""
    cells = [[f"{v:.1f}" if isinstance(v, float) else str(v) for v in row.values()] for row in rows]
    heads = list(rows[0])
    widths = [max(len(row[i]) for row in [heads, *cells]) for i in range(len(heads))]
    return "\n".join("  ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True)) for row in [heads, *cells])


async def _closing(measure: Callable[[], Awaitable[list[dict[str, Any]]]]) -> list[dict[str, Any]]:
    try:
        return await measure()
    finally:
        while _CLIENTS:
            await _CLIENTS.pop().close()


def main() -> None:
    """Measure and print."""
    parts = ("added", "throughput", "profile", "memory", "growth")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default=",".join(parts), help=f"some of {','.join(parts)}")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--requests", type=int, default=200, help="of a round without latency")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there; - is stdout")
    options = parser.parse_args()
    # figures alone on stdout where a program reads them
    shown = sys.stderr if options.json == Path("-") else sys.stdout
    measures: dict[str, Callable[[], Awaitable[list[dict[str, Any]]]]] = {
        "added": lambda: added(options.rounds),
        "throughput": lambda: throughput(options.rounds, options.requests),
        "profile": lambda: profile(options.requests),
        "memory": lambda: memory(1000),
        "growth": lambda: growth((200, 1000, 10_000)),
    }
    document: dict[str, Any] = {"cores": len(os.sched_getaffinity(0)), "load": os.getloadavg()}
    with tempfile.TemporaryDirectory() as home:
        weights = Path(os.environ.get("MOSLM_HOME") or Path.home() / ".moslm") / "weights"
        if weights.is_dir():
            (Path(home) / "weights").symlink_to(weights)
        os.environ["MOSLM_HOME"] = home
        for name in options.only.split(","):
            document[name] = asyncio.run(_closing(measures[name]))
            print(f"\n{name}\n{table(document[name])}", file=shown, flush=True)
    if options.json:
        text = json.dumps(document, indent=1) + "\n"
        sys.stdout.write(text) if shown is sys.stderr else options.json.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
