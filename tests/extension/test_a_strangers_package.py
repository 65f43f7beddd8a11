"""The table "what a newcomer touches" (docs/architecture.md), line by line."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from moslm import Config, ConfigError, ScriptedChatModel, create_moslm
from moslm.cli import main

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # the stranger's package is installed nowhere

from acme.courts import names_a_court  # noqa: E402
from acme.hedging import hedging  # noqa: E402
from acme.keyword import KeywordClassifier  # noqa: E402

QUESTION = {"messages": [("user", "Who may sign a contract above 50,000 dollars?")]}
FOLDERS = [HERE / "acme" / "domains"]
SCRIPTED = {"kind": "scripted", "replies": ["Two directors sign it."]}


def config(**changes) -> Config:
    return Config.model_validate({"domain_folders": FOLDERS, "defaults": {"model": SCRIPTED}, **changes})


def decision(graph):
    return graph.compile(name="moslm").invoke(QUESTION)["decision"]


def test_a_folder_adds_a_domain_without_code():
    found = decision(create_moslm(config()))
    assert found["domain"] == "legal"
    assert found["answered_by"] == "scripted"
    assert found["threshold"] == 0.6


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("Please have a look at the confidentiality agreement they sent us", "legal"),
        ("How much is left in the marketing budget?", "finance"),
        ("My laptop does not start any more", "it_support"),
        ("I want to return the boots I ordered last week", "customer_service"),
    ],
)
def test_the_new_domain_is_recognised_and_the_old_ones_stay(text, domain):
    result = create_moslm(config()).compile().invoke({"messages": [("user", text)]})
    assert result["decision"]["domain"] == domain


def test_a_signal_of_ones_own_may_be_the_confidence():
    doubtful = ScriptedChatModel(replies=["Perhaps two directors."])
    settings = config(defaults={"model": SCRIPTED, "confidence": "hedging"})
    found = decision(create_moslm(settings, models={"legal": doubtful}, signals={"hedging": hedging}))
    assert found["confidence"] == 0.2
    assert {signal["name"] for signal in found["drafts"][0]["signals"]} >= {"mean", "hedging"}
    assert found["outcome"] == "handed_over"


def test_a_trigger_of_ones_own_escalates():
    large = ScriptedChatModel(replies=["The large answer."])
    found = decision(create_moslm(config(), triggers=[names_a_court], large_model=large))
    assert found["reasons"][0]["trigger"] == "names_a_court"
    assert "names_a_court" in found["checks"][0]["considered"]
    assert found["outcome"] == "escalated"


def test_a_classifier_of_ones_own_takes_the_place_of_ours():
    found = decision(create_moslm(config(), classifier=KeywordClassifier()))
    assert found["classification"]["classifier"] == "acme-keywords 1"
    assert found["classification"]["novelty_p"] is None
    assert found["domain"] == "legal"


def test_any_chat_model_may_be_a_domains_model():
    other = ScriptedChatModel(replies=["Mine."], model="acme-7b")
    priced = config(prices={"acme-7b": {"input": 0.1, "output": 0.1}})
    found = decision(create_moslm(priced, models={"legal": other}))
    assert found["cost"]["spent_usd"] > 0
    assert found["answered_by"] == "acme-7b"


def test_a_model_whose_price_nobody_knows_is_refused_before_the_first_request():
    other = ScriptedChatModel(replies=["Mine."], model="acme-7b")
    with pytest.raises(ConfigError, match=r"acme-7b.*no known price"):
        create_moslm(config(), models={"legal": other})


def test_a_suite_and_a_metric_of_ones_own_need_a_file_each(tmp_path, capsys):
    file = tmp_path / "moslm.toml"
    file.write_text(
        f"domain_folders = ['{FOLDERS[0]}']\n[defaults]\nconfidence = 'mean'\n[defaults.model]\nkind = 'scripted'\n"
        "replies = ['Two directors sign it.']\nconfidence = 0.9\n"
    )
    own = [str(HERE / "acme/suite.toml"), "--config", str(file), "--metric", "acme.brevity:median_words"]
    assert main(["eval", *own, "--out", str(tmp_path / "run"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["figures"]["moslm"]["acme"]
    assert (found["accuracy"]["value"], found["accuracy"]["n"]) == (0.5, 2)
    assert (found["median_words"]["value"], found["median_words"]["unit"]) == (4.0, "count")
