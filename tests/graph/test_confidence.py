"""What stands behind a confidence, from the settings to the Decision."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import date

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import Field

from moslm import Config, MoSLMContext, config
from moslm.escalation.calibration.artefact import read_calibration, write_calibration
from moslm.escalation.calibration.fitting import Promise, fit_calibration
from moslm.escalation.calibration.labelled import LabelledAnswer
from moslm.escalation.drift_file import DriftFile
from moslm.escalation.watching import Watch

QUESTION = "What is my budget?"


class Stranger(BaseChatModel):
    """A team's own model: sure of every word."""

    model_name: str = "strange-7b"
    profile: dict[str, bool] = Field(default_factory=lambda: {"tool_calling": False})
    said: list[str] = Field(default_factory=list)
    replies: tuple[str, ...] = ("Forty.",)
    logprob: float | None = math.log(0.98)

    @property
    def _llm_type(self) -> str:
        return "strange"

    def _generate(self, messages, stop=None, run_manager=None, **kwargs):
        text = self.replies[min(len(self.said), len(self.replies) - 1)]
        self.said.append(messages[-1].text)
        if text == "fail":
            raise TimeoutError
        content = [{"token": text, "logprob": self.logprob, "top_logprobs": [{"token": "x", "logprob": -5.0}]}]
        message = AIMessage(text, response_metadata={"logprobs": {"content": content}})
        return ChatResult(generations=[ChatGeneration(message=message)])


def calibration(path, *, signals=("mean",), created=None, promise=None, model="strange-7b", domain="finance"):
    """Right answers are those the model is sure of, but for one in ten."""
    rows = []
    for i in range(400):
        sure = i % 2 == 0
        right = (i // 2) % 10 != 0 if sure else (i // 2) % 10 == 0
        found = {"mean": 0.98 if sure else 0.4, "agreement": 1.0 if right else 0.0}
        rows.append(LabelledAnswer(domain, f"g{i}", found, right))
    fitted = fit_calibration(
        rows, signals=signals, model=model, revision="", created=created or date.today(), promise=promise
    )
    return write_calibration(path, fitted)


def settings(path=None, **changes):
    own = {"finance": {"calibration": path, **changes.pop("finance", {})}} if path else {}
    return Config.model_validate({"domains": own, "prices": {"strange-7b": {"input": 0, "output": 0}}, **changes})


@pytest.fixture
def decide(moslm, ask):
    def decided(model, config, **options):
        return ask(moslm({"finance": model}, config=config), QUESTION, **options)[1]

    return decided


def test_a_calibrated_draft_says_so_and_is_held_to_its_probability(decide, tmp_path):
    made = calibration(tmp_path / "c.json")
    decision = decide(Stranger(), settings(tmp_path / "c.json"))
    assert decision["outcome"] == "answered"
    assert decision["confidence"] == pytest.approx(0.9, abs=0.03)
    assert decision["calibration"] == {"state": "in_force", "version": made.version, "why": ""}
    assert decision["drafts"][0]["calibration"] == decision["calibration"]


def test_a_model_that_was_never_calibrated_goes_up(decide):
    decision = decide(Stranger(), settings())
    assert decision["outcome"] == "handed_over"
    assert decision["confidence"] is None
    assert decision["calibration"]["state"] == "missing"
    assert "strange-7b was never calibrated" in decision["reasons"][0]["detail"]


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"created": date(2020, 1, 1)}, "stale"),
        ({"model": "another"}, "foreign"),
        ({"domain": "it_support"}, "foreign"),
    ],
)
def test_a_calibration_that_does_not_hold_here_is_named_and_the_draft_goes_up(decide, tmp_path, changes, state):
    made = calibration(tmp_path / "c.json", **changes)
    decision = decide(Stranger(), settings(tmp_path / "c.json"))
    assert decision["outcome"] == "handed_over"
    assert decision["confidence"] is None
    assert decision["calibration"]["state"] == state
    assert decision["calibration"]["version"] == made.version


@pytest.mark.parametrize("logprob", [None, math.nan, math.inf, 3.0])
def test_log_probabilities_that_are_none_make_the_calibration_incomplete(decide, tmp_path, logprob):
    calibration(tmp_path / "c.json")
    decision = decide(Stranger(logprob=logprob), settings(tmp_path / "c.json"))
    assert decision["outcome"] == "handed_over"
    assert decision["calibration"]["state"] == "incomplete"
    assert decision["calibration"]["why"] == "the draft lacks mean"


def test_a_raw_signal_may_be_chosen_and_is_named_as_uncalibrated(decide):
    decision = decide(Stranger(), settings(defaults={"confidence": "mean"}))
    assert decision["outcome"] == "answered"
    assert decision["calibration"]["state"] == "uncalibrated"


