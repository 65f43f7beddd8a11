import re

import pytest

from moslm.config import PrivacySettings
from moslm.errors import ConfigError, DetectorFailed, PrivacyError, VaultError
from moslm.privacy.pseudonyms import Pseudonymiser, pseudonymiser
from moslm.privacy.recognisers import Finding
from moslm.privacy.vault import MemoryVault


@pytest.fixture
def privacy():
    return pseudonymiser(PrivacySettings(engine="patterns"))


@pytest.fixture
def talk(privacy):
    return privacy.conversation("acme", "thread-1")


def test_a_value_keeps_its_placeholder_over_turns_in_any_case_and_spacing(talk):
    first = talk.hide("My name is Maria Keller, card 4111 1111 1111 1111, mail M.Keller@Corp.local")
    assert first == "My name is <PERSON_1>, card <CREDIT_CARD_1>, mail <EMAIL_ADDRESS_1>"
    later = talk.hide("MARIA  KELLER here: 4111-1111-1111-1111, m.keller [at] corp [dot] local and 5555555555554444")
    assert later == "<PERSON_1> here: <CREDIT_CARD_1>, <EMAIL_ADDRESS_1> and <CREDIT_CARD_2>"


def test_a_name_that_was_found_once_is_hidden_wherever_it_stands_again(talk):
    assert talk.hide_all(["so Maria Keller rang again", "my name is Maria Keller", "Keller was angry, maria too"]) == [
        "so <PERSON_1> rang again",
        "my name is <PERSON_1>",
        "<PERSON_2> was angry, maria too",
    ]


def test_a_name_that_is_a_word_is_not_hidden_as_a_word(talk):
    talk.hide("My name is Will Brown")
    assert talk.hide("Will you paint it Brown?") == "Will you paint it Brown?"


def test_the_answer_is_restored_as_the_value_first_stood(talk):
    talk.hide("My name is Maria Keller")
    talk.hide("maria keller again")
    answer = "Dear <PERSON_1>, is <EMAIL_ADDRESS_7> yours? <b>Not</b> <PERSON_2>, <PERSON_1>."
    assert talk.restore(answer) == "Dear Maria Keller, is <EMAIL_ADDRESS_7> yours? <b>Not</b> <PERSON_2>, Maria Keller."


def test_tool_arguments_are_restored_however_deep(talk):
    talk.hide("My name is Maria Keller, mail m@corp.local")
    arguments = {
        "to": ["<EMAIL_ADDRESS_1>", {"<PERSON_1>": "for <PERSON_1>, <PERSON_9>"}],
        "n": 3,
        "ok": True,
        "x": None,
    }
    assert talk.restore_value(arguments) == {
        "to": ["m@corp.local", {"Maria Keller": "for Maria Keller, <PERSON_9>"}],
        "n": 3,
        "ok": True,
        "x": None,
    }


def test_tool_results_are_hidden_however_deep_and_read_with_their_field_names(talk):
    result = {
        "employee_id": 48291,
        "rows": [{"full_name": "Maria Keller", "card": 4111111111111111, "n": 7, "ok": True}],
    }
    hidden = talk.hide_value(result)
    assert hidden == {
        "employee_id": "<EMPLOYEE_ID_1>",
        "rows": [{"full_name": "<PERSON_1>", "card": "<CREDIT_CARD_1>", "n": 7, "ok": True}],
    }
    assert talk.restore_value(hidden)["rows"][0]["full_name"] == "Maria Keller"


def test_what_a_user_writes_is_never_taken_for_a_placeholder(talk):
    talk.hide("My name is Maria Keller")
    typed = "what does <PERSON_1> mean, and <LITERAL_1>?"
    hidden = talk.hide(typed)
    assert hidden == "what does <LITERAL_1> mean, and <LITERAL_2>?"
    assert talk.restore(hidden) == typed


