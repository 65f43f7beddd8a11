"""From settings to live parts: the only place that constructs.

Everything a step needs is made here, once, before the graph is wired; what does not fit together is refused here, in
one line, and not when the first request meets it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.tools import BaseTool
from langgraph.store.base import BaseStore

from moslm.budgets.ledger import Ledger
from moslm.budgets.prices import PriceTable
from moslm.config import Config, HostedModel, LargeModelSettings, ScriptedModel, deadline_of, load
from moslm.decision import Check, Classification
from moslm.domains import Domain, load_domains
from moslm.errors import ConfigError
from moslm.escalation.reading import Reader
from moslm.escalation.signals import SIGNALS, SignalFunction
from moslm.escalation.triggers import DRAFT_TRIGGERS, REQUEST_TRIGGERS, Evidence, Policy, Trigger
from moslm.escalation.verdicts import judge_request
from moslm.governance.access.permissions import Permissions, permissions_of
from moslm.graph.agents import SILENT, Workshop, chat_model, domain_agent, mcp_tools, model_name, offering
from moslm.graph.confidence import CALIBRATED, Trust, announce
from moslm.graph.keeping import audit_log, build_seal
from moslm.graph.leaving import check_classifier, door_for, doors_of
from moslm.graph.questions_book import questions_book
from moslm.graph.remembering import build_memory
from moslm.graph.spending import at_cap, build_ledger, counting, throttle_of, till_of
from moslm.models.classifiers import Classifier, Yardstick, build_classifier
from moslm.models.paying import PriceOf
from moslm.models.replicas.replica import ReplicaState
from moslm.nodes.asking import Desk
from moslm.nodes.check import PolicyFor
from moslm.nodes.domain_agent import DomainAgent
from moslm.nodes.doors import DoorOf
from moslm.nodes.escalate import LargeModel
from moslm.nodes.respond import AuditTrail, Counting, Terms
from moslm.privacy.at_rest.seal import Seal
from moslm.recall.memory import Memory
from moslm.state import Turn


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
    trusted: Mapping[str, Trust]
    """How each served domain's drafts are trusted."""
    notices: tuple[str, ...]
    """What stands against trusting a domain, as it was said at the start."""
    titles: Mapping[str, str]
    large_model: LargeModel | None
    audit: AuditTrail
    terms: Terms
    desk: Desk
    ledger: Ledger
    count: Counting | None
    doors: DoorOf
    permissions: Permissions

    def replicas(self) -> dict[str, tuple[ReplicaState, ...]]:
        """Return what is known of each domain's model servers at this moment, for meters and people."""
        return {name: states for name, agent in self.agents.items() if (states := agent.replicas())}

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
    seal = build_seal(settings, file)
    domains = load_domains(settings, file=file)
    served = {name: domain for name, domain in domains.items() if not domain.large_model_only}
    _only_known(given.models, served, "models")
    prices = PriceTable(settings.prices, settings.currencies)
    signals = {**SIGNALS, **given.signals}
    _check_confidence(settings, served, signals, file)
    _check_risk(settings, served, file)
    ledger, large = _above(settings, file, given.large_model, prices, domains, seal)
    going_up: PriceOf = large.till.price if large else partial(prices.cost_usd, settings.baseline_model)
    permissions = permissions_of(settings.access)
    mcp = mcp_tools(settings, file)
    workshop = Workshop(settings, file, prices, given.tools, mcp, signals, going_up, ledger, permissions)
    made = {name: domain_agent(domain, given.models.get(name), workshop) for name, domain in served.items()}
    agents = {name: agent for name, (agent, _) in made.items()}
    trusted = {name: trusts for name, (_, trusts) in made.items()}
    thresholds = {name: trusts.threshold for name, trusts in trusted.items()}
    return Parts(
        config=settings,
        domains=domains,
        memory=build_memory(settings, domains, agents, trusted, large, given.store, _extensions(given), seal, file),
        reader=_reader(settings, file, domains, given.classifier),
        policy=_policy(settings, served, domains, large),
        request_triggers=(*REQUEST_TRIGGERS, *given.triggers),
        draft_triggers=(*DRAFT_TRIGGERS, *given.triggers),
        agents=agents,
        signals=signals,
        trusted=trusted,
        notices=announce(trusted),
        titles={name: domain.title for name, domain in served.items()},
        large_model=large,
        audit=audit_log(settings, seal),
        terms=_terms(settings, served, thresholds, prices),
        desk=Desk(questions_book(settings, file), settings.review.expires_minutes * 60, permissions),
        ledger=ledger,
        count=counting(ledger, large.name if large else None),
        doors=doors_of(settings),
        permissions=permissions,
    )


