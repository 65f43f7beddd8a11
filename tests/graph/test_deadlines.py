from __future__ import annotations

import threading
import time

import pytest
from langchain_core.messages import AIMessage
from langchain_core.tools import tool

from moslm import Config
from moslm.config import Defaults, DomainSettings, LargeModelSettings, ScriptedModel

SHORT = Config(
    defaults=Defaults(deadline_ms=200),
    large_model=LargeModelSettings(model=ScriptedModel(kind="scripted"), deadline_ms=200),
)
WITH_TOOL = SHORT.model_copy(update={"domains": {"finance": DomainSettings(tools=["hang"])}})
QUESTION = {"messages": [("user", "What is my budget?")]}
LATEST_S = 5.0
"""Far above the deadlines of 0.2 s, far below the hang."""


class Hanging:
    """A model that takes a minute, as a server that accepts and never answers does."""

    def __new__(cls, scripted):
        model = scripted("Too late.")
        model.delay_ms = 60_000
        return model


@pytest.fixture
def hanging(scripted):
    return Hanging(scripted)


def test_a_hanging_small_model_is_given_up_at_its_deadline(moslm, ask, hanging):
    started = time.monotonic()
    text, decision = ask(moslm({"finance": hanging}, large="From above.", config=SHORT), "What is my budget?")
    assert time.monotonic() - started < LATEST_S
    assert text == "From above."
    assert decision["drafts"][0]["error"] == "timeout"


async def test_a_hanging_small_model_is_given_up_under_ainvoke(moslm, hanging):
    started = time.monotonic()
    graph = moslm({"finance": hanging}, large="From above.", config=SHORT)
    decision = (await graph.ainvoke(QUESTION))["decision"]
    assert time.monotonic() - started < LATEST_S
    assert decision["drafts"][0]["error"] == "timeout"


def test_both_models_hanging_still_ends_in_a_typed_answer(moslm, ask, hanging):
    started = time.monotonic()
    text, decision = ask(moslm({"finance": hanging}, large=hanging, config=SHORT), "What is my budget?")
    assert time.monotonic() - started < LATEST_S
    assert decision["outcome"] == "handed_over"
    assert "did not answer before its deadline" in text


def test_a_tool_that_hangs_does_not_keep_the_request(moslm, ask, scripted):
    release = threading.Event()

    @tool
    def hang() -> str:
        """Hang."""
        release.wait(60)
        return "late"

    hang.metadata = {"effect": "read"}
    model = scripted([AIMessage("", tool_calls=[{"name": "hang", "args": {}, "id": "1"}]), "Never."])
    started = time.monotonic()
    _, decision = ask(moslm({"finance": model}, config=WITH_TOOL, tools=[hang]), "What is my budget?")
    release.set()
    assert time.monotonic() - started < LATEST_S
    assert decision["drafts"][0]["error"] == "timeout"


def test_a_failing_tool_tells_the_model_nothing_of_paths_or_traces(moslm, ask, scripted):
    @tool
    def hang() -> str:
        """Fail."""
        raise RuntimeError("no such table at /srv/secret/db.sqlite")

    hang.metadata = {"effect": "read"}
    model = scripted([AIMessage("", tool_calls=[{"name": "hang", "args": {}, "id": "1"}]), "I could not look it up."])
    text, decision = ask(moslm({"finance": model}, config=WITH_TOOL, tools=[hang]), "What is my budget?")
    assert text == "I could not look it up."
    assert "/srv/secret" not in str(model.calls)
    assert decision["drafts"][0]["tools"][0]["outcome"] == "failed"


def test_a_model_that_never_stops_calling_tools_is_stopped(moslm, ask, scripted):
    @tool
    def hang() -> str:
        """Look."""
        return "look again"

    hang.metadata = {"effect": "read"}
    model = scripted([AIMessage("", tool_calls=[{"name": "hang", "args": {}, "id": "1"}])])
    _, decision = ask(moslm({"finance": model}, config=WITH_TOOL, tools=[hang]), "What is my budget?")
    assert decision["drafts"][0]["error"] == "failed"
    assert len(model.calls) == 5
