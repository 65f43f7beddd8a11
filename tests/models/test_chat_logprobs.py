from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage

from moslm.models.chat.logprobs import FLOOR, token_logprobs, usage_of
from moslm.models.chat.scripted import ScriptedChatModel


def _entry(token="word", logprob=-0.1, top=None, **more):
    alternatives = [{"token": other, "logprob": value} for other, value in (top or {}).items()]
    return {"token": token, "logprob": logprob, "top_logprobs": alternatives, **more}


def _message(content):
    return AIMessage(content="x", response_metadata={"logprobs": {"content": content}})


def test_a_row_is_the_own_token_then_the_alternatives_descending():
    message = _message([_entry("a", -0.5, {"b": -2.0, "a": -0.5, "c": -1.0})])
    assert token_logprobs(message) == [[-0.5, -1.0, -2.0]]


def test_an_own_token_outside_the_most_probable_keeps_all_of_them_as_alternatives():
    assert token_logprobs(_message([_entry("z", -5.0, {"b": -2.0, "a": -0.5})])) == [[-5.0, -0.5, -2.0]]


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"logprobs": None},
        {"logprobs": "high"},
        {"logprobs": {}},
        {"logprobs": {"content": None}},
        {"logprobs": {"content": []}},
        {"logprobs": {"content": "words"}},
        {"logprobs": {"content": [None]}},
        {"logprobs": {"content": [{"logprob": -1}]}},
        {"logprobs": {"content": [{"token": "a"}]}},
        {"logprobs": {"content": [{"token": "", "logprob": -1}]}},
    ],
)
def test_absent_or_malformed_log_probabilities_are_unknown(metadata):
    assert token_logprobs(AIMessage(content="x", response_metadata=metadata)) is None


@pytest.mark.parametrize("bad", [math.nan, math.inf, 0.5, "-0.1", None, True, [-0.1]])
def test_one_bad_number_makes_the_whole_answer_unknown(bad):
    assert token_logprobs(_message([_entry(), _entry(logprob=bad)])) is None
    assert token_logprobs(_message([_entry(), _entry(top={"b": bad})])) is None


def test_probability_zero_is_the_floor_and_rounding_above_one_is_one():
    assert token_logprobs(_message([_entry(logprob=-math.inf), _entry(logprob=1e-6)])) == [[FLOOR], [0.0]]


def test_empty_and_special_tokens_are_no_part_of_the_answer():
    content = [_entry("Paris", -0.2), _entry("", -3.0), _entry("<|im_end|>", -3.0), _entry("</s>", -3.0)]
    assert token_logprobs(_message(content)) == [[-0.2]]


def test_a_piece_of_a_character_is_part_of_the_answer():
    assert token_logprobs(_message([_entry("", -0.3, bytes=[240, 159])])) == [[-0.3]]


def test_tokens_of_the_reasoning_are_left_out():
    content = [_entry("<think>"), _entry("hm", -4.0), _entry("</think>"), _entry("Yes", -0.1)]
    assert token_logprobs(_message(content)) == [[-0.1]]


_KEYS = st.sampled_from(["content", "token", "logprob", "top_logprobs", "bytes", "x"])
_SCALARS = st.none() | st.booleans() | st.floats() | st.text()
_ANYTHING = st.recursive(_SCALARS, lambda inner: st.lists(inner) | st.dictionaries(_KEYS, inner), max_leaves=12)


@given(_ANYTHING)
def test_no_answer_of_a_server_breaks_the_reader(anything):
    rows = token_logprobs(AIMessage(content="x", response_metadata={"logprobs": anything}))
    assert rows is None or all(FLOOR <= number <= 0 for row in rows for number in row)


def test_the_scripted_model_reads_as_it_was_told():
    rows = token_logprobs(ScriptedChatModel(replies=["two words"], confidence=0.75).invoke("x"))
    assert [math.exp(row[0]) for row in rows] == pytest.approx([0.75, 0.75])
    assert [len(row) for row in rows] == [2, 2]


def test_reported_usage_is_known():
    message = AIMessage(content="x", usage_metadata={"input_tokens": 7, "output_tokens": 2, "total_tokens": 9})
    assert usage_of(message)[:3] == (7, 2, True)


def test_unreported_usage_is_estimated_from_the_text_and_says_so():
    call = {"name": "find", "args": {"q": "x"}, "id": "1"}
    message = AIMessage(content="a" * 9, tool_calls=[call], additional_kwargs={"reasoning_content": "b" * 8})
    assert usage_of(message, [HumanMessage("c" * 401)])[:3] == (
        101,
        math.ceil((9 + 8 + 4 + len(str({"q": "x"}))) / 4),
        False,
    )
