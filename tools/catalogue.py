"""Which tools there are, and the toolbox of each domain.

A tool of one's own needs one line in `TOOLS`, or none at all: `build_toolboxes` takes any LangChain tool beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache

from langchain_core.tools import BaseTool

from moslm.config import Config
from moslm.domains import Domain
from moslm.errors import ConfigError
from moslm.tools.company import Company, open_company
from moslm.tools.customer_service import order_status, refund, return_eligibility
from moslm.tools.effects import Effect, effect_of
from moslm.tools.finance import budget_status, calculate, expense_category, policy_check
from moslm.tools.it_support import look_up_article, open_ticket, search_tickets, service_status
from moslm.tools.knowledge import Handbook, search_handbook


@dataclass(frozen=True, slots=True)
class ToolParts:
    """What a tool may be built from."""

    handbook: Handbook
    """The handbook of the domain it is for."""
    company: Callable[[], Company]
    """Opens the company database, once for all tools."""


ToolFactory = Callable[[ToolParts], BaseTool]

TOOLS: dict[str, ToolFactory] = {
    "search_handbook": lambda parts: search_handbook(parts.handbook),
    "look_up_article": lambda parts: look_up_article(parts.handbook),
    "calculate": lambda parts: calculate(),
    "budget_status": lambda parts: budget_status(parts.company()),
    "expense_category": lambda parts: expense_category(parts.company()),
    "policy_check": lambda parts: policy_check(parts.company()),
    "service_status": lambda parts: service_status(parts.company()),
    "search_tickets": lambda parts: search_tickets(parts.company()),
    "open_ticket": lambda parts: open_ticket(parts.company()),
    "order_status": lambda parts: order_status(parts.company()),
    "return_eligibility": lambda parts: return_eligibility(parts.company()),
    "refund": lambda parts: refund(parts.company()),
}


@dataclass(frozen=True, slots=True)
class Toolbox:
    """What one domain's model may use."""

    domain: str
    tools: tuple[BaseTool, ...]
    handbook: Handbook

    def effect(self, name: str) -> Effect:
        """Return the effect of a tool by name; one that is not here counts as a write."""
        return next((effect_of(tool) for tool in self.tools if tool.name == name), "write")


def build_tools(domain: Domain, config: Config, *, own: Sequence[BaseTool] = (), file: str | None = None) -> Toolbox:
    """Build the toolbox of one domain; `build_toolboxes` says more."""
    return build_toolboxes({domain.name: domain}, config, own={domain.name: own}, file=file)[domain.name]


def build_toolboxes(
    domains: Mapping[str, Domain],
    config: Config,
    *,
    own: Mapping[str, Sequence[BaseTool]] | None = None,
    mcp: Mapping[str, Sequence[BaseTool]] | None = None,
    calls_tools: Callable[[Domain], bool] = lambda domain: True,
    file: str | None = None,
) -> dict[str, Toolbox]:
    """Build the toolbox of every domain.

    The company database is opened once, and only if a tool needs it.

    Args:
        domains: The domains that are served.
        config: The configuration in force.
        own: Further tools by domain; one that has the name of a shipped tool takes its place. Their effect stands in
            ``metadata["effect"]``; without it they count as writes.
        mcp: Tools by MCP server, from `load_mcp_tools`.
        calls_tools: Whether a domain's model calls tools. Where it does not, the names are checked all the same, and
            the toolbox holds the handbook alone.
        file: The file the configuration was read from, for messages.

    Raises:
        ConfigError: A domain names a tool that does not exist, or tools are given for a domain that does not.
        BackendDown: The company database does not answer.
    """
    own, mcp = own or {}, mcp or {}
    _check_domains(domains, config, own, file)
    company = cache(lambda: open_company(config, file=file))
    boxes = {}
    for name, domain in domains.items():
        _check_tool_names(domain, config, own.get(name, ()), file)
        handbook = Handbook(domain.knowledge)
        tools: dict[str, BaseTool] = {}
        if calls_tools(domain) and not domain.large_model_only:
            parts = ToolParts(handbook, company)
            given = {tool.name: tool for tool in own.get(name, ())}
            tools = {tool: TOOLS[tool](parts) for tool in domain.settings.tools if tool not in given} | given
            tools |= {tool.name: tool for tool in _of_servers(name, config, mcp)}
        boxes[name] = Toolbox(name, tuple(tools.values()), handbook)
    return boxes


def _of_servers(domain: str, config: Config, mcp: Mapping[str, Sequence[BaseTool]]) -> list[BaseTool]:
    open_to = {name: config.mcp[name].domains if name in config.mcp else [] for name in mcp}
    return [tool for name, tools in mcp.items() if not open_to[name] or domain in open_to[name] for tool in tools]


def _check_domains(
    domains: Mapping[str, Domain], config: Config, own: Mapping[str, Sequence[BaseTool]], file: str | None
) -> None:
    named: list[tuple[str, str | None, str]] = [("tools", None, name) for name in own]
    named += [(f"mcp.{server}.domains", file, name) for server, each in config.mcp.items() for name in each.domains]
    for key, where, name in named:
        if name not in domains:
            mend = _did_you_mean(name, list(domains))
            raise ConfigError("no such domain is served", file=where, key=key, value=name, mend=mend)


def _check_tool_names(domain: Domain, config: Config, own: Sequence[BaseTool], file: str | None) -> None:
    known = [*TOOLS, *(tool.name for tool in own)]
    overrides = config.domains.get(domain.name)
    written_in_config = overrides is not None and overrides.tools is not None
    for name in domain.settings.tools:
        if name not in known:
            where, key = (file, f"domains.{domain.name}.tools") if written_in_config else (domain.file, "tools")
            raise ConfigError("no such tool", file=where, key=key, value=name, mend=_did_you_mean(name, known))


def _did_you_mean(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
