"""The whole graph under ``[at_rest]``: it starts with the right key alone, and no file it leaves can be read."""

from __future__ import annotations

import base64
import os
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.store.sqlite import SqliteStore

from moslm import Config, create_moslm, load
from moslm.config import HostedModel, LargeModelSettings
from moslm.errors import AuditError, ConfigError
from moslm.governance.audit import AuditLog, Filters
from moslm.graph.keeping import build_seal
from moslm.models.chat.scripted import ScriptedChatModel
from moslm.privacy.at_rest.saver import SealedSaver
from moslm.privacy.at_rest.store import SealedStore

CANARY = "canary-maria-keller"
KEY = base64.b64encode(os.urandom(32)).decode()


def settings(**other) -> Config:
    given = {"privacy": {"key_env": "KEK"}, "at_rest": {"seal": True}, **other}
    return Config.model_validate(given)


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("KEK", KEY)


def test_no_file_holds_a_word_of_what_was_asked_or_answered(moslm, home, tmp_path):
    large = LargeModelSettings(model=HostedModel(kind="hosted", name="openai:gpt-4o"))
    config = settings(large_model=large.model_dump())
    seal = build_seal(config, None)
    with (
        closing(sqlite3.connect(tmp_path / "checkpoints.sqlite", check_same_thread=False)) as kept,
        closing(sqlite3.connect(tmp_path / "store.sqlite", check_same_thread=False, isolation_level=None)) as stored,
    ):
        inner = SqliteStore(stored)
        inner.setup()
        paid = ScriptedChatModel(model="gpt-4o", replies=[f"Paid: {CANARY}"])
        saver = SealedSaver(SqliteSaver(kept), seal)
        graph = moslm({"finance": f"Kept: {CANARY}"}, large=paid, config=config, checkpointer=saver, store=inner)
        for i, text in enumerate((f"budget of {CANARY}?", f"use the strongest model: budget of {CANARY}?")):
            at = {"configurable": {"thread_id": f"t{i}", "email": CANARY}}
            said = graph.invoke({"messages": [("user", text)]}, at)
            assert CANARY in said["messages"][-1].text
            assert CANARY in graph.get_state(at).values["messages"][0].text
        assert said["decision"]["answered_by"] == "gpt-4o"
        again = graph.invoke({"messages": [("user", f"budget of {CANARY}?")]}, {"configurable": {"thread_id": "t9"}})
        assert again["decision"]["outcome"] == "recalled"
        files = [each for folder in (home, tmp_path) for each in folder.glob("*.sqlite*")]
        assert {"audit.sqlite", "ledger.sqlite", "checkpoints.sqlite", "store.sqlite"} <= {each.name for each in files}
        assert [each.name for each in files if CANARY.encode() in each.read_bytes()] == []
    with closing(sqlite3.connect(home / "ledger.sqlite")) as ledger:
        assert ledger.execute("SELECT count(*) FROM purchases WHERE answer IS NOT NULL").fetchone() == (1,)


def test_a_paid_answer_is_given_again_from_the_sealed_ledger(moslm, ask):
    config = settings(large_model={"model": {"kind": "hosted", "name": "openai:gpt-4o"}})
    paid = ScriptedChatModel(model="gpt-4o", replies=["The first.", "The second."])
    graph = moslm(large=paid, config=config)
    wish = "use the strongest model: budget?"
    first, _ = ask(graph, wish, context={"idempotency_key": "k", "tenant": "acme"})
    again, _ = ask(graph, wish, context={"idempotency_key": "k", "tenant": "acme"})
    assert (first, again) == ("The first.", "The first.")


def test_an_answer_that_was_swapped_in_the_ledger_is_not_given(moslm, ask, home):
    config = settings(large_model={"model": {"kind": "hosted", "name": "openai:gpt-4o"}})
    graph = moslm(large=ScriptedChatModel(model="gpt-4o", replies=["One.", "Two."]), config=config)
    wish = "use the strongest model: budget?"
    for key in ("a", "b"):
        ask(graph, wish, context={"idempotency_key": key})
    with closing(sqlite3.connect(home / "ledger.sqlite")) as ledger:
        ledger.execute("UPDATE purchases SET answer = (SELECT answer FROM purchases ORDER BY key LIMIT 1)")
        ledger.execute("UPDATE purchases SET answer = x'00' WHERE key = (SELECT min(key) FROM purchases)")
        ledger.commit()
    for key in ("a", "b"):
        _, decision = ask(graph, wish, context={"idempotency_key": key})
        assert decision["outcome"] == "handed_over"


def test_records_are_found_by_their_columns_and_by_what_is_sealed(moslm, ask, home):
    graph = moslm({"finance": "An answer."}, config=settings(), confidence=0.1)
    _, decision = ask(graph, "budget?")
    log = AuditLog(home / "audit.sqlite", sealing=build_seal(settings(), None))
    for filters in (Filters(domain="finance"), Filters(trigger="low_confidence"), Filters(below_confidence=0.5)):
        assert [each.id for each in log.list(filters)] == [decision["id"]]
    assert log.get(decision["id"][:8]).id == decision["id"]
    log.append(log.get(decision["id"]))
    with pytest.raises(AuditError, match=r"is encrypted; set at_rest\.seal"):
        AuditLog(home / "audit.sqlite").list()


