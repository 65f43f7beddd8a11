"""The default configuration, no file, no server: the model that runs inside the process answers real requests."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from typing import Any

import pytest

from moslm import Config, Decision, MoSLMContext, create_moslm
from moslm.config import EarlyEscalationSettings, RecallSettings
from moslm.errors import WeightsError
from moslm.escalation.signals import SIGNALS
from moslm.models.weights import find

HOTEL: Any = {"messages": [("user", "How much may a hotel cost per night on a business trip?")]}
QUESTIONS = (
    "How much may a hotel cost per night on a business trip?",
    "How often are laptops replaced?",
    "How long do I have to return an order?",
    "What is the daily allowance for meals when travelling?",
)


@pytest.fixture
def weights() -> None:
    try:
        find("smollm2-135m-instruct")
    except WeightsError as error:
        pytest.fail(str(error))


@pytest.fixture
def graph(weights) -> Any:
    finished = EarlyEscalationSettings(stop=False)
    every_draft_is_finished = Config(early_escalation=finished, recall=RecallSettings(enabled=False))
    return create_moslm(every_draft_is_finished).compile(name="moslm")


def drafted(result: Any) -> Decision:
    """The decision of a request that the embedded model has drafted an answer to, whether it was good enough or not."""
    decision = Decision.model_validate(result["decision"])
    draft, usage = decision.drafts[0], decision.usage[0]
    assert draft.model == usage.model
    assert draft.error is None
    assert usage.known
    assert usage.input_tokens > 30
    assert usage.output_tokens > 0
    assert usage.cost_usd == 0
    assert draft.confidence is not None
    assert 0 < draft.confidence < 1
    measured = {signal.name for signal in draft.signals if signal.value is not None}
    assert measured >= {"mean", "minimum", "entropy", "margin", "grounding", "retrieval", "brevity", "familiarity"}
    assert {signal.name for signal in draft.signals} == set(SIGNALS)
    assert draft.calibration is not None
    assert draft.calibration.state == "in_force"
    assert draft.passages
    accepted = draft.confidence >= draft.threshold
    assert draft.accepted is accepted
    assert decision.outcome == ("answered" if accepted else "handed_over")
    assert decision.latency[0].measured_ms > 0
    return decision


@pytest.mark.model
def test_a_handbook_question_is_drafted_with_tokens_log_probabilities_usage_and_passages(graph):
    result = graph.invoke(HOTEL)
    decision = drafted(result)
    assert decision.domain == "finance"
    assert "expenses" in decision.drafts[0].passages[0].lower()
    text = result["messages"][-1].text
    assert text.startswith("I have handed this request over") == (decision.outcome == "handed_over")


@pytest.mark.model
def test_the_same_question_gets_the_same_answer(graph):
    first, second = graph.invoke(HOTEL), graph.invoke(HOTEL)
    assert first["messages"][-1].text == second["messages"][-1].text


@pytest.mark.model
async def test_four_requests_at_once_get_each_their_own_answer(graph):
    alone = {text: graph.invoke({"messages": [("user", text)]}) for text in QUESTIONS}
    asked = [graph.ainvoke({"messages": [("user", text)]}) for text in QUESTIONS]
    together = dict(zip(QUESTIONS, await asyncio.gather(*asked), strict=True))
    for text in QUESTIONS:
        mine = drafted(together[text])
        assert mine.domain == drafted(alone[text]).domain
        assert mine.drafts[0].passages == alone[text]["decision"]["drafts"][0]["passages"]
    assert len({result["decision"]["id"] for result in together.values()}) == 4


@pytest.mark.model
def test_an_answer_that_is_accepted_comes_from_the_embedded_model_and_streams(graph):
    anything = MoSLMContext(threshold=0.0)
    streamed = [chunk.text for chunk, _ in graph.stream(HOTEL, stream_mode="messages", context=anything)]
    result = graph.invoke(HOTEL, context=anything)
    assert result["decision"]["outcome"] == "answered"
    assert result["decision"]["answered_by"] == result["decision"]["drafts"][0]["model"]
    assert "".join(streamed) == result["messages"][-1].text
    assert len(streamed) > 2


def _without_weights(home, monkeypatch) -> Any:
    empty = home / "empty"
    empty.mkdir()
    monkeypatch.setenv("MOSLM_HOME", str(empty))
    return create_moslm().compile(name="moslm")


def test_without_weights_the_request_is_handed_over_and_the_command_that_mends_it_is_named(home, monkeypatch):
    result = _without_weights(home, monkeypatch).invoke(HOTEL)
    decision = result["decision"]
    assert decision["outcome"] == "handed_over"
    assert [reason["trigger"] for reason in decision["reasons"]] == ["backend_failed"]
    assert "moslm pull" in decision["reasons"][0]["detail"]
    assert "moslm pull" in result["messages"][-1].text
    assert str(home) not in str(result)


async def test_without_weights_the_same_holds_under_ainvoke(home, monkeypatch):
    result = await _without_weights(home, monkeypatch).ainvoke(HOTEL)
    assert result["decision"]["drafts"][0]["error"] == "down"
    assert "moslm pull" in result["messages"][-1].text


def test_without_weights_the_large_model_is_asked(home, monkeypatch, scripted):
    monkeypatch.setenv("MOSLM_HOME", str(home / "nothing"))
    graph = create_moslm(large_model=scripted("From above.", 0.9)).compile()
    assert graph.invoke(HOTEL)["messages"][-1].text == "From above."


@pytest.mark.model
def test_moslm_ask_answers_in_a_process_of_its_own(weights, home, tmp_path):
    command = [sys.executable, "-m", "moslm.cli", "ask", QUESTIONS[0], "--json"]
    script = [
        sys.executable,
        "-c",
        "import sys; from moslm.cli import main; sys.exit(main(sys.argv[1:]))",
        *command[3:],
    ]
    done = subprocess.run(script, capture_output=True, text=True, timeout=120, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    printed = json.loads(done.stdout)
    assert printed["reply"]
    assert drafted(printed).domain == "finance"


@pytest.mark.model
def test_a_draft_that_declines_is_stopped_by_default_and_costs_fewer_tokens(graph, weights):
    unanswerable: Any = {"messages": [("user", "Which carrier do you use?")]}
    whole, early = (each.invoke(unanswerable)["decision"] for each in (graph, create_moslm().compile()))
    assert whole["drafts"][0]["declined"]
    assert early["drafts"][0]["stopped"] == {
        "rule": "declined",
        "token": early["usage"][0]["output_tokens"],
        "at_most": 96,
        "confidence": None,
        "least": None,
    }
    assert early["usage"][0]["output_tokens"] < whole["usage"][0]["output_tokens"]
    assert early["usage"][0]["input_tokens"] == whole["usage"][0]["input_tokens"]
