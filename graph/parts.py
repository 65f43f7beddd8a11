"""From settings to live parts: the only place that constructs.

Everything a step needs is made here, once, before the graph is wired; what does not fit together is refused here, in
one line, and not when the first request meets it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable, RunnableLambda
from langchain_core.tools import BaseTool
from langgraph.prebuilt import ToolNode
from langgraph.store.base import BaseStore

from moslm.budgets.caps import DailyCap
from moslm.budgets.prices import PriceTable
from moslm.budgets.throttle import Throttle
from moslm.config import Config, HostedModel, LargeModelSettings, ModelSettings, ScriptedModel, deadline_of, home, load
from moslm.decision import Check, Classification
from moslm.domains import Domain, load_domains
from moslm.errors import ConfigError, MissingExtraError
from moslm.escalation.reading import Reader
from moslm.escalation.signals import SIGNALS, SignalFunction
from moslm.escalation.triggers import DRAFT_TRIGGERS, REQUEST_TRIGGERS, Evidence, Policy, Trigger
from moslm.escalation.verdicts import judge_request
from moslm.governance.audit import AuditLog
from moslm.models.chat import build_chat_model
from moslm.models.classifiers import Classifier, build_classifier
from moslm.nodes.answer import DomainAgent
from moslm.nodes.check import PolicyFor
from moslm.nodes.escalate import LargeModel
from moslm.nodes.recall import Memory
from moslm.nodes.respond import AuditTrail, Terms
from moslm.privacy.egress import check_base_url
from moslm.state import Turn
from moslm.tools import Toolbox, build_toolbox, how_to_call, load_mcp_tools, shared_company

_SILENT = ["nostream"]
"""LangGraph's tag for models whose tokens no stream shows."""
_LONGEST_ANSWER = 1024
"""Tokens a large model may answer with where neither it nor its settings say."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything the steps are made from."""

    config: Config
    domains: Mapping[str, Domain]
    memory: Memory
    reader: Reader
    policy: PolicyFor
    request_triggers: tuple[Trigger, ...]
    draft_triggers: tuple[Trigger, ...]
    agents: dict[str, DomainAgent]
    signals: Mapping[str, SignalFunction]
    deciding_signal: str
    thresholds: Mapping[str, float]
    titles: Mapping[str, str]
    large_model: LargeModel | None
    audit: AuditTrail
    terms: Terms

    def judge(self, turns: Sequence[Turn], multi_domain: str | None = None) -> tuple[Classification, Check]:
        """Read a conversation and judge the request, without asking any model for an answer."""
        found = self.reader.read(turns)
        policy = self.policy(multi_domain or self.config.multi_domain)
        return found, judge_request(Evidence(found, policy), self.request_triggers)


@dataclass(frozen=True, slots=True)
class Overrides:
    """What a caller passes in code, beside or in the place of what the settings name.

    The fields mean what the arguments of `moslm.graph.builder.create_moslm` mean.
    """

    models: Mapping[str, BaseChatModel] = field(default_factory=dict)
    large_model: BaseChatModel | None = None
    classifier: Classifier | None = None
    tools: Sequence[BaseTool] = ()
    signals: Mapping[str, SignalFunction] = field(default_factory=dict)
    triggers: Sequence[Trigger] = ()
    store: BaseStore | None = None


def build_parts(config: str | Path | Config | None = None, given: Overrides | None = None) -> Parts:
    """Make every part of the graph from its settings and from what was passed in code.

    Raises:
        ConfigError: A setting cannot stand, or names what does not exist.
    """
    given = given or Overrides()
    settings, file = (config, None) if isinstance(config, Config) else (load(config), str(config) if config else None)
    domains = load_domains(settings, file=file)
    served = {name: domain for name, domain in domains.items() if not domain.large_model_only}
    _only_known(given.models, served, "models")
    prices = PriceTable(settings.prices)
    signals = {**SIGNALS, **given.signals}
    _only_known({settings.defaults.confidence: None}, signals, "defaults.confidence", file)
    workshop = _Workshop(settings, file, prices, given.tools, _mcp_tools(settings, file))
    agents = {name: _agent(domain, given.models.get(name), workshop) for name, domain in served.items()}
    large = _large(settings, file, given.large_model, prices)
    thresholds = {name: domain.settings.threshold for name, domain in served.items()}
    return Parts(
        config=settings,
        domains=domains,
        memory=_memory(settings, domains, agents, large, given.store),
        reader=_reader(settings, file, domains, given.classifier),
        policy=_policy(settings, served, domains, large),
        request_triggers=(*REQUEST_TRIGGERS, *given.triggers),
        draft_triggers=(*DRAFT_TRIGGERS, *given.triggers),
        agents=agents,
        signals=signals,
        deciding_signal=settings.defaults.confidence,
        thresholds=thresholds,
        titles={name: domain.title for name, domain in served.items()},
        large_model=large,
        audit=AuditLog(settings.audit_file or home() / "audit.sqlite"),
        terms=_terms(settings, served, thresholds, prices),
    )


