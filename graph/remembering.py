"""From settings to what remembers answers: what they are partitioned by, where they lie, and who checks them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from importlib.metadata import version

from langchain_core.utils.function_calling import convert_to_openai_tool
from langgraph.store.base import BaseStore

from moslm.config import Config, home
from moslm.domains import Domain
from moslm.graph.confidence import Trust
from moslm.graph.keeping import sealed_store
from moslm.graph.redis_address import redis_address
from moslm.models.calls import drive
from moslm.models.encoders import load_encoder
from moslm.nodes.domain_agent import DomainAgent
from moslm.nodes.drafting import drafted
from moslm.nodes.escalate import LargeModel
from moslm.privacy.at_rest.seal import Seal
from moslm.privacy.recognisers import recogniser
from moslm.recall.checking import AnswerAgain, Checker
from moslm.recall.keys import version_of
from moslm.recall.memory import Memory, Policy
from moslm.recall.redis import RedisRecall
from moslm.recall.sqlite import RecallFile
from moslm.recall.stores import OwnStore
from moslm.state import AnswerInput, Request, Task

ENCODER = "wordllama-l2-supercat-256"


def build_memory(
    config: Config,
    domains: Mapping[str, Domain],
    agents: Mapping[str, DomainAgent],
    trusted: Mapping[str, Trust],
    large: LargeModel | None,
    store: BaseStore | None,
    extensions: tuple[str, ...] = (),
    seal: Seal | None = None,
    file: str | None = None,
) -> Memory:
    """Return the memory; nothing is opened before it is used.

    Args:
        config: The settings.
        domains: Every domain that is served.
        agents: Who answers them.
        trusted: How their drafts are trusted.
        large: The large model.
        store: LangGraph store for a graph that runs without one.
        extensions: Names of the classifier, signals and triggers that were passed in code.
        seal: Encrypts answers where they are kept; None keeps them as they are.
        file: File the settings stand in, for messages.

    Raises:
        ConfigError: The address of a Redis is missing, or is none that may carry them.
        MissingExtraError: Redis' client is not installed.
    """
    encoder = load_encoder(ENCODER)
    own = recall_store(config, file, seal)
    policy = Policy(
        version=_version(config, domains, agents, trusted, large, (encoder.name, *extensions)),
        settings=config.recall,
        never=frozenset(name for name, each in domains.items() if not each.settings.remember),
        personal=_holds_personal_data(config),
    )
    checker = Checker(answering_again(agents), own.check) if config.recall.sample else None
    return Memory(policy, encoder, own, checker, store, sealed_store(seal))


def _holds_personal_data(config: Config) -> Callable[[str], bool]:
    """Return what tells whether a text is personal: by form alone, because a remembered answer has to be quick."""
    finds = recogniser(config.privacy.model_copy(update={"engine": "patterns"})).find
    return lambda text: bool(finds(text))


def recall_store(config: Config, file: str | None, seal: Seal | None = None) -> OwnStore:
    """Return where remembered answers and their counts lie; see `build_memory`."""
    recall = config.recall
    if url := redis_address(recall, "recall", config.allow_hosts, file):
        return RedisRecall(url, prefix=recall.redis_prefix, most=recall.most_entries, sealing=seal)
    return RecallFile(config.recall.file or home() / "recall.sqlite", config.recall.most_entries, sealing=seal)


def answering_again(agents: Mapping[str, DomainAgent]) -> AnswerAgain:
    """Return what asks a domain's small model once more: where that is free, writes nothing and shows nothing."""
    free = {name: _quiet(agent) for name, agent in agents.items() if agent.till is None and agent.leaves is None}
    return partial(_again, free)


def _again(agents: Mapping[str, DomainAgent], request: Request, domain: str) -> str | None:
    if domain not in agents:
        return None
    # a user's writes wait for a person, and here nobody is asked
    asked = AnswerInput(task=Task(part="0", domain=domain, text=request["text"]), request={**request, "role": "user"})
    draft = drive(drafted(agents[domain], asked), {})
    unusable = draft.get("error") or draft.get("pending") or draft.get("calls") or draft.get("stopped")
    return None if unusable else draft["text"]


def _quiet(agent: DomainAgent) -> DomainAgent:
    return replace(agent, second_opinions=(), lookout=None, optimistic=False)


def _version(
    config: Config,
    domains: Mapping[str, Domain],
    agents: Mapping[str, DomainAgent],
    trusted: Mapping[str, Trust],
    large: LargeModel | None,
    names: tuple[str, ...],
) -> str:
    """Return the hash of all that could change an answer: settings, models, calibrations, tools, prompts, handbooks."""
    return version_of(
        version("moslm"),
        config.sha256,
        {name: [agent.model_name, agent.revision(), _tools(agent)] for name, agent in agents.items()},
        {name: each.version for name, each in trusted.items()},
        large and large.name,
        {name: [each.prompt, [page.text for page in each.knowledge]] for name, each in domains.items()},
        list(names),
    )


def _tools(agent: DomainAgent) -> list[object]:
    found = getattr(agent.tools, "tools_by_name", {})
    return [[name, agent.effects.get(name), convert_to_openai_tool(tool)] for name, tool in sorted(found.items())]
