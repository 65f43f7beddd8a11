"""LangChain's own standard suites, run against the whole graph behind a chat model.

The domain models are doubles: what is judged is the way through the graph, not how clever a model is.

Skipped, and why: model override (the name in traces is no choice of models), JSON mode (there are tools for structured
output), images, audio and PDF (the graph answers text), Anthropic's content blocks, the timing test (it records HTTP,
and nothing is sent here), initialisation from the environment (there is no key), serialisation (a graph is none).
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests

from moslm import Config, ScriptedChatModel, create_moslm
from moslm.integrations.chat_model import ChatMoSLM

OWN = {"search_handbook"}
ANY = {"integer": 3, "number": 3.5, "boolean": True, "array": [], "object": {}}


class Obliging(ScriptedChatModel):
    """Calls the caller's last tool with the arguments its schema asks for; answers in words once it has results."""

    def _take(self, messages: list[BaseMessage], kwargs: dict[str, Any]) -> Any:
        super()._take(messages, kwargs)
        tools = [each["function"] for each in kwargs.get("tools") or [] if each["function"]["name"] not in OWN]
        choice = kwargs.get("tool_choice")
        named = [each for each in tools if each["name"] == choice]
        if not tools or (messages[-1].type == "tool" and choice is None):
            return "Hello there, happy to help you."
        return _call((named or tools)[-1], messages[-1].text)


def _call(function: dict[str, Any], asked: str) -> AIMessage:
    quoted = re.search(r"'([^']+)'", asked)
    text = quoted.group(1) if quoted else asked
    schema = function.get("parameters", {})
    wanted = {name: schema["properties"][name] for name in schema.get("required", [])}
    args = {name: ANY.get(each.get("type", "string"), text) for name, each in wanted.items()}
    return AIMessage("", tool_calls=[{"name": function["name"], "args": args, "id": "call-1"}])


class ThreeDomains:
    """A graph whose three domains are obliging, behind the chat model."""

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatMoSLM

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"graph": self.graph}

    @pytest.fixture(autouse=True)
    def _graph(self, chosen: Any, tmp_path_factory: Any) -> None:
        if not hasattr(type(self), "graph"):
            models = {name: Obliging() for name in ("finance", "it_support", "customer_service")}
            config = Config(audit_file=tmp_path_factory.mktemp("suite") / "audit.sqlite")
            type(self).graph = create_moslm(config, models=models, classifier=chosen()).compile(name="moslm")


class TestUnit(ThreeDomains, ChatModelUnitTests):
    pass


class TestIntegration(ThreeDomains, ChatModelIntegrationTests):
    pass
