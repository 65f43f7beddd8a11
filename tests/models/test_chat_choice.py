from __future__ import annotations

import math

import pytest
from langchain_core.messages import AIMessage

from moslm.models.chat.choice import choice_probabilities

YES_NO = ("yes", "no")


def answer(content):
    return AIMessage("yes", response_metadata={"logprobs": {"content": content}})


def token(text, logprob, *others):
    listed = [{"token": each, "logprob": value} for each, value in others]
    return {"token": text, "logprob": logprob, "top_logprobs": listed}


def test_probabilities_before_a_constraint_are_scaled_to_the_options():
    said = token("yes", math.log(0.03), ("The", math.log(0.9)), (" No", math.log(0.01)))
    assert choice_probabilities(answer([said]), YES_NO) == pytest.approx({"yes": 0.75, "no": 0.25})


def test_every_spelling_counts_and_the_chosen_token_counts_once():
    said = token("yes", math.log(0.2), ("yes", math.log(0.2)), ("Yes", math.log(0.1)), ("no", math.log(0.1)))
    assert choice_probabilities(answer([said]), YES_NO)["yes"] == pytest.approx(0.75)


@pytest.mark.parametrize(
    "content",
    [None, [], "yes", [{}], [None], [token("maybe", -0.1)], [token("yes", math.nan)], [token("yes", None)]],
)
def test_what_is_no_choice_is_none(content):
    assert choice_probabilities(answer(content), YES_NO) is None


def test_an_option_written_in_pieces_is_read_at_its_first_piece():
    first = token(
        "ye", math.log(0.3), ("no", math.log(0.2)), ("n", math.log(0.1)), ("y", math.log(0.3)), ("maybe", -1.0)
    )
    assert choice_probabilities(answer([first, token("s", 0.0)]), YES_NO) == pytest.approx({"yes": 2 / 3, "no": 1 / 3})


def test_a_piece_that_begins_several_options_counts_for_none():
    first = token("n", math.log(0.5), ("no", math.log(0.1)), ("ne", math.log(0.3)))
    said = AIMessage("never", response_metadata={"logprobs": {"content": [first, token("ever", 0.0)]}})
    assert choice_probabilities(said, ("no", "never")) == pytest.approx({"no": 0.25, "never": 0.75})


def test_pieces_of_an_answer_that_is_no_option_are_not_read():
    said = AIMessage(
        "yesterday", response_metadata={"logprobs": {"content": [token("ye", -0.1), token("sterday", -0.1)]}}
    )
    assert choice_probabilities(said, YES_NO) is None
