from __future__ import annotations

import builtins
import subprocess
import sys

import pytest

from moslm.config import EmbeddedModel, HostedModel, ScriptedModel
from moslm.errors import ConfigError, MissingExtraError
from moslm.models.chat import build_chat_model
from moslm.models.chat.scripted import ScriptedChatModel


def _hosted(name="openai:gpt-4o", **more):
    return build_chat_model(HostedModel(kind="hosted", name=name, **more), deadline_ms=1500, allow_hosts=["loopback"])


@pytest.fixture
def key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")


@pytest.mark.usefixtures("key")
def test_a_hosted_model_tries_once_until_its_deadline_and_asks_for_log_probabilities():
    model = _hosted(max_tokens=99, temperature=0.2)
    assert (model.max_retries, model.request_timeout, model.max_tokens, model.temperature) == (0, 1.5, 99, 0.2)
    assert (model.logprobs, model.stream_usage) == (True, True)


@pytest.mark.usefixtures("key")
@pytest.mark.parametrize("name", ["openai:o3-mini", "openai:gpt-5", "openai:gpt-5-mini"])
def test_models_that_refuse_log_probabilities_are_not_asked_for_them(name):
    assert _hosted(name).logprobs is None


@pytest.mark.usefixtures("key")
def test_options_overrule_and_their_addresses_must_be_allowed():
    assert _hosted(options={"logprobs": False}).logprobs is False
    assert _hosted(options={"base_url": "http://127.0.0.1:1/v1"}).openai_api_base == "http://127.0.0.1:1/v1"
    with pytest.raises(ConfigError, match=r"options\.base_url"):
        _hosted(options={"base_url": "http://169.254.169.254/v1"})


@pytest.mark.usefixtures("key")
def test_what_langchain_knows_of_a_model_holds_unless_the_settings_say_otherwise():
    assert _hosted().profile["max_input_tokens"] > 100_000
    assert _hosted(profile={"max_input_tokens": 5000, "tool_calling": False}).profile["max_input_tokens"] == 5000


@pytest.mark.parametrize("name", ["openai:gpt-4o", "nobody:model", "no provider at all"])
def test_a_model_that_cannot_be_set_up_is_one_line_with_its_name(monkeypatch, name):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(ConfigError) as refused:
        _hosted(name)
    assert str(refused.value).startswith(f"name = {name!r}: cannot be set up: ")
    assert "\n" not in str(refused.value)


def test_without_the_extra_it_is_named(monkeypatch):
    real = builtins.__import__

    def absent(name, *args, **kwargs):
        if name.startswith("langchain.chat_models"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(MissingExtraError, match=r"moslm\[hosted\]"):
        _hosted()


def test_a_scripted_model_follows_its_settings():
    settings = ScriptedModel(kind="scripted", name="double", replies=["a", "b"], confidence="none", delay_ms=1)
    model = build_chat_model(settings, deadline_ms=500, allow_hosts=[])
    assert isinstance(model, ScriptedChatModel)
    assert [model.invoke("x").text for _ in range(3)] == ["a", "b", "b"]
    assert model.invoke("x").response_metadata["logprobs"] is None
    assert (model.model_name, model.deadline_ms) == ("double", 500)
    assert model.profile["tool_calling"] is True


def test_an_embedded_model_follows_its_settings_and_loads_nothing_yet():
    settings = EmbeddedModel(kind="embedded", context=2048, parallel=3, threads=1, max_tokens=9, top_logprobs=2)
    model = build_chat_model(settings, deadline_ms=500, allow_hosts=[])
    assert (model.context, model.parallel, model.threads, model.max_tokens) == (2048, 3, 1, 9)
    assert (model.top_logprobs, model.deadline_ms, model._engine) == (2, 500, None)
    assert model.profile["tool_calling"] is False


def test_naming_the_kinds_imports_no_client():
    code = "import sys, moslm.models.chat; print([m for m in ('openai', 'xllamacpp') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
