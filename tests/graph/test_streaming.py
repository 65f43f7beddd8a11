from __future__ import annotations

from langchain_core.callbacks import BaseCallbackHandler

from moslm.models.chat.accepted import AcceptedAnswer

QUESTION = {"messages": [("user", "What is my budget?")]}


def tokens(graph, **options):
    return [chunk.text for chunk, _ in graph.stream(QUESTION, stream_mode="messages", **options)]


def test_the_accepted_answer_streams_word_by_word_and_once(moslm):
    streamed = tokens(moslm({"finance": "The budget is forty thousand."}))
    assert "".join(streamed) == "The budget is forty thousand."
    assert len(streamed) > 3


def test_no_token_of_a_rejected_draft_reaches_the_stream(moslm):
    streamed = tokens(moslm({"finance": "Draft draft draft."}, confidence=0.3, large="Large words."))
    assert "".join(streamed) == "Large words."


async def test_streams_the_same_under_astream(moslm):
    graph = moslm({"finance": "Draft."}, confidence=0.3, large="Large words here.")
    streamed = [chunk.text async for chunk, _ in graph.astream(QUESTION, stream_mode="messages")]
    assert "".join(streamed) == "Large words here."


class Listener(BaseCallbackHandler):
    """A callback that does not stream."""

    def __init__(self):
        self.heard = ""

    def on_llm_end(self, response, **kwargs):
        self.heard += response.generations[0][0].text


def test_only_where_somebody_listens_is_the_answer_said_again(moslm, monkeypatch):
    said, as_it_is = [], AcceptedAnswer._generate

    def noted(model, *args, **options):
        said.append(model.accepted.text)
        return as_it_is(model, *args, **options)

    monkeypatch.setattr(AcceptedAnswer, "_generate", noted)
    graph, listener = moslm({"finance": "Forty."}), Listener()
    assert graph.invoke(QUESTION)["messages"][-1].text == "Forty."
    assert said == []
    graph.invoke(QUESTION, {"callbacks": [listener]})
    assert said == ["Forty."]
    assert listener.heard == "Forty.Forty."


def test_typed_events_tell_what_happened_and_carry_no_draft(moslm):
    graph = moslm({"finance": "Draft draft."}, confidence=0.3, large="Large.")
    events = list(graph.stream(QUESTION, stream_mode="custom"))
    assert [event["type"] for event in events] == [
        "moslm.classified",
        "moslm.checked",
        "moslm.drafted",
        "moslm.checked",
        "moslm.escalated",
        "moslm.answered",
    ]
    assert "Draft" not in str(events)
    assert len({event["request"] for event in events}) == 1


def test_a_parent_sees_tokens_and_events_with_subgraphs(moslm):
    from langgraph.graph import END, START, MessagesState, StateGraph

    parent = StateGraph(MessagesState)
    parent.add_node("moslm", moslm({"finance": "One two three."}))
    parent.add_edge(START, "moslm")
    parent.add_edge("moslm", END)
    graph = parent.compile()
    parts = list(graph.stream(QUESTION, stream_mode=["messages", "custom"], subgraphs=True))
    text = "".join(data[0].text for _, mode, data in parts if mode == "messages" and data[0].type == "AIMessageChunk")
    assert text == "One two three."
    assert any(mode == "custom" and data["type"] == "moslm.answered" for _, mode, data in parts)
