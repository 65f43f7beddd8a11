import math
from dataclasses import dataclass
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from pydantic import PrivateAttr

from moslm import Config, ConfigError, ScriptedChatModel, Turn
from moslm.config import ClassifierSettings, EmbeddedModel
from moslm.domains import load_domains
from moslm.errors import BackendDown, BackendGarbled, RequestError
from moslm.models.chat import build_chat_model
from moslm.models.classifiers import Yardstick, build_classifier
from moslm.models.classifiers.chat import UNMEASURED, ChatClassifier


@dataclass(frozen=True)
class Group:
    name: str
    title: str
    description: str = "Requests of this kind."
    examples: tuple[str, ...] = ()


GROUPS = [Group("finance", "Finance"), Group("it_support", "IT support"), Group("customer_service", "Customer service")]


class Recording(ScriptedChatModel):
    """A scripted model that passes for another kind and keeps what was bound to it."""

    kind: str = "scripted"
    extra_body: dict[str, Any] | None = None
    _bound: dict[str, Any] = PrivateAttr(default_factory=dict)

    @property
    def _llm_type(self) -> str:
        return self.kind

    def _generate(self, messages, stop=None, run_manager=None, **kwargs):
        self._bound.update(kwargs)
        return super()._generate(messages, stop, run_manager, **kwargs)


def answered(*tokens: tuple[str, dict[str, float]], text: str = "B") -> AIMessage:
    """An answer whose tokens carry these probabilities, in the form OpenAI's API has them."""
    content = [
        {
            "token": token,
            "logprob": math.log(listed[token]),
            "top_logprobs": [{"token": name, "logprob": math.log(value)} for name, value in listed.items()],
        }
        for token, listed in tokens
    ]
    return AIMessage(text, response_metadata={"logprobs": {"content": content}})


def ranked(reply, text="my laptop is broken", confidence=0.9):
    model = ScriptedChatModel(replies=(reply,), confidence=confidence)
    return ChatClassifier(model, GROUPS).rank([Turn("user", text)])


def test_the_probability_of_each_label_is_that_of_its_letter():
    ranking = ranked(answered(("B", {"B": 0.7, "A": 0.2, "C": 0.1})))
    assert ranking.probabilities == pytest.approx({"finance": 0.2, "it_support": 0.7, "customer_service": 0.1})


def test_mass_outside_the_options_is_scaled_away():
    ranking = ranked(answered(("B", {"B": 0.06, "A": 0.02, "The": 0.6, "I": 0.2})))
    assert ranking.probabilities["it_support"] == pytest.approx(0.75, abs=0.01)
    assert sum(ranking.probabilities.values()) == pytest.approx(1)


def test_every_spelling_of_a_letter_counts_for_it():
    ranking = ranked(answered(("B", {"B": 0.3, " B": 0.3, "b": 0.1, "A": 0.3})))
    assert ranking.probabilities["it_support"] == pytest.approx(0.7, abs=0.01)


def test_the_first_token_that_is_an_option_decides():
    ranking = ranked(answered((" ", {" ": 0.9}), ("C", {"C": 0.8, "A": 0.2})))
    assert ranking.probabilities["customer_service"] == pytest.approx(0.8, abs=0.01)


def test_without_log_probabilities_the_choice_counts_as_unmeasured():
    ranking = ranked("B", confidence=None)
    assert ranking.probabilities["it_support"] == UNMEASURED
    assert ranking.probabilities["finance"] == ranking.probabilities["customer_service"] == pytest.approx(0.25)


@pytest.mark.parametrize("logprob", [None, "x", math.nan, math.inf])
def test_garbled_log_probabilities_never_become_certainty(logprob):
    message = AIMessage("B", response_metadata={"logprobs": {"content": [{"token": "B", "logprob": logprob}]}})
    ranking = ranked(message)
    assert max(ranking.probabilities.values()) < 0.6
    assert sum(ranking.probabilities.values()) == pytest.approx(1)


