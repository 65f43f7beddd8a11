import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moslm.serving.completions import Refused, as_chunks, collected, for_engine, opening, read

HELLO = [{"role": "user", "content": "hello"}]


def body(**fields):
    return json.dumps({"model": "smol", "messages": HELLO, **fields}).encode()


@pytest.mark.parametrize(
    ("sent", "status", "param"),
    [
        (b"{", 400, None),
        (b"[]", 400, None),
        (b'{"model": "smol"}', 400, "messages"),
        (body(messages=[]), 400, "messages"),
        (body(messages=["hello"]), 400, "messages"),
        (body(max_tokens=True), 400, "max_tokens"),
        (body(stream="yes"), 400, "stream"),
        (body(n=2), 400, "n"),
        (body(model="other"), 404, "model"),
    ],
)
def test_what_cannot_be_answered_is_refused_in_openais_shape(sent, status, param):
    with pytest.raises(Refused) as refused:
        read(sent, "smol")
    assert refused.value.status == status
    error = refused.value.body["error"]
    assert error["param"] == param
    assert error["type"] == "invalid_request_error"
    assert error["message"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda each: st.lists(each, max_size=2) | st.dictionaries(st.sampled_from(["choice", "json", "role"]), each),
    max_leaves=5,
)
FIELDS = st.sampled_from(["model", "messages", "stream", "structured_outputs", "n", "tools", "max_tokens"])


@given(st.dictionaries(FIELDS, JSON) | JSON)
def test_nothing_that_is_sent_raises_anything_but_a_refusal(sent):
    text = json.dumps({"messages": HELLO, **sent} if isinstance(sent, dict) else sent)
    with suppress(Refused):
        assert for_engine(read(text.encode(), "smol"))["messages"]


@pytest.mark.parametrize("schema", ["{", "5", 5, []])
def test_a_schema_that_is_none_is_refused(schema):
    with pytest.raises(Refused, match="must be a JSON schema"):
        for_engine(read(body(structured_outputs={"json": schema}), "smol"))


def test_vllms_choice_becomes_a_grammar():
    asked = read(body(structured_outputs={"choice": ["it_support", 'say "no"']}), "smol")
    assert for_engine(asked)["grammar"] == 'root ::= "it_support" | "say \\"no\\""'


def test_a_constraint_that_the_engine_lacks_is_refused_and_not_ignored():
    with pytest.raises(Refused, match="structured_outputs takes choice"):
        for_engine(read(body(structured_outputs={"regex": "a+"}), "smol"))


def test_requests_are_streamed_to_be_stoppable_but_for_those_with_tools():
    assert for_engine(read(body(), "smol"))["stream"] is True
    assert "stream" not in for_engine(read(body(tools=[{"type": "function"}]), "smol"))
    assert for_engine(read(body(max_completion_tokens=7, max_tokens=9), "smol"))["max_tokens"] == 7


def piece(delta=None, finish=None, **more):
    choice = {"index": 0, "delta": delta or {}, "finish_reason": finish}
    return {"id": "c1", "created": 5, "choices": [choice], **more}


def test_progress_is_not_sent_on_and_the_speaker_is_named_once():
    assert as_chunks(piece({"role": "assistant", "content": None}), "smol", with_usage=True) == []
    assert opening("smol")["choices"][0]["delta"] == {"role": "assistant", "content": ""}


def test_usage_is_sent_to_those_who_asked_for_it():
    last = {"id": "c1", "choices": [], "usage": {"completion_tokens": 2}}
    assert as_chunks(last, "smol", with_usage=False) == []
    (chunk,) = as_chunks(last, "smol", with_usage=True)
    assert (chunk["choices"], chunk["usage"]) == ([], {"completion_tokens": 2})


def test_a_whole_answer_with_tool_calls_is_cut_into_what_a_reader_expects():
    call = {"id": "x", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    whole = {"id": "c1", "choices": [{"message": message, "finish_reason": "tool_calls"}], "usage": {"total_tokens": 9}}
    said, end, usage = as_chunks(whole, "smol", with_usage=True)
    assert said["choices"][0]["delta"]["tool_calls"] == [{"index": 0, **call}]
    assert end["choices"][0]["finish_reason"] == "tool_calls"
    assert usage["usage"] == {"total_tokens": 9}


async def test_pieces_are_put_together_with_their_log_probabilities():
    async def pieces():
        yield piece({"role": "assistant", "content": None})
        for token in ("Par", "is"):
            choice = {"delta": {"content": token}, "logprobs": {"content": [{"token": token, "logprob": -0.1}]}}
            yield {"id": "c1", "created": 5, "choices": [choice]}
        yield piece(finish="stop")
        yield {"id": "c1", "choices": [], "usage": {"completion_tokens": 2}}

    whole = await collected(pieces(), "smol")
    (choice,) = whole["choices"]
    assert choice["message"] == {"role": "assistant", "content": "Paris"}
    assert [each["token"] for each in choice["logprobs"]["content"]] == ["Par", "is"]
    assert (choice["finish_reason"], whole["usage"]["completion_tokens"], whole["id"]) == ("stop", 2, "c1")
