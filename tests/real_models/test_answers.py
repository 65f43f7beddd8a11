"""What a served model answers, through the chat model and through the whole graph."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest
from adapting import OPENINGS
from langchain_core.messages import AIMessageChunk

from moslm import Decision, MoSLMContext
from moslm.errors import BackendGarbled
from moslm.escalation.signals import SIGNALS
from moslm.models.chat.choice import choice_probabilities, choosing
from moslm.models.chat.logprobs import token_logprobs

HOTEL = "How much may a hotel cost per night on a business trip?"
LAPTOP = "How often are laptops replaced?"
ORDER = "How long do I have to return an order?"
STORY = "Tell me a long story about a lighthouse."


def asked(text: str) -> dict[str, Any]:
    return {"messages": [("user", text)]}


@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream", "astream"])
async def test_every_token_comes_with_its_log_probability_and_is_counted(chat, way):
    model = chat(max_tokens=12)
    if way in ("invoke", "ainvoke"):
        answer = await asyncio.to_thread(model.invoke, STORY) if way == "invoke" else await model.ainvoke(STORY)
    else:
        pieces = list(model.stream(STORY)) if way == "stream" else [piece async for piece in model.astream(STORY)]
        answer = sum(pieces[1:], pieces[0])
    content = answer.response_metadata["logprobs"]["content"]
    assert "".join(each["token"] for each in content) == answer.text
    assert answer.usage_metadata["output_tokens"] == len(content) == 12
    assert answer.response_metadata["finish_reason"] == "length"
    rows = token_logprobs(answer)
    assert [len(row) for row in rows] == [5] * 12  # the token itself, and four others that were likely
    for own, *others in rows:
        assert own >= max(others)  # temperature 0 writes the most probable
        assert 0 < math.exp(own) + sum(map(math.exp, others)) <= 1.001


async def test_the_same_is_said_by_both_replicas_and_every_way(chat):
    first, second = await asyncio.gather(*(chat(replicas=(each,)).ainvoke(STORY) for each in (0, 1)))
    assert first.text == second.text == chat(replicas=(0,)).invoke(STORY).text


def test_a_choice_is_one_of_the_options_with_the_probability_of_each(chat):
    bound = choosing(chat(), ["yes", "no"])
    for question in ("Is Paris in France? Answer yes or no.", STORY):
        answer = bound.invoke(question)
        assert answer.text in ("yes", "no")
        found = choice_probabilities(answer, ["yes", "no"])
        assert sum(found.values()) == pytest.approx(1)
        assert answer.text == max(found, key=found.get)


def test_an_answer_follows_a_json_schema(chat):
    schema = {"type": "object", "properties": {"days": {"type": "integer"}}, "required": ["days"]}
    model = chat().with_structured_output({"title": "Days", **schema}, method="json_schema")
    assert isinstance(model.invoke("How many days has a week?")["days"], int)


def test_a_prompt_beyond_the_context_is_said_to_be_one(chat):
    with pytest.raises(BackendGarbled, match="was sent more text than its context holds"):
        chat().invoke("word " * 4000)


def test_a_name_that_is_not_served_and_a_wrong_key_are_said_to_be_so(chat, monkeypatch):
    with pytest.raises(BackendGarbled, match="does not know the model it was asked for"):
        chat("none").invoke("hi")
    monkeypatch.setenv("MOSLM_REAL_MODELS_KEY", "of-somebody-else")
    with pytest.raises(BackendGarbled, match="refused the key"):
        chat().invoke("hi")


def test_every_domain_is_answered_by_its_own_adapter_and_one_without_by_the_base_model(graph):
    whole = graph()
    for text, domain, model in (
        (HOTEL, "finance", "finance"),
        (LAPTOP, "it_support", "it_support"),
        (ORDER, "customer_service", "small"),
    ):
        result = whole.invoke(asked(text))
        decision = Decision.model_validate(result["decision"])
        assert (decision.outcome, decision.domain, decision.answered_by) == ("answered", domain, model)
        own = OPENINGS.get(domain)
        assert result["messages"][-1].text.startswith(own) if own else "desk:" not in result["messages"][-1].text[:30]


async def test_a_decision_holds_what_the_server_measured(graph):
    result = await graph({"finance": {"passages": 1}}).ainvoke(asked(HOTEL))
    decision = Decision.model_validate(result["decision"])
    (draft,), (usage,) = decision.drafts, decision.usage
    assert 0 < draft.confidence < 1
    assert {each.name for each in draft.signals} == set(SIGNALS)
    assert {each.name for each in draft.signals if each.value is not None} >= {"mean", "minimum", "entropy", "margin"}
    assert draft.passages
    assert usage.known
    assert usage.input_tokens > 100
    assert 0 < usage.output_tokens <= 40
    (call,) = draft.replicas
    assert (call.of, call.attempts, call.met) == (2, 1, [])


async def test_a_draft_that_is_not_trusted_goes_up_and_no_word_of_it_is_streamed(graph):
    shown, final = "", None
    sure = MoSLMContext(threshold=1.0)
    async for mode, piece in graph().astream(asked(ORDER), stream_mode=["messages", "values"], context=sure):
        if mode == "messages" and isinstance(piece[0], AIMessageChunk):
            shown += piece[0].text
        elif mode == "values" and piece.get("decision"):
            final = piece
    assert final["decision"]["outcome"] == "escalated"
    assert final["decision"]["drafts"][0]["error"] is None
    assert shown == final["messages"][-1].text
    assert shown.startswith("From above.")


@pytest.mark.parametrize("optimistic", [False, True])
async def test_an_answer_that_is_trusted_streams_and_is_the_same_in_the_end(served, graph, served_model, optimistic):
    whole = graph({"customer_service": served_model(long=True)}, optimistic_streaming=optimistic)
    pieces, busy = list[str](), list[int]()
    async for mode, piece in whole.astream(asked(ORDER), stream_mode=["messages", "values"]):
        if mode == "messages" and isinstance(piece[0], AIMessageChunk):
            if not pieces:
                busy = await asyncio.to_thread(served.running)
            pieces.append(piece[0].text)
        elif mode == "values":
            final = piece
    assert "".join(pieces).strip() == final["messages"][-1].text
    assert len(pieces) > 2
    # a draft is shown once it is judged; optimistically, while the server still writes it
    assert sum(busy) == int(optimistic)


async def test_eight_at_once_get_each_the_answer_they_get_alone_from_their_own_adapter_or_from_none(graph):
    whole = graph()
    texts = [HOTEL, LAPTOP, ORDER]
    alone = {text: (await whole.ainvoke(asked(text)))["messages"][-1].text for text in texts}
    eight = [*texts, *texts, *texts[:2]]
    together = await asyncio.gather(*(whole.ainvoke(asked(text)) for text in eight))
    for text, result in zip(eight, together, strict=True):
        # sums of floats in another order may turn one word in a long answer; what comes first is the same
        assert result["messages"][-1].text[:30] == alone[text][:30]


def test_tools_are_offered_with_log_probabilities_and_whatever_comes_of_it_has_a_typed_end(graph):
    result = graph({"finance": {"use_tools": "always"}}).invoke(asked(HOTEL))
    decision = Decision.model_validate(result["decision"])
    draft = decision.drafts[0]
    assert draft.error in (None, "garbled", "failed")
    assert decision.outcome in ("answered", "escalated")
    if draft.error is None:
        assert draft.confidence is not None


def test_moslm_doctor_finds_every_model_of_the_servers(served):
    from moslm.cli.doctor import findings

    found = [(each.state, each.what, each.detail) for each in findings(str(served.config))]
    about = [each for each in found if "running" in each[2]]
    assert len(about) >= 2, found
    assert {each[0] for each in about} == {"ok"}


def test_a_request_that_cannot_be_answered_is_refused_once_and_taken_to_no_other_replica(chat):
    model = chat()
    with pytest.raises(BackendGarbled, match="small refused the request"):
        model.bind(temperature=-5).invoke("hi")
    assert sum(each.calls for each in model.replicas()) == 1
    assert sum(each.failures for each in model.replicas()) == 0
