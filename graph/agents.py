"""From a domain to the agent that answers it: its model, its tools or handbook, its prices and its second opinions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from langgraph.prebuilt import ToolNode

from moslm.budgets.ledger import Ledger
from moslm.budgets.prices import PriceTable
from moslm.config import Config, ModelSettings
from moslm.domains import Domain
from moslm.errors import ConfigError, MissingExtraError
from moslm.escalation.opinions import SecondOpinion, own_word, second_answer
from moslm.escalation.signals import SignalFunction
from moslm.governance.access.permissions import Permissions
from moslm.graph.confidence import Trust, lookouts, revision_of, trust, value_of_asking
from moslm.graph.leaving import Guard, check_domain, door_for
from moslm.graph.spending import costs, price_of, till_of
from moslm.models.chat import build_chat_model
from moslm.models.paying import PriceOf, Till
from moslm.nodes.callers import Offer
from moslm.nodes.domain_agent import DomainAgent
from moslm.privacy.egress import check_base_url
from moslm.tools import Toolbox, build_toolbox, how_to_call, load_mcp_tools, shared_company

SILENT = ["nostream"]
"""LangGraph's tag for models whose tokens no stream shows."""


class Workshop:
    """What every domain's agent is made with."""

    def __init__(
        self,
        config: Config,
        file: str | None,
        prices: PriceTable,
        tools: Sequence[BaseTool],
        mcp: Mapping[str, Sequence[BaseTool]],
        signals: Mapping[str, SignalFunction],
        going_up: Callable[[int, int], float],
        ledger: Ledger,
        permissions: Permissions,
    ) -> None:
        self.config, self.file, self.prices, self.ledger = config, file, prices, ledger
        self.permissions = permissions
        self.signals, self.going_up = signals, going_up
        company = shared_company(config, file=file)
        if config.database_url or config.database_url_env:
            company()  # an address that cannot stand is told now, and not when the first model calls a tool
        self._options: Any = {"tools": tools, "mcp": mcp, "company": company, "file": file}

    def till(self, name: str, given: BaseChatModel | None, settings: ModelSettings) -> Till | None:
        """Return where a small model's calls are paid; None for one whose calls are free."""
        if not costs(self.config, self.prices, name, given, settings):
            return None
        return till_of(self.ledger, name, given, settings, self.prices)

    def toolbox(self, domain: Domain, calls_tools: bool) -> Toolbox:
        """Return the tools of a domain, or its handbook alone for a model that calls none."""
        return build_toolbox(domain, self.config, calls_tools=calls_tools, **self._options)


def mcp_tools(config: Config, file: str | None) -> Mapping[str, Sequence[BaseTool]]:
    """Return the tools of the configured MCP servers; an address that is not allowed is refused."""
    for name, server in config.mcp.items():
        if server.url:
            check_base_url(server.url, config.allow_hosts, file=file, key=f"mcp.{name}.url")
    return load_mcp_tools(config.mcp, file=file)


def domain_agent(domain: Domain, given: BaseChatModel | None, workshop: Workshop) -> tuple[DomainAgent, Trust]:
    """Make a domain's agent, and say how its drafts are trusted.

    Args:
        domain: The domain.
        given: The chat model passed in code, in the place of the configured one.
        workshop: What every domain's agent is made with.
    """
    settings = domain.settings
    own = workshop.config.domains.get(domain.name)
    inherited = settings.model is workshop.config.defaults.model and not (own and own.model)
    key = "defaults.model" if inherited else f"domains.{domain.name}.model"
    model = given or chat_model(settings.model, settings.deadline_ms, workshop.config, workshop.file, key)
    name = model_name(model)
    profile: dict[str, Any] = dict(model.profile or {})
    able = bool(profile.get("tool_calling", given is not None))
    calls_tools = settings.use_tools == "always" or (settings.use_tools == "auto" and able)
    toolbox = workshop.toolbox(domain, calls_tools)
    stated = "" if given is not None else getattr(settings.model, "revision", "")
    revision = revision_of(model, stated)
    trusted = trust(domain, model, name, revision, workshop.signals, workshop.config)
    price = price_of(workshop.prices, name, given, settings.model)
    till = workshop.till(name, given, settings.model)
    check_domain(workshop.config, workshop.file, domain, model, name)
    leaves, guarded = door_for(model, name)
    # bound, so that no answer can be longer than what is set aside for it
    most = {"max_tokens": till.max_tokens} if till and given is not None else {}
    # what comes back from outside holds placeholders until it is whole
    optimistic = workshop.config.optimistic_streaming and leaves is None
    agent = DomainAgent(
        name=domain.name,
        model=_bound(model, toolbox.tools, _config(domain.name, optimistic), most, guarded),
        leaves=leaves,
        permissions=workshop.permissions,
        model_name=name,
        prompt=domain.prompt,
        tools=ToolNode(list(toolbox.tools), handle_tool_errors=toolbox.on_error) if toolbox.tools else None,
        effects=dict(toolbox.effects),
        how_to_call=partial(_how_to_call, {tool.name: tool for tool in toolbox.tools}),
        search=_search(toolbox, settings.passages) if not calls_tools and settings.passages else None,
        price=price,
        till=till,
        tool_bytes=sum(len(json.dumps(convert_to_openai_tool(tool)).encode()) for tool in toolbox.tools),
        deadline_s=settings.deadline_ms / 1000,
        max_rounds=settings.max_tool_rounds,
        max_input_tokens=int(profile.get("max_input_tokens") or 8192),
        second_opinions=tuple(_second_opinions(domain, model, name, price, till, workshop)),
        worth=value_of_asking(trusted, workshop.signals, workshop.going_up, settings.second_opinion.usd_per_second),
        revision=revision,
        replicas=getattr(model, "replicas", tuple),
        offer=offering(model, toolbox.tools, _config(domain.name, optimistic), guarded, **most) if able else None,
        optimistic=optimistic,
        lookout=lookouts(trusted, workshop.signals, workshop.config.early_escalation) if _halts(model) else None,
        required=trusted.required,
        most_tokens=_most_tokens(model),
    )
    return agent, trusted


