"""Canaries planted in conversations: they may be where the conversation is kept, and nowhere else."""

from __future__ import annotations

import json
import logging
import os
import random
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langchain_core.tracers.langchain import LangChainTracer, wait_for_all_tracers
from langgraph.checkpoint.memory import InMemorySaver
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import Field

from moslm import Config, MoSLMContext, ScriptedChatModel
from moslm.cli import main
from moslm.config import BudgetSettings, CapSettings, DomainSettings, LargeModelSettings, RecallSettings, ScriptedModel
from moslm.decision import Decision
from moslm.integrations.api import build_api
from moslm.integrations.api.meters import Meters
from moslm.telemetry.hiding import client_without_texts

CONVERSATIONS = 10_000 if os.environ.get("MOSLM_LONG") == "1" else 40
BATCH = 100
"""Conversations after which what was traced is looked through and let go."""
FRAMES = [
    "What is the budget of {}?",
    "budget for: {} (urgent!!)",
    'The budget file says {{"owner": "{}"}}, is that right?',
    "My laptop shows {} on the screen, what now?",
    "I want a refund to {} please",
    "Use advanced reasoning about the budget of {}.",
]
WORD = re.compile(r"\d{3}-\d{2}-\d{4}|[A-Za-z0-9]{8,}")
"""What the forms of canaries have in common: each holds one such run that is its own."""


class Canaries:
    """Plants canaries, and finds them again wherever they are."""

    def __init__(self) -> None:
        self._chance = random.Random(7)
        self._own: dict[str, str] = {}
        self._whole: list[str] = []

    def plant(self) -> str:
        made = _canary(self._chance)
        self._own.update({run: made for run in WORD.findall(made) if run not in ("internal", "contoso")})
        if len(self._whole) < 100:
            self._whole.append(made)  # looked for anywhere, also within longer words
        return made

    def sentence(self) -> str:
        return self._chance.choice(FRAMES).format(self.plant())

    def found_in(self, text: str) -> list[str]:
        hits = {self._own[run] for run in WORD.findall(text) if run in self._own}
        return sorted(hits | {each for each in self._whole if each in text})[:3]

    def __len__(self) -> int:
        return len(set(self._own.values()))


def _canary(chance: random.Random) -> str:
    digits = lambda n: "".join(chance.choice("0123456789") for _ in range(n))  # noqa: E731
    kind = chance.choice(["mail", "card", "iban", "ssn", "phone", "key"])
    name = "".join(chance.choice("abcdefghijkmnopqrstuvwxyz") for _ in range(9))
    if kind == "card":
        return _with_luhn("4" + digits(14))
    if kind == "iban":
        return _with_mod97("DE", digits(18))
    return {
        "mail": f"{name}@{chance.choice(['contoso.example', 'corp.internal', 'mail.local', 'gmail.com'])}",
        "ssn": f"{chance.randrange(100, 665)}-{chance.randrange(10, 99)}-{chance.randrange(1000, 9999)}",
        "phone": f"+49 30 {digits(8)}",
        "key": f"ghp_{''.join(chance.choice('abcdefghijkmnopqrstuvwxyzABCDEFGH0123456789') for _ in range(36))}",
    }[kind]


def _with_luhn(body: str) -> str:
    total = 0
    for i, char in enumerate(reversed(body)):
        digit = int(char) * (2 if i % 2 == 0 else 1)
        total += digit - 9 if digit > 9 else digit
    return body + str(-total % 10)


def _with_mod97(country: str, body: str) -> str:
    letters = "".join(str(ord(char) - 55) for char in country)
    return f"{country}{98 - int(body + letters + '00') % 97:02d}{body}"