@pytest.mark.parametrize(
    "change", ["SET record = substr(record, 1, 80)", "SET tenant = 'rival'", "SET record = '{}'", "SET record = x'00'"]
)
@pytest.mark.parametrize("filters", [Filters(), Filters(trigger="low_confidence")])
def test_a_record_that_was_altered_moved_or_written_in_clear_is_refused(moslm, ask, home, change, filters):
    ask(moslm(config=settings(), confidence=0.1), "budget?")
    with closing(sqlite3.connect(home / "audit.sqlite")) as attacker:
        attacker.execute(f"UPDATE decisions {change}")
        attacker.commit()
    with pytest.raises(AuditError, match=r"the record \S+ in the audit log (is refused|was never encrypted)"):
        AuditLog(home / "audit.sqlite", sealing=build_seal_unchecked()).list(filters)


def build_seal_unchecked():
    from moslm.privacy.at_rest.configured import configured_seal

    return configured_seal(settings())


def test_another_key_is_refused_at_start_and_an_earlier_one_opens(moslm, ask, monkeypatch, home):
    ask(moslm(config=settings()), "budget?")
    monkeypatch.setenv("OLD", KEY)
    monkeypatch.setenv("KEK", base64.b64encode(os.urandom(32)).decode())
    with pytest.raises(ConfigError, match=r"^at_rest\.seal = True: the record \S+ .* under a key that is not config"):
        create_moslm(settings())
    both = settings(at_rest={"seal": True, "earlier_keys": [{"key_env": "OLD"}]})
    ask(moslm(config=both), "refund?")
    assert len(AuditLog(home / "audit.sqlite", sealing=build_seal(both, None)).list()) == 2


def test_records_in_clear_are_refused_at_start(moslm, ask):
    ask(moslm(), "budget?")
    with pytest.raises(ConfigError, match="was never encrypted, and is not read; name a new audit_file"):
        create_moslm(settings())


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (None, "the environment variable is not set or empty"),
        ("short", "holds no base64"),
        ("c2hvcnQ=", "holds 5 bytes"),
        ("00" * 32, "holds a key that is not random"),
    ],
)
@pytest.mark.parametrize("earlier", [False, True])
def test_a_missing_or_impossible_key_is_one_line(tmp_path, monkeypatch, value, problem, earlier):
    file = tmp_path / "moslm.toml"
    named = "at_rest.earlier_keys.0.key_env" if earlier else "privacy.key_env"
    keys = 'earlier_keys = [{ key_env = "BAD" }]' if earlier else ""
    file.write_text(f'[privacy]\nkey_env = "{"KEK" if earlier else "BAD"}"\n[at_rest]\nseal = true\n{keys}')
    if value is not None:
        monkeypatch.setenv("BAD", value)
    with pytest.raises(ConfigError) as caught:
        create_moslm(file)
    said = str(caught.value)
    assert said.startswith(f"{file}: {named} = 'BAD': ")
    assert problem in said
    assert "\n" not in said
    assert value is None or value not in said


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[at_rest]\nseal = true", "at_rest.seal needs a key; name it in privacy.key_env or privacy.key_file"),
        ('[privacy]\nkey_env = "K"', "a key without a vault encrypts nothing"),
        ("[at_rest]\nearlier_keys = [{}]", "an earlier key is named by key_env or by key_file"),
    ],
)
def test_settings_that_do_not_fit_are_refused(tmp_path, text, told):
    (tmp_path / "moslm.toml").write_text(text)
    with pytest.raises(ConfigError, match=told):
        load(tmp_path / "moslm.toml")


def test_key_files_are_relative_to_the_configuration(tmp_path):
    (tmp_path / "kek").write_text(KEY)
    text = '[privacy]\nkey_file = "kek"\n[at_rest]\nseal = true\nearlier_keys = [{ key_file = "old" }]'
    (tmp_path / "moslm.toml").write_text(text)
    config = load(tmp_path / "moslm.toml")
    assert config.at_rest.earlier_keys[0].key_file == tmp_path / "old"
    (tmp_path / "old").write_text(base64.b64encode(os.urandom(32)).decode())
    assert build_seal(config, None) is not None


def test_a_store_behind_the_seal_is_not_sealed_twice(moslm, seal):
    from langgraph.store.memory import InMemoryStore

    from moslm.graph.keeping import sealed_store

    guarded = sealed_store(seal)
    once = guarded(InMemoryStore())
    assert isinstance(once, SealedStore)
    assert guarded(once) is once


def test_the_example_of_the_guide_runs(monkeypatch):
    monkeypatch.setenv("MOSLM_VAULT_KEY", "")
    guide = Path(__file__).resolve().parents[3] / "docs" / "guides" / "at-rest.md"
    (example,) = re.findall(r"```python\n(.*?)```", guide.read_text(encoding="utf-8"), re.DOTALL)
    exec(compile(example, guide.name, "exec"), {})
