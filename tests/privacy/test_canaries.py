"""Canaries planted in conversations: they may be where the conversation is kept, and nowhere else."""

from __future__ import annotations

import json
import logging
import os
import random
from pathlib import Path
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import Field

from moslm import Config, MoSLMContext, ScriptedChatModel
from moslm.config import BudgetSettings, CapSettings
from moslm.decision import Decision
from moslm.integrations.api.meters import Meters

CONVERSATIONS = 10_000 if os.environ.get("MOSLM_LONG") == "1" else 30
FRAMES = [
    "What is the budget of {}?",
    "budget for: {} (urgent!!)",
    'The budget file says {{"owner": "{}"}}, is that right?',
    "My laptop shows {} on the screen, what now?",
    "I want a refund to {} please",
    "Use advanced reasoning about the budget of {}.",
]


class Spy(ScriptedChatModel):
    """A model outside that keeps what it was sent and says it back."""

    sent: list[str] = Field(default_factory=list)
    disable_streaming: bool = True

    def _generate(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
        self.sent.append(json.dumps([[m.text, m.additional_kwargs, m.name, m.id] for m in messages]))
        said = ScriptedChatModel(replies=[f"About {messages[-1].text}"], confidence=0.9)
        return said._generate(messages, *args, **kwargs)


class WhatLeaves(BaseCallbackHandler):
    """Keeps what the models below the door were called with, as any tracer there would see it."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def on_chat_model_start(self, serialized: Any, messages: Any, *, metadata: Any = None, **kwargs: Any) -> None:
        if kwargs.get("name") == "large model":
            self.seen.append(repr(messages))
        self.seen.append(repr(metadata))


def canary(chance: random.Random) -> str:
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


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    return caplog


def test_a_canary_is_where_its_conversation_is_and_nowhere_else(moslm, home, logged):
    chance, spy, tracer, meters = random.Random(7), Spy(metadata={"premises": "outside"}), WhatLeaves(), Meters()
    saver = InMemorySaver()
    config = Config(budgets=BudgetSettings(caps=[CapSettings(per="tenant", usd=50), CapSettings(per="user", calls=9)]))
    graph = moslm(confidence=0.3, large=spy, config=config, checkpointer=saver)
    planted, records, events = set[str](), list[str](), list[str]()
    for i in range(CONVERSATIONS):
        secret = canary(chance)
        planted.add(secret)
        asked = {"messages": [("user", chance.choice(FRAMES).format(secret))]}
        options: Any = {"configurable": {"thread_id": f"t{i % 40}"}, "callbacks": [tracer]}
        context = MoSLMContext(tenant=f"tenant{i % 3}", user=f"u{i % 60}")
        for mode, said in graph.stream(asked, options, context=context, stream_mode=["custom", "values"]):
            if mode == "custom":
                events.append(repr(said))
            elif said.get("decision"):
                records.append(json.dumps(said["decision"]))
                meters.decided(Decision.model_validate(said["decision"]))
    assert len(spy.sent) > CONVERSATIONS // 3
    places = {
        "what was sent": "\n".join(spy.sent),
        "what a tracer sees below the door": "\n".join(tracer.seen),
        "log lines": logged.text,
        "decisions": "\n".join(records),
        "events": "\n".join(events),
        "meters": meters.page().decode(),
        "checkpoint metadata": repr([each.metadata for each in saver.list(None)]),
        **{file.name: file.read_bytes().decode("latin-1") for file in _files(home)},
    }
    found = {place: [each for each in planted if each in text] for place, text in places.items()}
    assert {place: each[:3] for place, each in found.items() if each} == {}
    assert {"audit.sqlite", "ledger.sqlite"} <= {file.name for file in _files(home)}


def test_an_error_below_the_door_says_nothing_of_what_was_sent(moslm, ask):
    class Fails(Spy):
        def _generate(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
            raise RuntimeError(f"cannot answer {messages[-1].text}")

    text, decision = ask(
        moslm(confidence=0.3, large=Fails(metadata={"premises": "outside"})), "budget of jane@contoso.example?"
    )
    assert "jane@contoso.example" not in text
    assert "jane" not in json.dumps(decision)


def _files(home: Path) -> list[Path]:
    return [each for each in home.rglob("*") if each.is_file() and "weights" not in each.parts]