class Outside(ScriptedChatModel):
    """A model outside that keeps what it was sent and says it back."""

    sent: list[str] = Field(default_factory=list)
    disable_streaming: bool = True

    def _generate(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
        self.sent.append(json.dumps([[m.text, m.additional_kwargs, m.name, m.id] for m in messages]))
        said = ScriptedChatModel(replies=[f"About {messages[-1].text}"], confidence=0.9)
        return said._generate(messages, *args, **kwargs)


class Fails(ScriptedChatModel):
    """A model whose errors quote what it was sent, as those of servers do."""

    disable_streaming: bool = True

    def _generate(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(f"cannot answer {messages[-1].text}") from ValueError(messages[-1].text)


class Calls(ScriptedChatModel):
    """A small model that calls a tool with the whole request, and then repeats it."""

    tool: str = "look"
    disable_streaming: bool = True

    def _generate(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
        asked = messages[-1].text
        call = AIMessage("", tool_calls=[{"name": self.tool, "args": {"about": asked}, "id": f"c{time.time_ns()}"}])
        said = f"About {asked}" if messages[-1].type == "tool" else call
        return ScriptedChatModel(replies=[said], confidence=0.95)._generate(messages, *args, **kwargs)


@tool
def look(about: str) -> str:
    """Look something up."""
    raise RuntimeError(f"nothing about {about}")


@tool
def pay(about: str) -> str:
    """Pay."""
    return f"paid {about}"


look.metadata, pay.metadata = {"effect": "read"}, {"effect": "write"}


class BelowTheDoor(BaseCallbackHandler):
    """Keeps what the models below the door were called with, as any tracer there would see it."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def on_chat_model_start(self, serialized: Any, messages: Any, *, metadata: Any = None, **kwargs: Any) -> None:
        if kwargs.get("name") == "large model":
            self.seen.append(repr(messages))
        self.seen.append(repr(metadata))


class Spans:
    """LangSmith's tracer in its OpenTelemetry mode, and every span it made."""

    def __init__(self) -> None:
        self._exporter, provider = InMemorySpanExporter(), TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        options: Any = {"api_url": "http://127.0.0.1:9", "api_key": "x", "otel_tracer_provider": provider}
        self.client = client_without_texts(tracing_mode="otel", **options)
        self.tracer, self.names = LangChainTracer(client=self.client), set[str]()

    def take(self) -> str:
        wait_for_all_tracers()
        self.client.flush()
        spans = self._exporter.get_finished_spans()
        self.names |= {each.name for each in spans}
        self._exporter.clear()
        return "\n".join(_whole(each) for each in spans)


def _whole(span: ReadableSpan) -> str:
    events = [(each.name, dict(each.attributes or {})) for each in span.events]
    return repr([span.name, dict(span.attributes or {}), events, span.status.description, span.resource.attributes])


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    return caplog


def _graphs(moslm: Any, saver: Any, outside: Outside) -> Iterator[Any]:
    """Build what conversations go to: an unsure small model, one that fails, failing tools, writes, second opinions."""
    caps = BudgetSettings(caps=[CapSettings(per="tenant", usd=CONVERSATIONS), CapSettings(per="user", calls=900)])
    for model, tools, confidence in (
        ("The finance answer.", [], 0.3),
        ("The finance answer.", [], 0.95),
        (Fails(), [], 0.9),
        (Calls(tool="look"), ["look"], 0.95),
        (Calls(tool="pay"), ["pay"], 0.95),
    ):
        domains = {"finance": DomainSettings(tools=["search_handbook", *tools], risk="high")}
        large = LargeModelSettings(
            model=ScriptedModel(kind="scripted"), max_calls_per_day=CONVERSATIONS, requests_per_minute=1e6
        )
        config = Config(budgets=caps, domains=domains, recall=RecallSettings(), large_model=large)
        given = {"tools": [look, pay], "checkpointer": saver, "config": config}
        yield moslm({"finance": model, "it_support": Fails()}, confidence=confidence, large=outside, **given)


class Search:
    """What is looked through while conversations go on, and what was found where."""

    def __init__(self, canaries: Canaries, saver: InMemorySaver, logged: pytest.LogCaptureFixture) -> None:
        self.canaries, self.saver, self.logged = canaries, saver, logged
        self.outside, self.below = Outside(metadata={"premises": "outside"}), BelowTheDoor()
        self.spans, self.meters = Spans(), Meters()
        self.found, self.outcomes, self.records = dict[str, list[str]](), set[str](), list[str]()
        self.sent = 0

    def look(self, place: str, text: str) -> None:
        if hits := self.canaries.found_in(text):
            self.found.setdefault(place, hits)

    def hear(self, mode: str, said: dict[str, Any]) -> None:
        if mode == "custom":
            self.look("events", repr(said))
        elif "__interrupt__" in said:
            self.outcomes.add("waits")
        elif record := (said.get("respond") or {}).get("decision"):
            self.records.append(record["id"])
            self.outcomes.add(record["outcome"])
            self.look("decisions", json.dumps(record))
            self.meters.decided(Decision.model_validate(record))

    def through_what_was_left(self) -> None:
        """Look through what the last conversations left, and let go of it."""
        self.look("spans", self.spans.take())
        self.look("log lines", self.logged.text)
        self.look("what was sent", "\n".join(self.outside.sent))
        self.look("what a tracer sees below the door", "\n".join(self.below.seen))
        self.look("checkpoint metadata", repr([each.metadata for each in self.saver.list(None)]))
        self.sent += len(self.outside.sent)
        for kept in (self.below.seen, self.outside.sent, self.saver.storage, self.saver.writes, self.saver.blobs):
            kept.clear()
        self.logged.clear()

    def through_what_stays(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """Look through what commands print, the meters and the files."""
        some = self.records[:: max(1, len(self.records) // 100)]
        shown = [["log", "--limit", "0"], ["log", "--json", "--limit", "0"], ["budget"], ["recall", "stats"]]
        for words in [*shown, *(["explain", id, "--table"] for id in some)]:
            assert main(words) == 0
            self.look(f"moslm {words[0]}", capsys.readouterr().out)
        self.look("meters", self.meters.page().decode())
        for file in _files(home):
            self.look(file.name, file.read_bytes().decode("latin-1"))


def test_a_canary_is_where_its_conversation_is_and_nowhere_else(moslm, home, logged, capsys, monkeypatch, tmp_path):
    search = Search(Canaries(), InMemorySaver(), logged)
    graphs = list(_graphs(moslm, search.saver, search.outside))
    for i in range(CONVERSATIONS):
        asked = {"messages": [("user", search.canaries.sentence())]}
        thread = f"t{i // BATCH} {i % BATCH // 2 % 40}"
        options: Any = {"configurable": {"thread_id": thread}, "callbacks": [search.below, search.spans.tracer]}
        context = MoSLMContext(tenant=f"tenant{i % 3}", user=f"u{i % 60}")
        graph = graphs[i % len(graphs)]
        for mode, said in graph.stream(asked, options, context=context, stream_mode=["custom", "updates"]):
            search.hear(mode, said)
        if i % BATCH == BATCH - 1 or i == CONVERSATIONS - 1:
            search.through_what_was_left()
    monkeypatch.chdir(tmp_path)
    search.through_what_stays(home, capsys)
    assert search.found == {}
    assert len(search.canaries) >= CONVERSATIONS * 0.99
    assert search.sent > CONVERSATIONS // 4
    assert {"answered", "escalated", "waits"} <= search.outcomes
    assert {"finance model", "look", "review", "large model", "respond"} <= search.spans.names
    assert {"audit.sqlite", "ledger.sqlite", "recall.sqlite", "reviews.sqlite"} <= {each.name for each in _files(home)}


def test_the_finder_finds_what_is_planted_whatever_stands_around_it():
    canaries = Canaries()
    for _ in range(500):
        planted = canaries.plant()
        assert canaries.found_in(f'{{"x": "{planted}"}}') == [planted]
    assert canaries.found_in("nothing of it: 12345678, internal, contoso") == []


def test_an_error_below_the_door_says_nothing_of_what_was_sent(moslm, ask):
    text, decision = ask(
        moslm(confidence=0.3, large=Fails(metadata={"premises": "outside"})), "budget of jane@contoso.example?"
    )
    assert "jane@contoso.example" not in text
    assert "jane" not in json.dumps(decision)


async def test_an_error_body_of_the_endpoint_says_nothing_of_what_others_sent_nor_does_its_log(logged, moslm):
    class Broken:
        async def ainvoke(self, given: Any, *args: Any, **kwargs: Any) -> Any:
            raise RuntimeError(f"cannot answer {given['messages'][-1].text}")

    app = build_api(Config(), lambda: Broken(), open_to_all=True)
    transport = httpx.ASGITransport(app=app)
    asked = {"model": "moslm", "messages": [{"role": "user", "content": "budget of jane@contoso.example?"}]}
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        said = await client.post("/v1/chat/completions", json=asked)
        wrong = await client.post(
            "/v1/chat/completions", json={**asked, "messages": [{"role": "jane@contoso.example"}]}
        )
    assert (said.status_code, wrong.status_code) == (500, 400)
    assert "jane" not in said.text
    assert "jane" not in wrong.text
    assert "RuntimeError" in logged.text
    assert "jane" not in logged.text


def _files(home: Path) -> list[Path]:
    return [each for each in home.rglob("*") if each.is_file() and "weights" not in each.parts]
