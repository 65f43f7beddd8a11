import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moslm.errors import ConfigError
from moslm.escalation.sentiment import MOODS, moods, pieces
from moslm.escalation.sentiment.fitting import measured, read_rows
from moslm.escalation.sentiment.scoring import SHIPPED, read_scorer

UNSEEN = Path(__file__).parent / "sentiment" / "unseen.jsonl"
CARD = json.loads((SHIPPED / "card.json").read_text())


@pytest.mark.parametrize(
    ("text", "mood"),
    [
        ("This is the third time I write and nobody answers, I am furious!", "upset"),
        ("Absolutely disgusted. Give me my money back NOW.", "upset"),
        ("My husband died last week, please cancel his order.", "vulnerable"),
        ("I lost my job and cannot pay the instalments.", "vulnerable"),
        ("I don't want to live any more.", "vulnerable"),
        ("I am 12 and ordered this with my dad's card", "vulnerable"),
    ],
)
def test_a_mood_is_read(text, mood):
    assert moods(text)[mood] >= 0.5


@pytest.mark.parametrize(
    "text",
    [
        "Where is my order 10482?",
        "I want a refund",
        "refund",
        "Please refund me",
        "I am an Angry Birds fan, do you sell the plush toys?",
        "My printer is dead, can I print the label in your shop?",
        "I'd like to complain about a late delivery; the order number is 20911.",
        "These boots are to die for! Do you have them in green?",
    ],
)
def test_what_only_sounds_like_one_is_left_alone(text):
    assert max(moods(text).values()) < 0.5


def test_the_figures_on_lines_kept_unseen_are_those_of_the_card():
    found = measured(read_scorer(SHIPPED), read_rows(UNSEEN))
    for what in (*MOODS, "either"):
        assert found[what]["n"] == CARD["unseen"][what]["n"] >= 40
        assert found[what]["f1"] == pytest.approx(CARD["unseen"][what]["f1"], abs=0.03)
    assert found["either"]["f1"] > 0.8
    assert found["either"]["precision"] > 0.9


def test_no_unseen_line_is_among_those_it_was_fitted_on():
    fitted = {row["text"] for row in read_rows(Path(__file__).parents[2] / "corpus" / "moods.jsonl")}
    assert len(fitted) >= 400
    assert not fitted & {row["text"] for row in read_rows(UNSEEN)}


def test_one_sentence_is_heard_in_a_long_letter():
    letter = "I ordered the green tent and two mats in May. They came on time and in good shape. " * 6
    assert moods(f"{letter} My wife died on Sunday and I cannot bear to look at them. {letter}")["vulnerable"] >= 0.5


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=3000))
def test_any_text_has_moods_between_0_and_1(text):
    assert set(moods(text)) == set(MOODS)
    assert all(0 <= value <= 1 for value in moods(text).values())
    assert pieces(text)


def test_a_damaged_scorer_is_refused_in_one_line(tmp_path):
    (tmp_path / "card.json").write_text((SHIPPED / "card.json").read_text())
    (tmp_path / "scorer.npz").write_bytes(b"no scorer")
    with pytest.raises(ConfigError, match=r"ask_when = .*the scorer of moods cannot be read"):
        read_scorer(tmp_path)
