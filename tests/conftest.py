"""What every test stands on: no network, a home of its own, a classifier whose answers the test chooses."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).with_name("servers")))

import pytest
from langchain_core.language_models import BaseChatModel
from redis_server import RedisServer

from moslm import Config, Ranking, ScriptedChatModel, Turn, create_moslm
from moslm.config import RecallSettings
from moslm.models.classifiers import Part

LOOPBACK = ["127.0.0.1", "::1", "localhost"]
ALONE = tuple(Path(__file__).parent / each for each in ("bench", "faults", "serving", "graph/test_embedded.py"))
"""What fails on a busy machine for no fault of its own, and makes it busy."""
SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")
os.environ.setdefault("LANGSMITH_TRACING", "false")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if any(item.path.is_relative_to(place) for place in ALONE):
            item.add_marker(pytest.mark.alone)
        if item.get_closest_marker("loopback"):
            item.add_marker(pytest.mark.allow_hosts(LOOPBACK))
        if item.get_closest_marker("data") and not SHARED_DATA.is_dir():
            item.add_marker(pytest.mark.skip(reason="the public data sets are not beside this checkout"))


@pytest.fixture
def data() -> Path:
    return SHARED_DATA


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the test's own; pulled weights are shared, because they are pinned by hash."""
    real = Path(os.environ.get("MOSLM_HOME") or Path.home() / ".moslm")
    own = tmp_path_factory.mktemp("home")
    if (real / "weights").is_dir():
        (own / "weights").symlink_to(real / "weights")
    monkeypatch.setenv("MOSLM_HOME", str(own))
    return own


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis server for all tests, each of which takes a prefix of its own."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.kill()


class ChosenClassifier:
    """Ranks by the first of its keywords that a text holds: the test decides what is about what."""

    name = "chosen 1"
    labels = ("finance", "it_support", "customer_service", "complex_reasoning")

    def __init__(self, words: Mapping[str, str] | None = None, strangeness: float | None = None) -> None:
        self.words = dict(words or {"budget": "finance", "laptop": "it_support", "refund": "customer_service"})
        self.strangeness = strangeness

    def rank(self, turns: Sequence[Turn]) -> Ranking:
        text = turns[-1].text
        hits = sorted((text.find(word), word, label) for word, label in self.words.items() if word in text)
        parts = []
        for i, (at, _, label) in enumerate(hits):
            end = hits[i + 1][0] if i + 1 < len(hits) else len(text)
            parts.append(Part(0 if i == 0 else at, end, self._sure_of(label)))
        top = hits[0][2] if hits else self.labels[0]
        return Ranking(self._sure_of(top), tuple(parts), self.strangeness, False)

    def _sure_of(self, label: str) -> dict[str, float]:
        return {each: 0.94 if each == label else 0.02 for each in self.labels}


@pytest.fixture
def chosen() -> type[ChosenClassifier]:
    return ChosenClassifier


Build = Callable[..., Any]


@pytest.fixture
def moslm(home: Path) -> Build:
    """Build and compile a graph of scripted models: ``moslm({"finance": "42"})``."""

    def build(
        replies: Mapping[str, Any] | None = None,
        *,
        large: Any = None,
        confidence: float | None = 0.95,
        config: Config | None = None,
        checkpointer: Any = None,
        **options: Any,
    ) -> Any:
        models: dict[str, BaseChatModel] = {}
        for name in ("finance", "it_support", "customer_service"):
            given = (replies or {}).get(name, f"The {name} answer.")
            models[name] = given if isinstance(given, BaseChatModel) else scripted(given, confidence)
        options.setdefault("classifier", ChosenClassifier())
        config = config or Config()
        if "recall" not in config.model_fields_set and "store" not in options:
            # a test that asks the same twice means to be answered twice
            config = config.model_copy(update={"recall": RecallSettings(enabled=False)})
        graph = create_moslm(
            config, models=models, large_model=scripted(large, 0.9) if isinstance(large, str) else large, **options
        )
        return graph.compile(name="moslm", checkpointer=checkpointer)

    return build


def scripted(reply: Any, confidence: float | None = 0.95) -> ScriptedChatModel:
    replies = reply if isinstance(reply, list) else [reply]
    return ScriptedChatModel(replies=replies, confidence=confidence)


@pytest.fixture(name="scripted")
def scripted_fixture() -> Callable[..., ScriptedChatModel]:
    return scripted


@pytest.fixture
def ask() -> Callable[..., Any]:
    """Ask a compiled graph one thing and return its reply's text and the decision."""

    def asked(graph: Any, text: Any, **options: Any) -> tuple[str, dict[str, Any]]:
        result = graph.invoke({"messages": [("user", text)]}, **options)
        return result["messages"][-1].text, result["decision"]

    return asked