class _Workshop:
    """What every domain's agent is made with."""

    def __init__(
        self,
        config: Config,
        file: str | None,
        prices: PriceTable,
        tools: Sequence[BaseTool],
        mcp: Mapping[str, Sequence[BaseTool]],
    ) -> None:
        self.config, self.file, self.prices = config, file, prices
        company = shared_company(config, file=file)
        if config.database_url or config.database_url_env:
            company()  # an address that cannot stand is told now, and not when the first model calls a tool
        self._options: Any = {"tools": tools, "mcp": mcp, "company": company, "file": file}

    def toolbox(self, domain: Domain, calls_tools: bool) -> Toolbox:
        return build_toolbox(domain, self.config, calls_tools=calls_tools, **self._options)


def _mcp_tools(config: Config, file: str | None) -> Mapping[str, Sequence[BaseTool]]:
    for name, server in config.mcp.items():
        if server.url:
            check_base_url(server.url, config.allow_hosts, file=file, key=f"mcp.{name}.url")
    return load_mcp_tools(config.mcp, file=file)


def _agent(domain: Domain, given: BaseChatModel | None, workshop: _Workshop) -> DomainAgent:
    settings = domain.settings
    own = workshop.config.domains.get(domain.name)
    inherited = settings.model is workshop.config.defaults.model and not (own and own.model)
    key = "defaults.model" if inherited else f"domains.{domain.name}.model"
    model = given or _chat_model(settings.model, settings.deadline_ms, workshop.config, workshop.file, key)
    name = model_name(model)
    profile: dict[str, Any] = dict(model.profile or {})
    able = bool(profile.get("tool_calling", given is not None))
    calls_tools = settings.use_tools == "always" or (settings.use_tools == "auto" and able)
    toolbox = workshop.toolbox(domain, calls_tools)
    return DomainAgent(
        name=domain.name,
        model=_silent(model, toolbox.tools, f"{domain.name} model"),
        model_name=name,
        prompt=domain.prompt,
        tools=ToolNode(list(toolbox.tools), handle_tool_errors=toolbox.on_error) if toolbox.tools else None,
        effects=dict(toolbox.effects),
        how_to_call=partial(_how_to_call, {tool.name: tool for tool in toolbox.tools}),
        search=_search(toolbox, settings.passages) if not calls_tools and settings.passages else None,
        price=_price(workshop.prices, name, given, settings.model),
        deadline_s=settings.deadline_ms / 1000,
        max_rounds=settings.max_tool_rounds,
        max_input_tokens=int(profile.get("max_input_tokens") or 8192),
    )


def _how_to_call(tools: Mapping[str, BaseTool], name: str) -> str:
    return how_to_call(tools[name]) if name in tools else f"There is no such tool; there are {', '.join(tools)}."


def _price(
    prices: PriceTable, name: str, given: BaseChatModel | None, settings: ModelSettings
) -> Callable[[int, int], float]:
    """Return what calls of this model cost; a hosted model without a price is refused now, not when the bill comes."""
    owned = None if given is not None else not isinstance(settings, HostedModel)
    prices.of(name, owned=owned)
    return partial(prices.cost_usd, name, owned=owned)


def _chat_model(
    settings: ModelSettings, deadline_ms: float, config: Config, file: str | None, key: str
) -> BaseChatModel:
    try:
        return build_chat_model(settings, deadline_ms=deadline_ms, allow_hosts=config.allow_hosts)
    except MissingExtraError:
        raise
    except ConfigError as error:
        raise error.at(file, key) from None


def _silent(model: BaseChatModel, tools: Sequence[BaseTool], name: str) -> Runnable[Any, Any]:
    """Bind the tools and keep the model's tokens from every stream: nothing is shown before it is accepted."""
    bound: Runnable[Any, Any] = model.bind_tools(list(tools)) if tools else model
    return bound.with_config(tags=_SILENT, run_name=name)


def _search(toolbox: Toolbox, limit: int) -> Runnable[Any, Any]:
    return RunnableLambda(partial(_found, toolbox, limit), name="search_handbook")


def _found(toolbox: Toolbox, limit: int, text: str) -> Any:
    return toolbox.handbook.search(text, limit)