def test_it_cannot_tell_novelty_and_says_so():
    ranking = ranked("B")
    assert (ranking.strangeness, ranking.parts, ranking.continued) == (None, (), False)


@pytest.mark.parametrize("reply", ["", "Finance, I think", "Z", "Because"])
def test_an_answer_that_is_no_option_is_garbled(reply):
    with pytest.raises(BackendGarbled, match="scripted did not choose one of the domains"):
        ranked(reply, confidence=None)


def test_a_server_that_is_down_is_told_by_name():
    with pytest.raises(BackendDown, match=r"^scripted "):
        ranked(ConnectionRefusedError("10.0.0.7 refused"))


def test_vllm_is_told_the_choice_beside_its_own_fields():
    model = Recording(kind="moslm-vllm", replies=("A",), extra_body={"top_k": 1})
    ChatClassifier(model, GROUPS).rank([Turn("user", "x")])
    assert model._bound["extra_body"] == {"top_k": 1, "structured_outputs": {"choice": ["A", "B", "C"]}}
    assert model._bound["logprobs"] is True


def test_the_embedded_engine_is_told_the_choice_as_a_grammar():
    model = Recording(kind="moslm-embedded", replies=("A",))
    ChatClassifier(model, GROUPS).rank([Turn("user", "x")])
    assert model._bound["grammar"] == 'root ::= "A" | "B" | "C"'


def test_other_models_are_asked_in_words_alone():
    model = Recording(replies=("A",))
    ChatClassifier(model, GROUPS).rank([Turn("user", "x")])
    assert model._bound == {}


def test_the_model_sees_the_options_and_the_conversation():
    model = ScriptedChatModel(replies=("A",))
    turns = [Turn("user", "how much budget is left"), Turn("assistant", "4,000"), Turn("user", "and for Q2?")]
    ChatClassifier(model, GROUPS).rank(turns)
    system, human = (message.text for message in model.calls[0])
    assert "B: IT support - Requests of this kind." in system
    assert human.index("how much budget is left") < human.index("and for Q2?")


def test_a_megabyte_is_shortened_before_it_is_sent():
    model = ScriptedChatModel(replies=("A",))
    ChatClassifier(model, GROUPS).rank([Turn("user", "x" * 1_000_000)])
    assert len(model.calls[0][1].text) < 5000


def test_no_turn_at_all_is_the_callers_mistake():
    with pytest.raises(RequestError):
        ChatClassifier(ScriptedChatModel(), GROUPS).rank([])


def test_more_domains_than_letters_are_refused():
    with pytest.raises(ConfigError, match="at most 26 domains"):
        ChatClassifier(ScriptedChatModel(), [Group(f"d{n}", "D") for n in range(27)])


def test_settings_choose_it_and_it_has_no_calibration():
    settings = ClassifierSettings.model_validate({"kind": "chat", "model": {"kind": "scripted"}})
    classifier, calibration = build_classifier(settings, GROUPS, ScriptedChatModel(replies=("C",)))
    assert classifier.name == "chat/scripted"
    assert calibration == Yardstick()


def test_settings_that_choose_it_need_a_model():
    settings = ClassifierSettings.model_validate({"kind": "chat", "model": {"kind": "scripted"}})
    with pytest.raises(ConfigError, match=r"classifier\.model: no chat model"):
        build_classifier(settings, GROUPS, None)


@pytest.mark.model
def test_the_embedded_model_answers_with_measured_probabilities():
    model = build_chat_model(EmbeddedModel(kind="embedded"), deadline_ms=60_000, allow_hosts=[])
    classifier = ChatClassifier(model, list(load_domains(Config()).values()))
    first = classifier.rank([Turn("user", "My laptop cannot reach the VPN")])
    again = classifier.rank([Turn("user", "My laptop cannot reach the VPN")])
    assert sum(first.probabilities.values()) == pytest.approx(1)
    assert first.probabilities == pytest.approx(again.probabilities, abs=0.02)
    assert max(first.probabilities.values()) != UNMEASURED
