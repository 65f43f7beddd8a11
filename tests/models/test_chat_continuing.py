from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk

from moslm.models.chat.continuing import Continuation, Diverged

TOKENS = st.lists(st.text("abc ", min_size=1, max_size=4), min_size=1, max_size=8)


def chunks(tokens: list[str], sizes: list[int]) -> list[ChatGenerationChunk]:
    """Cut tokens into chunks of so many; log-probabilities lie beside each."""
    made, left, sizes = [], list(tokens), [*sizes, *([1] * len(tokens))]
    for size in sizes:
        if left:
            part, left = left[:size], left[size:]
            info = {"logprobs": {"content": [{"token": each, "logprob": -0.1} for each in part]}}
            made.append(ChatGenerationChunk(message=AIMessageChunk("".join(part)), generation_info=info))
    end = ChatGenerationChunk(message=AIMessageChunk(""), generation_info={"finish_reason": "stop"})
    return [*made, end]


SIZES = st.lists(st.integers(1, 3), max_size=8)


@given(TOKENS, SIZES, SIZES, st.integers(0, 8))
def test_wherever_it_broke_off_the_whole_answer_is_said_once(tokens, sizes, other_sizes, broke_after):
    answer, said = Continuation("m"), []
    for chunk in chunks(tokens, sizes)[:-1][:broke_after]:
        said.append(answer.let_through(chunk))
    answer.begin_again()
    for chunk in chunks(tokens, other_sizes):
        if (passed := answer.let_through(chunk)) is not None:
            said.append(passed)
    assert answer.finished
    assert "".join(chunk.text for chunk in said) == "".join(tokens)
    told = [
        entry["token"]
        for chunk in said
        for entry in (chunk.generation_info or {}).get("logprobs", {"content": []})["content"]
    ]
    assert told == tokens


@given(TOKENS, TOKENS, st.integers(1, 8))
def test_another_answer_is_never_stuck_to_the_beginning_of_the_first(tokens, others, broke_after):
    answer = Continuation("m")
    first = chunks(tokens, [])[:-1][:broke_after]
    said = begun = "".join(answer.let_through(chunk).text for chunk in first)
    answer.begin_again()
    try:
        for chunk in chunks(others, []):
            if (passed := answer.let_through(chunk)) is not None:
                said += passed.text
    except Diverged:
        assert said == begun
    else:
        assert said == "".join(others)


def test_a_shorter_answer_is_another_answer():
    answer = Continuation("m")
    answer.let_through(chunks(["a", "b"], [2])[0])
    answer.begin_again()
    with pytest.raises(Diverged):
        _ = [answer.let_through(chunk) for chunk in chunks(["a"], [])]


def test_the_calls_of_a_tool_are_said_once():
    def call(args: str, name: str | None = None, key: str | None = None) -> ChatGenerationChunk:
        piece = {"index": 0, "name": name, "args": args, "id": key, "type": "tool_call_chunk"}
        return ChatGenerationChunk(message=AIMessageChunk("", tool_call_chunks=[piece]))

    answer, said = Continuation("m"), []
    said.append(answer.let_through(call("", "book", "one")))
    said.append(answer.let_through(call('{"a"')))
    answer.begin_again()
    for chunk in (call("", "book", "two"), call('{"a"'), call(": 1}")):
        if (passed := answer.let_through(chunk)) is not None:
            said.append(passed)
    whole = sum((chunk.message for chunk in said[1:]), said[0].message)
    assert [(each["name"], each["args"], each["id"]) for each in whole.tool_calls] == [("book", {"a": 1}, "one")]