def test_a_promise_chooses_the_threshold_and_no_caller_lowers_it(decide, tmp_path):
    made = calibration(tmp_path / "c.json", promise=Promise(0.2, 0.1))
    config = settings(tmp_path / "c.json", guarantee={"risk": 0.2, "delta": 0.1})
    decision = decide(Stranger(), config, context=MoSLMContext(threshold=0.01))
    assert decision["threshold"] == made.threshold("finance")
    assert decision["outcome"] == "answered"
    unsure = decide(Stranger(logprob=-0.9), config, context=MoSLMContext(threshold=0.01))
    assert unsure["outcome"] == "handed_over"


def test_a_promise_that_cannot_be_kept_keeps_nothing_and_is_said_at_the_start(decide, tmp_path, caplog):
    calibration(tmp_path / "c.json", promise=Promise(0.01, 0.1))
    decision = decide(Stranger(), settings(tmp_path / "c.json", guarantee={"risk": 0.01, "delta": 0.1}))
    assert decision["outcome"] == "handed_over"
    assert decision["confidence"] is None
    assert "no threshold" in decision["calibration"]["why"]
    assert "finance keeps nothing local: no threshold" in caplog.text


def test_a_promise_the_calibration_was_not_made_for_keeps_nothing(decide, tmp_path, caplog):
    calibration(tmp_path / "c.json", promise=Promise(0.2, 0.1))
    decision = decide(Stranger(), settings(tmp_path / "c.json", guarantee={"risk": 0.05, "delta": 0.1}))
    assert decision["outcome"] == "handed_over"
    assert "was not made for this promise" in caplog.text


ASKING = {"second_opinion": {"ask": ["agreement"], "usd_per_second": 0}, "threshold": 0.95}


@pytest.mark.parametrize(
    ("second", "outcome"), [("Forty.", "answered"), ("Fifty.", "handed_over"), ("fail", "handed_over")]
)
def test_a_second_answer_is_asked_for_where_it_may_save_going_up(decide, tmp_path, second, outcome):
    calibration(tmp_path / "c.json", signals=("mean", "agreement"))
    model = Stranger(replies=("Forty.", second))
    decision = decide(model, settings(tmp_path / "c.json", finance=ASKING))
    assert len(model.said) == 2
    assert decision["outcome"] == outcome
    # a failed second opinion is a missing signal, and its draft is as good as it was
    assert decision["calibration"]["state"] == "in_force"
    assert sum(usage["calls"] for usage in decision["usage"]) == (1 if second == "fail" else 2)
    assert decision["drafts"][0]["error"] is None


def test_a_draft_above_its_threshold_is_not_asked_about(decide, tmp_path):
    calibration(tmp_path / "c.json", signals=("mean", "agreement"))
    model = Stranger()
    decision = decide(model, settings(tmp_path / "c.json", finance={**ASKING, "threshold": 0.5}))
    assert decision["outcome"] == "answered"
    assert len(model.said) == 1


def test_a_draft_that_declines_is_not_asked_about(decide, tmp_path):
    calibration(tmp_path / "c.json", signals=("mean", "agreement"))
    model = Stranger(replies=("I do not know.",))
    assert decide(model, settings(tmp_path / "c.json", finance=ASKING))["reasons"][0]["trigger"] == "declined"
    assert len(model.said) == 1


def drifting(path, *, alpha=0.01, served=200):
    """Let drafts that are sure of every word be served under a calibration of which half were not."""
    watch = Watch(read_calibration(path), "finance", alpha, DriftFile(config.home() / "drift.sqlite"), settle_s=0)
    for _ in range(served):
        watch.notice({"mean": 0.98})
    return watch


def test_what_is_served_is_watched_once_a_decision(moslm, ask, tmp_path):
    made = calibration(tmp_path / "c.json")
    graph = moslm({"finance": Stranger()}, config=settings(tmp_path / "c.json"))
    ask(graph, QUESTION)
    state = DriftFile(config.home() / "drift.sqlite").read(made.version, "finance")
    assert [play["seen"] for play in json.loads(state)["plays"].values()] == [1, 1]


def test_a_calibration_that_has_drifted_keeps_nothing_and_says_so(decide, tmp_path, caplog):
    calibration(tmp_path / "c.json")
    assert drifting(tmp_path / "c.json").alarm is not None
    decision = decide(Stranger(), settings(tmp_path / "c.json"))
    assert decision["outcome"] == "handed_over"
    assert decision["confidence"] is None
    assert decision["calibration"]["state"] == "drifted"
    assert "than in the answers it was fitted on" in decision["reasons"][0]["detail"]
    assert "finance keeps nothing local: its calibration is drifted" in caplog.text


def test_whoever_does_not_want_to_be_told_of_drift_is_not(decide, tmp_path):
    calibration(tmp_path / "c.json")
    drifting(tmp_path / "c.json")
    decision = decide(Stranger(), settings(tmp_path / "c.json", drift={"watch": False}))
    assert decision["calibration"]["state"] == "in_force"


def test_a_calibration_older_than_the_watch_is_named(moslm, tmp_path, caplog):
    made = calibration(tmp_path / "c.json")
    write_calibration(tmp_path / "c.json", replace(made, references={}))
    moslm({"finance": Stranger()}, config=settings(tmp_path / "c.json"))
    assert "finance is not watched for drift" in caplog.text
