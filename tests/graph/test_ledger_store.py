"""Where the settings say the ledger is kept, and the addresses that may carry it."""

from __future__ import annotations

from uuid import uuid4

import pytest

from moslm import Config, ScriptedChatModel
from moslm.config import BudgetSettings, CapSettings, LargeModelSettings, Price, ScriptedModel
from moslm.errors import ConfigError

QUESTION = "What is my budget?"
PRICES = {"dear": Price(input=1000, output=1000)}


def dear() -> ScriptedChatModel:
    return ScriptedChatModel(replies=["From above."], model="dear")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("redis://ledger.example.com:6379/0", "would be reached in the clear, at a host outside of loopback and"),
        ("redis://:secret@203.0.113.7", "would be reached in the clear"),
        ("redis://redis", 'add "redis" to allow_hosts if only your own network lies between'),
        ("redis://10.0.0.1?socket_timeout=900", "sets socket_timeout; leave it out"),
        ("rediss://ledger.example.com?ssl_cert_reqs=none", "sets ssl_cert_reqs; leave it out"),
        ("redis://10.0.0.1:port", "is not an address"),
        ("rediss:///0", "is not an address of Redis"),
    ],
)
@pytest.mark.parametrize("key", ["redis_url", "redis_url_env"])
def test_an_address_that_may_not_carry_the_ledger_is_refused_in_one_line(moslm, monkeypatch, key, url, said):
    monkeypatch.setenv("LEDGER", url)
    value = "LEDGER" if key == "redis_url_env" else url
    with pytest.raises(ConfigError) as caught:
        moslm(config=Config(budgets=BudgetSettings(**{key: value})))
    assert f"budgets.{key} = " in str(caught.value)
    assert said in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["redis://127.0.0.1", "redis://localhost:1", "redis://10.1.2.3", "rediss://ledger.example.com", "redis://r"]
)
def test_an_address_of_ones_own_network_or_with_tls_may_carry_the_ledger(moslm, url):
    moslm(config=Config(budgets=BudgetSettings(redis_url=url), allow_hosts=["loopback", "private", "r"]))


def test_a_ledger_in_redis_caps_the_large_model_for_all_that_share_it(moslm, ask, redis_server, monkeypatch):
    monkeypatch.setenv("LEDGER", redis_server.url)
    budgets = BudgetSettings(redis_url_env="LEDGER", redis_prefix=uuid4().hex)
    large = LargeModelSettings(model=ScriptedModel(kind="scripted"), max_calls_per_day=1)
    config = Config(large_model=large, prices=PRICES, budgets=budgets)
    first, second = (moslm(confidence=0.3, large=dear(), config=config) for _ in range(2))
    assert ask(first, QUESTION)[1]["outcome"] == "escalated"
    text, decision = ask(second, "Another budget question?")
    assert decision["outcome"] == "handed_over"
    assert "1 calls a day of the large model is reached" in text


def test_a_redis_that_is_not_there_allows_nothing(moslm, ask, tmp_path):
    large = dear()
    budgets = BudgetSettings(redis_url=f"unix://{tmp_path}/nothing.sock", caps=[CapSettings(usd=500)])
    text, decision = ask(moslm(confidence=0.3, large=large, config=Config(budgets=budgets, prices=PRICES)), QUESTION)
    assert decision["outcome"] == "handed_over"
    assert "the ledger cannot be kept, and nothing is bought without it" in text
    assert large.calls == []