def test_a_value_that_holds_a_placeholder_is_not_restored_twice(talk):
    talk.hide("My name is Maria Keller")
    hidden = talk.hide("password: <PERSON_1>x9")
    assert "Maria" not in talk.restore(hidden)
    assert talk.restore(hidden) == "password: <PERSON_1>x9"


def test_a_number_in_two_halves_leaves_in_neither_message(talk):
    texts = ["my card is 4111 1111", "Go on.", "and the rest is 1111 1111"]
    hidden = talk.hide_all(texts)
    assert not re.search(r"1111", " ".join(hidden))
    assert [talk.restore(each) for each in hidden] == texts


def test_placeholders_of_one_tenant_are_nothing_to_another(privacy, talk):
    talk.hide("My name is Maria Keller")
    for other in (privacy.conversation("rival", "thread-1"), privacy.conversation("acme", "thread-2")):
        assert other.restore("hello <PERSON_1>") == "hello <PERSON_1>"
        stream = other.restorer()
        assert stream.feed("hello <PERSON_1>") + stream.close() == "hello <PERSON_1>"
        assert other.restore_value({"a": "<PERSON_1>"}) == {"a": "<PERSON_1>"}


class Failing:
    def find(self, text):
        raise ValueError(f"cannot read {text}")


class Wrong:
    def __init__(self, finding):
        self.finding = finding

    def find(self, text):
        return [self.finding]


def test_a_detector_that_fails_says_so_without_a_word_of_the_text():
    talk = Pseudonymiser(Failing(), MemoryVault()).conversation("acme", "1")
    for act in (
        lambda: talk.hide("canary"),
        lambda: talk.hide_all(["a", "canary"]),
        lambda: talk.hide_value(["canary"]),
    ):
        with pytest.raises(DetectorFailed) as caught:
            act()
        assert isinstance(caught.value, PrivacyError)
        assert "Failing failed (ValueError); nothing was sent" in str(caught.value)
        assert "canary" not in str(caught.value)
        assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    "finding", [Finding(0, 99, "PERSON", 1), Finding(3, 1, "PERSON", 1), Finding(0, 1, "a person", 1)]
)
def test_a_detector_that_finds_what_cannot_be_has_failed(finding):
    talk = Pseudonymiser(Wrong(finding), MemoryVault()).conversation("acme", "1")
    with pytest.raises(DetectorFailed, match="found what cannot be"):
        talk.hide("canary")


def test_seams_that_fail_have_failed_too():
    class Seams:
        def find(self, texts):
            raise RuntimeError(str(texts))

    talk = Pseudonymiser(Wrong(Finding(0, 1, "X1", 1)), MemoryVault(), Seams()).conversation("acme", "1")
    with pytest.raises(DetectorFailed, match=r"Seams failed \(RuntimeError\)"):
        talk.hide_all(["canary", "bird"])


def test_with_a_vault_on_disk_placeholders_outlive_the_process(tmp_path, monkeypatch):
    monkeypatch.setenv("VAULT_KEY", bytes(range(32)).hex())
    settings = PrivacySettings(vault=tmp_path / "vault.sqlite", key_env="VAULT_KEY")
    pseudonymiser(settings).conversation("acme", "1").hide("My name is Maria Keller")
    assert pseudonymiser(settings).conversation("acme", "1").restore("<PERSON_1>") == "Maria Keller"


def test_a_vault_without_its_key_is_refused_when_it_is_built(tmp_path, monkeypatch):
    monkeypatch.delenv("VAULT_KEY", raising=False)
    with pytest.raises(ConfigError, match="VAULT_KEY"):
        pseudonymiser(PrivacySettings(vault=tmp_path / "vault.sqlite", key_env="VAULT_KEY"))


def test_a_vault_that_cannot_be_written_blocks():
    class Full(MemoryVault):
        def keep(self, tenant, conversation, values):
            raise VaultError("the vault cannot be used: disk is full")

    with pytest.raises(PrivacyError, match="disk is full"):
        Pseudonymiser(Wrong(Finding(0, 1, "X1", 1)), Full()).conversation("a", "1").hide("x")
