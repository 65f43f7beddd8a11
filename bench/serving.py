"""Tokens a second and time to the first token, through MoSLM and from the same vLLM server asked directly.

``.venv-real/bin/python bench/serving.py [--base-url URL --name NAME] [--json FILE]``. Without ``--base-url`` it brings
a server up with the product's own code, of the weights that ``make test-real`` converted. Four ask the same server for
the same prompts, in turns of a few seconds and in another order each round, so that what else the machine does meets
all of them:

- ``openai``: the openai client, streaming, with the log-probabilities that the gate needs; the floor
- ``openai, bare``: the same without log-probabilities: what asking for them costs
- ``ChatVLLM``: the chat model that MoSLM asks with
- ``MoSLM``: the whole graph, streaming optimistically

Every request has a number of its own before its question, so the server reads its prompt anew, but for the domain's
system prompt; every answer has the same number of tokens. Ratios are of a round, so of the same minute; their median
is told, with the least and the most.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import logging
import os
import random
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openai
from langchain_core.callbacks import AsyncCallbackHandler
from langchain_core.messages import AIMessageChunk, BaseMessage, HumanMessage, convert_to_openai_messages

from moslm import Config, create_moslm
from moslm.config import Defaults, DomainSettings, RecallSettings, ServerSettings, VLLMModel
from moslm.models.chat import build_chat_model
from moslm.serving.launching import launches
from moslm.serving.supervising import Supervisor

WEIGHTS = Path(__file__).resolve().parents[1] / "build" / "real_models" / "smollm2-135m-instruct"
DOMAIN, QUESTION = "customer_service", "How long do I have to return an order?"
FLOOR, BARE, MODEL, GRAPH = "openai", "openai, bare", "ChatVLLM", "MoSLM"
TOP_LOGPROBS = 5
DEADLINE_MS = 300_000
ALLOWED = ["loopback", "private"]

Ask = Callable[[str], AsyncIterator[None]]
"""Asks one question and yields at every piece of the answer."""


@dataclass
class Turn:
    """One turn of one contender: so many requests, so many at a time."""

    tokens_per_s: float
    first_ms: list[float]


@dataclass
class Row:
    """What is told of one contender at one number of requests in flight."""

    who: str
    in_flight: int
    turns: list[Turn] = field(default_factory=list)

    def told(self, floor: Row) -> dict[str, Any]:
        """Return its figures, held against those of the floor."""
        ratios = [own.tokens_per_s / its.tokens_per_s for own, its in zip(self.turns, floor.turns, strict=True)]
        first = sorted(ms for turn in self.turns for ms in turn.first_ms)
        return {
            "in_flight": self.in_flight,
            "who": self.who,
            "tokens_per_s": round(statistics.median(turn.tokens_per_s for turn in self.turns), 1),
            "of_direct": round(statistics.median(ratios), 3),
            "of_direct_least": round(min(ratios), 3),
            "of_direct_most": round(max(ratios), 3),
            "first_token_ms_p50": round(statistics.median(first)),
            "first_token_ms_p95": round(first[int(0.95 * (len(first) - 1))]),
            "requests": len(first),
        }


class Recorder(AsyncCallbackHandler):
    """Keeps what the graph sent its model, so that the others can send the very same."""

    def __init__(self) -> None:
        self.prompts: list[list[BaseMessage]] = []

    async def on_chat_model_start(self, serialized: Any, messages: list[list[BaseMessage]], **_: Any) -> None:
        """Keep the prompt of a call."""
        self.prompts.extend(messages)


def served(options: argparse.Namespace) -> VLLMModel:
    """Return how the model is asked, by everyone in the same way."""
    return VLLMModel(
        kind="vllm",
        name=options.name,
        base_url=[options.base_url],
        api_key_env=options.api_key_env,
        max_tokens=options.tokens,
        top_logprobs=TOP_LOGPROBS,
        extra_body={"ignore_eos": True},
    )


def whole_graph(model: VLLMModel) -> Any:
    defaults = Defaults(confidence="mean", threshold=0.0, passages=0, use_tools="never", deadline_ms=DEADLINE_MS)
    config = Config(
        defaults=defaults,
        domains={DOMAIN: DomainSettings(model=model)},
        optimistic_streaming=True,
        recall=RecallSettings(enabled=False),
    )
    return create_moslm(config).compile(name="moslm")


async def prompt_of_graph(graph: Any) -> list[BaseMessage]:
    """Return what the graph sends its model for the question."""
    recorder = Recorder()
    result = await graph.ainvoke({"messages": [("user", QUESTION)]}, config={"callbacks": [recorder]})
    if result["decision"]["outcome"] != "answered":
        raise SystemExit(f"the graph did not answer: {result['decision']['reasons']}")
    return recorder.prompts[0]


def through_graph(graph: Any, tokens: int) -> Ask:
    async def ask(question: str) -> AsyncIterator[None]:
        final: Any = None
        asked = {"messages": [("user", question)]}
        async for mode, piece in graph.astream(asked, stream_mode=["messages", "values"]):
            if mode == "values":
                final = piece.get("decision", final)
            elif isinstance(piece[0], AIMessageChunk) and piece[0].text:
                yield
        told = final["outcome"], [use["output_tokens"] for use in final["usage"]]
        if told != ("answered", [tokens]):
            raise SystemExit(f"the graph did not answer {question!r} as the others did: {told}, {final['reasons']}")

    return ask


def through_chat_model(chat: Any, prompt: Sequence[BaseMessage]) -> Ask:
    async def ask(question: str) -> AsyncIterator[None]:
        async for chunk in chat.astream(_about(question, prompt)):
            if chunk.text:
                yield

    return ask


def directly(client: openai.AsyncOpenAI, name: str, tokens: int, prompt: Sequence[BaseMessage], **more: Any) -> Ask:
    async def ask(question: str) -> AsyncIterator[None]:
        stream = await client.chat.completions.create(
            model=name,
            messages=convert_to_openai_messages(_about(question, prompt)),
            max_completion_tokens=tokens,
            temperature=0.0,
            stream=True,
            stream_options={"include_usage": True},
            extra_body={"ignore_eos": True},
            **more,
        )
        async for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                yield

    return ask


def _about(question: str, prompt: Sequence[BaseMessage]) -> list[BaseMessage]:
    return [HumanMessage(question) if each.text == QUESTION else each for each in prompt]


async def contenders(options: argparse.Namespace) -> dict[str, Ask]:
    model = served(options)
    graph, chat = whole_graph(model), build_chat_model(model, deadline_ms=DEADLINE_MS, allow_hosts=ALLOWED)
    prompt = await prompt_of_graph(graph)
    key = os.environ[options.api_key_env] if options.api_key_env else "EMPTY"
    client = openai.AsyncOpenAI(base_url=options.base_url, api_key=key, max_retries=0, timeout=DEADLINE_MS / 1000)
    asked = (client, options.name, options.tokens, prompt)
    return {
        FLOOR: directly(*asked, logprobs=True, top_logprobs=TOP_LOGPROBS),
        BARE: directly(*asked),
        MODEL: through_chat_model(chat, prompt),
        GRAPH: through_graph(graph, options.tokens),
    }


async def turn(ask: Ask, questions: Sequence[str], in_flight: int, tokens: int) -> Turn:
    """Ask every question, so many at a time, and measure."""
    first: list[float] = []
    left = iter(questions)

    async def client() -> None:
        for question in left:
            begun, seen = time.perf_counter(), False
            async for _ in ask(question):
                if not seen:
                    seen = True
                    first.append((time.perf_counter() - begun) * 1000)

    begun = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(in_flight)))
    return Turn(len(questions) * tokens / (time.perf_counter() - begun), first)


async def measured(options: argparse.Namespace, say: Callable[[str], None]) -> list[dict[str, Any]]:
    everyone, numbers, rows = await contenders(options), itertools.count(1), list[dict[str, Any]]()
    for in_flight in options.in_flight:
        of = {who: Row(who, in_flight) for who in everyone}
        for ask in everyone.values():  # the first of anything is slow
            await turn(ask, _questions(numbers, in_flight), in_flight, options.tokens)
        for number in range(options.rounds):
            order = list(everyone)
            for who in order[number % len(order) :] + order[: number % len(order)]:
                asked = _questions(numbers, in_flight * options.requests)
                of[who].turns.append(await turn(everyone[who], asked, in_flight, options.tokens))
        told = [row.told(of[FLOOR]) for row in of.values()]
        rows += told
        for each in told:
            say(_line(each))
    return rows


def _questions(numbers: Iterator[int], count: int) -> list[str]:
    return [f"{next(numbers)}. {QUESTION}" for _ in range(count)]


HEAD = f"{'in flight':>9}  {'who':<13}{'tokens/s':>9}{'of direct':>11}{'least-most':>13}{'first token p50/p95 ms':>25}"


def _line(row: dict[str, Any]) -> str:
    between = f"{row['of_direct_least']:.2f}-{row['of_direct_most']:.2f}"
    first = f"{row['first_token_ms_p50']}/{row['first_token_ms_p95']}"
    speed = f"{row['tokens_per_s']:>9.1f}{row['of_direct']:>11.3f}{between:>13}"
    return f"{row['in_flight']:>9}  {row['who']:<13}{speed}{first:>25}"


@contextmanager
def server(model: str, logs: Path) -> Iterator[str]:
    """Bring a server up; yield its address."""
    # below the ports of outgoing connections, one of which could be taken while the server loads
    port = random.randrange(20_000, 30_000)
    settings = ServerSettings(model=model, port=port, context=2048, parallel=8, kv_cache_gib=1)
    with Supervisor(launches("small", settings), logs) as supervisor:
        supervisor.begin()
        while not supervisor.settled:
            supervisor.step()
            time.sleep(0.2)
        (replica,) = supervisor.replicas
        if replica.state != "healthy":
            raise SystemExit(f"the server failed: {replica.reason}")
        yield replica.launch.base_url


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base-url", help="server to ask; by default one is brought up")
    parser.add_argument("--name", default="small", help="served model name")
    parser.add_argument("--api-key-env", help="environment variable that holds the server's key")
    parser.add_argument("--model", default=str(WEIGHTS), help="folder or hub name of the model to bring up")
    parser.add_argument("--in-flight", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--requests", type=int, default=2, help="requests of one turn, for each in flight")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--tokens", type=int, default=64, help="length of every answer")
    parser.add_argument("--json", type=Path, help="file that takes the figures")
    options = parser.parse_args()
    logging.getLogger("moslm").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MOSLM_HOME"] = folder
        print(HEAD, flush=True)
        if options.base_url:
            rows = asyncio.run(measured(options, _say))
        else:
            with server(options.model, Path(folder)) as options.base_url:
                rows = asyncio.run(measured(options, _say))
    if options.json:
        shown = {name: value for name, value in vars(options).items() if name not in ("json", "base_url", "model")}
        options.json.write_text(json.dumps({"options": shown, "rows": rows}, indent=1) + "\n")


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    main()
