"""``moslm vault``: the key is changed by command, and what is to be forgotten goes."""

from __future__ import annotations

import base64
import os

import pytest

from moslm.privacy.keys import DerivedKeys
from moslm.privacy.sealed_vault import SealedVault
from moslm.privacy.vault import Value

OLD, NEW = os.urandom(32), os.urandom(32)
CONFIG = '[privacy]\nvault = "vault.sqlite"\nkey_env = "NEW"\n[at_rest]\nearlier_keys = [{ key_env = "OLD" }]\n'


@pytest.fixture
def vault(folder, monkeypatch):
    monkeypatch.setenv("OLD", base64.b64encode(OLD).decode())
    monkeypatch.setenv("NEW", base64.b64encode(NEW).decode())
    (folder / "moslm.toml").write_text(CONFIG)
    made = SealedVault(folder / "vault.sqlite", DerivedKeys(OLD))
    made.keep("acme", "1", [Value("PERSON", "Maria", "maria"), Value("PERSON", "Ada", "ada")])
    made.keep("acme", "2", [Value("PERSON", "Bob", "bob")])
    made.close()
    return folder / "vault.sqlite"


def test_rotate_seals_all_under_the_new_key(vault, moslm_command):
    code, out, _ = moslm_command("vault", "rotate")
    assert code == 0
    assert out.startswith("3 values sealed anew")
    alone = SealedVault(vault, DerivedKeys(NEW))
    assert [each.text for each in alone.kept("acme", "1")] == ["Maria", "Ada"]
    alone.close()


def test_forget_takes_a_conversation_a_tenant_or_what_is_old(vault, moslm_command):
    assert moslm_command("vault", "forget", "--tenant", "acme", "--conversation", "1")[1] == "Forgotten.\n"
    assert moslm_command("vault", "forget", "--older-than", "1")[1] == "0 values forgotten.\n"
    assert moslm_command("vault", "forget", "--tenant", "acme")[0] == 0
    assert moslm_command("vault", "rotate")[1].startswith("0 values")


def test_what_is_not_said_is_not_forgotten(vault, moslm_command):
    for words in ((), ("--conversation", "1"), ("--tenant", "acme", "--older-than", "1")):
        code, _, err = moslm_command("vault", "forget", *words)
        assert code == 2
        assert "say what to forget" in err


def test_without_a_file_there_is_nothing_to_do(folder, moslm_command):
    (folder / "moslm.toml").write_text("")
    code, _, err = moslm_command("vault", "rotate")
    assert code == 2
    assert "privacy.vault: names no file" in err