def _second_opinions(
    domain: Domain, model: BaseChatModel, name: str, price: PriceOf, till: Till | None, workshop: Workshop
) -> Iterator[SecondOpinion]:
    """Yield what may be asked about a domain's drafts, in the order the settings give."""
    settings = domain.settings.second_opinion
    for signal in settings.ask:
        if signal == "self_check":
            opinion, paid, door = own_word(model, name, price), till, door_for(model, name)
        elif settings.model is None:
            opinion, paid = second_answer(model, name, price, settings.temperature), till
            door = door_for(model, name)
        else:
            key = f"domains.{domain.name}.second_opinion.model"
            other = chat_model(settings.model, domain.settings.deadline_ms, workshop.config, workshop.file, key)
            known_as = model_name(other)
            opinion = second_answer(other, known_as, price_of(workshop.prices, known_as, None, settings.model), None)
            paid, door = workshop.till(known_as, None, settings.model), door_for(other, known_as)
            check_domain(workshop.config, workshop.file, domain, other, known_as)
        leaves, guarded = door
        asked = guarded(opinion.runnable.with_config(tags=SILENT, run_name=f"{signal} of {domain.name}"))
        yield replace(opinion, runnable=asked, till=paid, leaves=leaves)


def _how_to_call(tools: Mapping[str, BaseTool], name: str) -> str:
    return how_to_call(tools[name]) if name in tools else f"There is no such tool; there are {', '.join(tools)}."


def chat_model(
    settings: ModelSettings, deadline_ms: float, config: Config, file: str | None, key: str
) -> BaseChatModel:
    """Build a chat model; a mistake in its settings is told with the file and key they stand under."""
    try:
        return build_chat_model(settings, deadline_ms=deadline_ms, allow_hosts=config.allow_hosts)
    except MissingExtraError:
        raise
    except ConfigError as error:
        raise error.at(file, key) from None


def _config(domain: str, optimistic: bool) -> RunnableConfig:
    """Return how a domain's model is called: silently, unless drafts may be shown before they are accepted."""
    return {"run_name": f"{domain} model", "tags": [] if optimistic else SILENT}


def _bound(
    model: BaseChatModel,
    tools: Sequence[BaseTool],
    config: RunnableConfig,
    arguments: Mapping[str, Any],
    guarded: Guard,
) -> Runnable[Any, Any]:
    bound: Runnable[Any, Any] = model.bind_tools(list(tools)) if tools else model
    return guarded((bound.bind(**arguments) if arguments else bound).with_config(config))


def offering(
    model: BaseChatModel, own: Sequence[BaseTool], config: RunnableConfig, guarded: Guard, **arguments: Any
) -> Offer | None:
    """Return what binds a caller's tools to a model beside its own; None where the model can bind none.

    Where a call is demanded the caller's tools stand alone, else the domain's own would be called again and again.
    """
    if type(model).bind_tools is BaseChatModel.bind_tools:
        return None

    def offer(tools: Sequence[dict[str, Any]], choice: str | None) -> Runnable[Any, Any]:
        demanded = choice not in (None, "auto")
        bound = model.bind_tools(list(tools), tool_choice=choice) if demanded else model.bind_tools([*own, *tools])
        return guarded(bound.bind(**arguments).with_config(config))

    return offer


def _halts(model: BaseChatModel) -> bool:
    """Tell whether a model can be asked to end an answer: ours can; of others nobody knows what streaming changes."""
    return bool(getattr(model, "halts", False))


def _most_tokens(model: BaseChatModel) -> int | None:
    """Return the longest answer a model gives, in tokens, where it says so."""
    found = getattr(model, "max_tokens", None)
    return found if isinstance(found, int) and found > 0 else None


def _search(toolbox: Toolbox, limit: int) -> Runnable[Any, Any]:
    return RunnableLambda(partial(_found, toolbox, limit), name="search_handbook")


def _found(toolbox: Toolbox, limit: int, text: str) -> Any:
    return toolbox.handbook.search(text, limit)


def model_name(model: BaseChatModel) -> str:
    """Return the name under which a chat model is recorded and priced."""
    for attribute in ("model_name", "model"):
        found = getattr(model, attribute, None)
        if isinstance(found, str) and found:
            return found
    return model._llm_type
