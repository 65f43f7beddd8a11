"""T11: what is left of the personal data in a thousand made-up documents when they have been hidden.

The documents and the recognisers have one author. The forms were mended on other seeds than the one tested here.
"""

from __future__ import annotations

import sys
from collections import Counter
from math import sqrt
from pathlib import Path

import pytest

from moslm.config import PrivacySettings
from moslm.privacy.pseudonyms import pseudonymiser

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))

from leaks.documents import KINDS, STRUCTURED, Document, documents
from leaks.identities import LOCALES
from leaks.judging import leaks

SEED = 2026
FLOORS = {"ner": 0.9, "presidio": 0.75}
"""Least share of names that an engine must be sure to hide (lower end of the 95 % interval)."""


def hidden(privacy, found, number):
    talk = privacy.conversation("acme", str(number))
    texts = tuple(talk.hide_all(found.texts))
    assert tuple(talk.restore(each) for each in texts) == found.texts
    return texts


@pytest.fixture(scope="module")
def drawn():
    return documents(SEED, 1000)


def test_the_documents_are_what_they_are_said_to_be(drawn):
    planted = [each for document in drawn for each in document.planted]
    assert len(KINDS) >= 20
    assert len(LOCALES) == 5
    assert {kind for kind, _, _ in planted} == set(KINDS)
    assert {how for _, _, how in planted} >= {"plain", "json", "base64", "file name", "link", "split", "spelled out"}
    assert sum(kind in STRUCTURED for kind, _, _ in planted) >= 1000
    assert drawn == documents(SEED, 1000)


def test_no_card_iban_ssn_address_phone_or_key_of_a_thousand_documents_leaves_and_all_of_them_come_back(drawn):
    privacy = pseudonymiser(PrivacySettings(engine="patterns"))
    left = [each for i, one in enumerate(drawn) for each in leaks(one, hidden(privacy, one, i))]
    assert [each for each in left if each[0] in STRUCTURED] == []
    # forms behind a naming word, in five tongues: what is left of them is little
    others = [each for each in left if each[0] not in (*STRUCTURED, "PERSON")]
    assert len(others) <= 10, Counter(kind for kind, _, _ in others)


def test_by_default_names_are_hidden_at_the_stated_recall_and_numbers_still_all(drawn):
    names_are_hidden("ner", drawn)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_with_presidio_names_are_hidden_at_the_stated_recall_and_numbers_still_all(drawn):
    pytest.importorskip("presidio_analyzer", reason="the extra privacy is not installed")
    names_are_hidden("presidio", drawn)


def names_are_hidden(engine, drawn):
    privacy = pseudonymiser(PrivacySettings(engine=engine))
    named = [one for one in drawn if any(kind == "PERSON" for kind, _, _ in one.planted)]
    left = [each for i, one in enumerate(named) for each in leaks(one, hidden(privacy, one, i))]
    assert [each for each in left if each[0] in STRUCTURED] == []
    n = sum(kind == "PERSON" for one in named for kind, _, _ in one.planted)
    share = 1 - sum(kind == "PERSON" for kind, _, _ in left) / n
    half = 1.96 * sqrt(share * (1 - share) / n + 1.96**2 / (4 * n * n))
    low = (share + 1.96**2 / (2 * n) - half) / (1 + 1.96**2 / n)
    assert low >= FLOORS[engine], f"{share:.3f} of {n}, at least {low:.3f}"


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("card 4111 1111 left", "CREDIT_CARD", "4111 1111 1111 1111"),
        ("ends in 1111-11", "CREDIT_CARD", "4111 1111 1111 1111"),
        ("maria.keller (at) x", "EMAIL_ADDRESS", "maria.keller@corp.local"),
        ("bWFyaWEua2VsbGVyQGNvcnAubG9jYWw=", "EMAIL_ADDRESS", "maria.keller@corp.local"),
        ("４１１１１１", "CREDIT_CARD", "4111111111111111"),
        ("<PERSON_1> Keller", "PERSON", "Maria Keller"),
    ],
)
def test_the_judge_sees_what_is_left_in_part_and_in_disguise(text, kind, value):
    assert leaks(Document((text,), ((kind, value, "plain"),)), (text,)) == [(kind, value, "plain")]


def test_the_judge_sees_nothing_in_placeholders():
    planted = (("CREDIT_CARD", "4111 1111 1111 1111", "plain"),)
    assert leaks(Document(("",), planted), ("41<CREDIT_CARD_1>11 <CREDIT_CARD_PART_4>",)) == []