def _above(
    config: Config,
    file: str | None,
    given: BaseChatModel | None,
    prices: PriceTable,
    domains: Mapping[str, Domain],
    seal: Seal | None,
) -> tuple[Ledger, LargeModel | None]:
    """Return the ledger, and the large model that is paid through it; None where there is none."""
    settings = config.large_model
    if settings is None and given is None:
        return build_ledger(config, file, domains, None, seal), None
    # a model passed in code without a section is guarded by the section's defaults
    settings = settings or LargeModelSettings(model=ScriptedModel(kind="scripted"))
    deadline_ms = deadline_of(settings.latency_ms, settings.deadline_ms)
    model = given or chat_model(settings.model, deadline_ms, config, file, "large_model.model")
    name = settings.model.name if given is None and isinstance(settings.model, HostedModel) else model_name(model)
    ledger = build_ledger(config, file, domains, (name, settings), seal)
    till = till_of(ledger, name, given, settings.model, prices, throttle_of(ledger, name, settings))
    # bound, so that no answer can be longer than what was set aside for it
    most = {"max_tokens": till.max_tokens} if given is not None else {}
    bounded = model.bind(**most) if most else model
    leaves, guarded = door_for(model, name)
    large = LargeModel(
        model=guarded(bounded.with_config(tags=SILENT, run_name="large model")),
        leaves=leaves,
        name=name,
        system_prompt=settings.system_prompt,
        deadline_s=deadline_ms / 1000,
        till=till,
        at_cap=at_cap(config, domains),
        max_wait_s=config.budgets.max_wait_ms / 1000,
        offer=offering(model, (), {"run_name": "large model", "tags": SILENT}, guarded, **most),
    )
    return ledger, large


def _reader(config: Config, file: str | None, domains: Mapping[str, Domain], given: Classifier | None) -> Reader:
    felt_in = frozenset(_ask_when(domains))
    if given is not None:
        return _read_by(given, Yardstick(), config, felt_in)
    chat = config.classifier.model
    model = chat_model(chat, 5000, config, file, "classifier.model") if chat else None
    check_classifier(config, file, model)
    classifier, yardstick = build_classifier(config.classifier, list(domains.values()), model)
    if config.classifier.kind == "encoder":
        classifier.rank([Turn("user", "warm up")])  # the encoder loads now, and not while the first user waits
    return _read_by(classifier, yardstick, config, felt_in)


def _read_by(classifier: Classifier, yardstick: Yardstick, config: Config, felt_in: frozenset[str]) -> Reader:
    triggers = config.triggers
    limits = triggers.several_alpha, triggers.part, triggers.most_domains
    return Reader(classifier, yardstick, *limits, felt_in=felt_in)


def _ask_when(domains: Mapping[str, Domain]) -> Mapping[str, frozenset[str]]:
    """Return the moods in which a person is asked, by the domains that name any."""
    return {name: frozenset(each.settings.ask_when) for name, each in domains.items() if each.settings.ask_when}


def _policy(
    config: Config, served: Mapping[str, Domain], domains: Mapping[str, Domain], large: LargeModel | None
) -> PolicyFor:
    above = config.large_model if large else None
    high_risk = frozenset(name for name, domain in served.items() if domain.settings.risk == "high")
    ask_when = _ask_when(domains)

    def policy(multi_domain: str) -> Policy:
        return Policy(
            served=frozenset(served),
            large_only=frozenset(domains) - frozenset(served),
            novelty_alpha=config.triggers.novelty_alpha,
            reasoning=config.triggers.reasoning,
            multi_domain=multi_domain,
            review_escalations=bool(above and above.review),
            review_above_usd=above.review_above_usd if above else None,
            high_risk=high_risk,
            ask_when=ask_when,
            mood=config.triggers.mood,
        )

    return policy


def _extensions(given: Overrides) -> tuple[str, ...]:
    """Name what was passed in code and may judge otherwise than what it takes the place of."""
    classifier = () if given.classifier is None else (given.classifier.name,)
    triggers = (getattr(each, "__qualname__", type(each).__qualname__) for each in given.triggers)
    return (*classifier, *sorted(given.signals), *triggers)


def _terms(config: Config, served: Mapping[str, Domain], thresholds: Mapping[str, float], prices: PriceTable) -> Terms:
    latency = {name: domain.settings.latency_ms for name, domain in served.items()}
    large = config.large_model.latency_ms if config.large_model else 3000.0
    triggers = config.triggers
    return Terms(
        config_sha256=config.sha256,
        thresholds={
            "novelty_alpha": triggers.novelty_alpha,
            "reasoning": triggers.reasoning,
            "several_alpha": triggers.several_alpha,
        },
        confidence=thresholds,
        default_threshold=config.defaults.threshold,
        latency_ms={**latency, "large_model": large},
        baseline_model=config.baseline_model,
        baseline=partial(prices.cost_usd, config.baseline_model),
    )


def _check_confidence(
    config: Config, served: Mapping[str, Domain], signals: Mapping[str, SignalFunction], file: str | None
) -> None:
    known = {**signals, CALIBRATED: None}
    _only_known({config.defaults.confidence: None}, known, "defaults.confidence", file)
    for name, domain in served.items():
        own = config.domains.get(name)
        key, where = (f"domains.{name}.confidence", file) if own and own.confidence else ("confidence", domain.file)
        _only_known({domain.settings.confidence: None}, known, key, where)


def _check_risk(config: Config, served: Mapping[str, Domain], file: str | None) -> None:
    for name, domain in served.items():
        if config.optimistic_streaming and domain.settings.risk == "high":
            problem = f"shows drafts before they are judged, and those of {name} may be for a person's eyes alone"
            mend = f'leave it out, or set risk = "normal" for {name}'
            raise ConfigError(problem, file=file, key="optimistic_streaming", value=True, mend=mend)


def _only_known(given: Mapping[str, Any], known: Mapping[str, Any], key: str, file: str | None = None) -> None:
    for name in given:
        if name not in known:
            close = get_close_matches(name, list(known), n=1)
            mend = f"did you mean {close[0]}?" if close else f"known are {', '.join(sorted(known))}"
            raise ConfigError("names nothing that exists", file=file, key=key, value=name, mend=mend)