def _large(config: Config, file: str | None, given: BaseChatModel | None, prices: PriceTable) -> LargeModel | None:
    settings = config.large_model
    if settings is None and given is None:
        return None
    # a model passed in code without a section is guarded by the section's defaults
    settings = settings or LargeModelSettings(model=ScriptedModel(kind="scripted"))
    deadline_ms = deadline_of(settings.latency_ms, settings.deadline_ms)
    model = given or _chat_model(settings.model, deadline_ms, config, file, "large_model.model")
    name = settings.model.name if given is None and isinstance(settings.model, HostedModel) else model_name(model)
    cap = DailyCap(max_usd=settings.max_usd_per_day, max_calls=settings.max_calls_per_day)
    throttle = Throttle(per_minute=settings.requests_per_minute, max_wait_ms=settings.max_wait_ms)
    most = _most_tokens(settings.model, given)
    # bound, so that no answer can be longer than what was set aside for it
    bounded = model.bind(max_tokens=most) if given is not None else model
    return LargeModel(
        model=bounded.with_config(tags=_SILENT, run_name="large model"),
        name=name,
        system_prompt=settings.system_prompt,
        deadline_s=deadline_ms / 1000,
        max_tokens=most,
        price=_price(prices, name, given, settings.model),
        reserve=cap.reserve,
        throttle=RunnableLambda(lambda _: throttle.acquire(), afunc=lambda _: throttle.aacquire(), name="throttle"),
    )


def _most_tokens(settings: ModelSettings, given: BaseChatModel | None) -> int:
    """Return the longest answer the large model may give: a passed model's own limit, or that of its settings."""
    own = getattr(given, "max_tokens", None)
    if isinstance(own, int) and own > 0:
        return own
    return getattr(settings, "max_tokens", _LONGEST_ANSWER)


def model_name(model: BaseChatModel) -> str:
    """Return the name under which a chat model is recorded and priced."""
    for attribute in ("model_name", "model"):
        found = getattr(model, attribute, None)
        if isinstance(found, str) and found:
            return found
    return model._llm_type


def _reader(config: Config, file: str | None, domains: Mapping[str, Domain], given: Classifier | None) -> Reader:
    if given is not None:
        return Reader(given, (), config.triggers.part)
    chat = config.classifier.model
    model = _chat_model(chat, 5000, config, file, "classifier.model") if chat else None
    classifier, calibration = build_classifier(config.classifier, list(domains.values()), model)
    if config.classifier.kind == "encoder":
        classifier.rank([Turn("user", "warm up")])  # the encoder loads now, and not while the first user waits
    return Reader(classifier, calibration, config.triggers.part)


def _policy(
    config: Config, served: Mapping[str, Domain], domains: Mapping[str, Domain], large: LargeModel | None
) -> PolicyFor:
    review = bool(config.large_model and config.large_model.review and large)

    def policy(multi_domain: str) -> Policy:
        return Policy(
            served=frozenset(served),
            large_only=frozenset(domains) - frozenset(served),
            novelty_alpha=config.triggers.novelty_alpha,
            reasoning=config.triggers.reasoning,
            multi_domain=multi_domain,
            review_escalations=review,
        )

    return policy


def _memory(
    config: Config,
    domains: Mapping[str, Domain],
    agents: Mapping[str, DomainAgent],
    large: LargeModel | None,
    store: BaseStore | None,
) -> Memory:
    """Partition answers by all that could change them: settings, models, prompts and handbooks."""
    models = {name: agent.model_name for name, agent in sorted(agents.items())}
    words = {
        name: (domain.prompt, [page.text for page in domain.knowledge]) for name, domain in sorted(domains.items())
    }
    partition = hashlib.sha256(repr((config.sha256, models, large and large.name, words)).encode()).hexdigest()
    return Memory(partition, config.recall.ttl_minutes * 60 if config.recall.enabled else None, store)


def _terms(config: Config, served: Mapping[str, Domain], thresholds: Mapping[str, float], prices: PriceTable) -> Terms:
    latency = {name: domain.settings.latency_ms for name, domain in served.items()}
    large = config.large_model.latency_ms if config.large_model else 3000.0
    triggers = config.triggers
    return Terms(
        config_sha256=config.sha256,
        thresholds={"novelty_alpha": triggers.novelty_alpha, "reasoning": triggers.reasoning, "part": triggers.part},
        confidence=thresholds,
        default_threshold=config.defaults.threshold,
        latency_ms={**latency, "large_model": large},
        baseline_model=config.baseline_model,
        baseline=partial(prices.cost_usd, config.baseline_model),
    )


def _only_known(given: Mapping[str, Any], known: Mapping[str, Any], key: str, file: str | None = None) -> None:
    for name in given:
        if name not in known:
            close = get_close_matches(name, list(known), n=1)
            mend = f"did you mean {close[0]}?" if close else f"known are {', '.join(sorted(known))}"
            raise ConfigError("names nothing that exists", file=file, key=key, value=name, mend=mend)
