"""What one server can do, and how many of them a load takes: the measured half of docs/guides/scaling.md.

``python bench/capacity.py --base-url http://127.0.0.1:8000/small/v1 --model small [--side-by-side 1 2 4 8]
[--tokens-in 300 --tokens-out 100] [--seconds 30] [--rate 2] [--json FILE]``. For each number of requests side by side
it asks for so many seconds, streamed, every prompt new to the prefix cache, and tells requests and tokens a second,
the time to the first token and to the whole answer. With ``--rate`` it says how many replicas answer so many requests
a second, by the M/M/c formula, if each does what was measured here.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import openai
from measures.queueing import Need, replicas_for

SENTENCE = "the parcel of the customer was returned to the shop because its colour did not please them at all"
WORDS = SENTENCE.split(" ")


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured with so many requests side by side."""

    side_by_side: int
    requests: int
    failed: int
    requests_s: float
    tokens_in: float
    """Prompt tokens a request, as the server counts."""
    tokens_out: float
    tokens_s: float
    """Tokens written a second, over all requests."""
    first_p50_s: float
    first_p95_s: float
    answer_s: float
    """Seconds an answer takes, on average."""
    answer_p95_s: float
    seconds: list[float]
    """Seconds that each answer took: what ``moslm cost --size`` takes as ``samples``."""


async def measured(client: openai.AsyncOpenAI, options: argparse.Namespace, side_by_side: int) -> Measured:
    """Keep so many requests going for a while."""
    numbers, ended, failed = itertools.count(time.monotonic_ns()), [], 0
    begun = time.monotonic()

    async def ask() -> None:
        nonlocal failed
        while time.monotonic() - begun < options.seconds:
            try:
                ended.append(await _one(client, options, next(numbers)))
            except openai.OpenAIError:
                failed += 1

    await asyncio.gather(*(ask() for _ in range(side_by_side)))
    took = time.monotonic() - begun
    if not ended:
        raise SystemExit(f"none of {failed} requests was answered")
    first, whole, read, written = zip(*ended, strict=True)
    return Measured(
        side_by_side=side_by_side,
        requests=len(ended),
        failed=failed,
        requests_s=len(ended) / took,
        tokens_in=statistics.fmean(read),
        tokens_out=statistics.fmean(written),
        tokens_s=sum(written) / took,
        first_p50_s=_quantile(first, 0.5),
        first_p95_s=_quantile(first, 0.95),
        answer_s=statistics.fmean(whole),
        answer_p95_s=_quantile(whole, 0.95),
        seconds=list(whole),
    )


async def _one(client: openai.AsyncOpenAI, options: argparse.Namespace, number: int) -> tuple[float, float, int, int]:
    """Ask once; return the seconds to the first token and to the end, and the tokens read and written."""
    begun, first, usage = time.monotonic(), None, None
    # the number comes first: nothing after it is in any cache
    prompt = f"{number}: " + " ".join(itertools.islice(itertools.cycle(WORDS), int(0.9 * options.tokens_in)))
    stream: Any = await client.chat.completions.create(
        model=options.model,
        messages=[{"role": "user", "content": f"{prompt}. Tell the whole story."}],
        max_tokens=options.tokens_out,
        temperature=0,
        stream=True,
        stream_options={"include_usage": True},
    )
    async for chunk in stream:
        if first is None and chunk.choices and chunk.choices[0].delta.content:
            first = time.monotonic() - begun
        usage = chunk.usage or usage
    whole = time.monotonic() - begun
    if usage is None:
        raise openai.OpenAIError("the server does not tell the usage of a streamed answer")
    return whole if first is None else first, whole, usage.prompt_tokens, usage.completion_tokens


def needed(each: Measured, rate: float) -> Need:
    """Return how many servers like this one answer so many requests a second."""
    return replicas_for(rate, each.answer_s, each.side_by_side)


def table(rows: Sequence[Measured], rate: float | None) -> Iterator[str]:
    """Yield what is told, as a Markdown table."""
    more = "" if rate is None else f" replicas for {rate:g}/s |"
    yield f"| side by side | requests/s | tokens/s | first token p50 / p95 | answer mean / p95 | failed |{more}"
    yield "|---" * (6 + bool(more)) + "|"
    for each in rows:
        times = f"{each.first_p50_s:.2f} / {each.first_p95_s:.2f} s | {each.answer_s:.2f} / {each.answer_p95_s:.2f} s"
        line = f"| {each.side_by_side} | {each.requests_s:.2f} | {each.tokens_s:.0f} | {times} | {each.failed} |"
        yield line if rate is None else f"{line} {needed(each, rate).replicas} |"


def _quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--key-env", help="environment variable of the server's key")
    parser.add_argument("--side-by-side", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--tokens-in", type=int, default=300)
    parser.add_argument("--tokens-out", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--rate", type=float, help="requests a second at the peak")
    parser.add_argument("--json", type=Path, help="file that takes the figures")
    options = parser.parse_args(argv)

    async def measure() -> list[Measured]:
        key = os.environ.get(options.key_env or "", "none")
        async with openai.AsyncOpenAI(base_url=options.base_url, api_key=key, max_retries=0, timeout=600) as client:
            await _one(client, options, 0)  # loads what is loaded with the first request
            return [await measured(client, options, count) for count in options.side_by_side]

    rows = asyncio.run(measure())
    print("\n".join(table(rows, options.rate)))
    if options.json:
        figures = {"date": date.today().isoformat(), "cores": os.cpu_count(), "rows": [asdict(each) for each in rows]}
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
