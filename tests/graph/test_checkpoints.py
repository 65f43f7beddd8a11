"""Threads in the Postgres that the settings name: sealed where they say so, never in the clear to somewhere else."""

from __future__ import annotations

import base64
import os

import psycopg
import pytest
from postgres_server import PostgresServer

from moslm import Config
from moslm.errors import ConfigError, SealError
from moslm.graph.checkpoints import aopen_saver, open_saver
from moslm.graph.postgres_address import postgres_address

CANARY = "canary-maria-keller"
AT = {"configurable": {"thread_id": CANARY, "tenant": "acme"}}
ASKED = {"messages": [("user", f"What is the budget of {CANARY}?")]}


@pytest.fixture(scope="module")
def server():
    made = PostgresServer()
    made.start()
    yield made
    made.remove()


@pytest.fixture
def config(monkeypatch, server):
    monkeypatch.setenv("KEK", base64.b64encode(os.urandom(32)).decode())
    monkeypatch.setenv("DSN", server.url)
    with psycopg.connect(server.url, autocommit=True) as db:
        db.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    return Config.model_validate(
        {
            "privacy": {"key_env": "KEK"},
            "at_rest": {"seal": True},
            "checkpoints": {"postgres_url_env": "DSN"},
            "recall": {"enabled": False},
        }
    )


def test_a_conversation_goes_on_over_a_sealed_postgres(moslm, config):
    with open_saver(config) as saver:
        graph = moslm(config=config, checkpointer=saver)
        graph.invoke(ASKED, AT, context={"tenant": "acme"})
    with open_saver(config) as saver:
        graph = moslm(config=config, checkpointer=saver)
        result = graph.invoke(ASKED, AT, context={"tenant": "acme"})
    assert len(result["messages"]) == 4


async def test_the_same_holds_without_blocking_and_a_row_in_clear_is_refused(moslm, config, server):
    async with aopen_saver(config) as saver:
        graph = moslm(config=config, checkpointer=saver)
        await graph.ainvoke(ASKED, AT, context={"tenant": "acme"})
        assert (await graph.aget_state(AT)).values["messages"]
        with psycopg.connect(server.url, autocommit=True) as attacker:
            attacker.execute("UPDATE checkpoint_blobs SET type = 'msgpack', blob = '\\x90'")
        with pytest.raises(SealError):
            await graph.aget_state(AT)


def test_without_the_seal_it_is_a_plain_postgres(moslm, config):
    plain = config.model_copy(update={"at_rest": Config().at_rest, "privacy": Config().privacy})
    with open_saver(plain) as saver:
        moslm(config=plain, checkpointer=saver).invoke(ASKED, AT)
        assert saver.get_tuple(AT).checkpoint["channel_values"]["messages"]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://u:secret@db.example.com/m", "does not demand TLS and proof of who answers"),
        ("postgresql://u:secret@db.example.com/m?sslmode=prefer", "does not demand TLS"),
        ("postgresql://u:secret@db.example.com/m?sslmode=require", "add sslmode=verify-full"),
        ("postgresql://u:secret@10.0.0.1,db.example.com/m", 'or "db.example.com" to allow_hosts'),
        ("postgresql://u:secret@10.0.0.1/m?hostaddr=203.0.113.7", "does not demand TLS"),
        ("postgresql:///m", "names no host"),
        ("postgresql://u:secret@10.0.0.1/m?no_such_option=1", "is not an address of Postgres"),
    ],
)
def test_an_address_that_may_not_carry_threads_is_refused_in_one_line(monkeypatch, url, said):
    monkeypatch.setenv("DSN", url)
    for checkpoints in ({"postgres_url": url}, {"postgres_url_env": "DSN"}):
        config = Config.model_validate({"checkpoints": checkpoints})
        with pytest.raises(ConfigError) as caught:
            postgres_address(config, "moslm.toml")
        assert str(caught.value).startswith(f"moslm.toml: checkpoints.{next(iter(checkpoints))} = ")
        assert said in str(caught.value)
        assert "secret" not in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u@db.example.com/m?sslmode=verify-full&sslrootcert=/ca.pem",
        "postgresql://u@127.0.0.1/m",
        "postgresql://u@10.1.2.3:5433,[::1]:5432/m",
        "postgresql://u@/m?host=/run/postgresql",
        "postgresql://u@db/m",
    ],
)
def test_an_address_of_ones_own_network_or_with_proven_tls_may(url):
    config = Config.model_validate({"checkpoints": {"postgres_url": url}, "allow_hosts": ["db"]})
    assert postgres_address(config, None) == url


def test_none_at_all_is_said_in_one_line():
    with pytest.raises(ConfigError, match=r"checkpoints: names no Postgres"), open_saver(Config()):
        pass
    with pytest.raises(ConfigError, match="environment variable that is not set"):
        postgres_address(Config.model_validate({"checkpoints": {"postgres_url_env": "NO_SUCH"}}), None)
