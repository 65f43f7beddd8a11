"""What must be the same in two requests, and what is filler."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from measures.near_duplicates import near_duplicates, paraphrases

from moslm.recall.wording import essence, wording


def test_a_thousand_pairs_that_look_alike_differ_in_what_they_say():
    pairs = near_duplicates(seed=0)
    assert len(pairs) >= 1000
    assert [pair for pair in pairs if wording(pair.one) == wording(pair.other)] == []


def test_courtesies_case_articles_and_contractions_change_nothing():
    pairs = [pair for pair in paraphrases() if pair.kind == "filler"]
    assert len(pairs) > 100
    assert [pair for pair in pairs if wording(pair.one) != wording(pair.other)] == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Can I see the ledger?", "Can you see the ledger?"),
        ("How should I store receipts?", "How can I store receipts?"),
        ("Why can't I log in?", "Why don't I log in?"),
        ("Card payment declined?", "Card payment declined."),
        ("What are disposable cards?", "What do disposable cards do?"),
        ("Was ist mein Budget?", "Wie ist mein Budget?"),
        ("我的预算是多少", "你的预算是多少"),
        ("What is 3 < 4?", "What is 3 > 4?"),
        ('What does "please wait" mean?', 'What does "wait" mean?'),
        ("Is v1.2 out?", "Is v1.20 out?"),
        ("Is the laptop 🔒?", "Is the laptop 🔓?"),
        ("Thank you page broken", "page broken not"),
    ],
)
def test_what_is_not_known_to_be_filler_tells_requests_apart(one, other):
    assert wording(one) != wording(other)


@given(st.text(max_size=300))
def test_any_text_has_a_wording_and_an_essence(text):
    assert wording(text) == wording(text)
    assert isinstance(essence(text), str)


@given(
    st.lists(st.sampled_from(["card", "limit", "not", "5", "7", "Berlin", "before", "after"]), min_size=1, max_size=8)
)
def test_words_that_matter_matter_in_their_order(words):
    other = list(reversed(words))
    assert (wording(" ".join(words)) == wording(" ".join(other))) == (words == other)


def test_a_text_too_long_to_be_compared_is_the_same_as_itself_alone():
    text = "budget " * 1000
    assert wording(text) == wording(text)
    assert wording(text) != wording(f"{text} please")
