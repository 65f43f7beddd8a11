"""Which tools there are, and the toolbox of each domain.

A tool of one's own needs one line in `TOOLS`, or none at all: `build_toolbox` takes any LangChain tool beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, partial

from langchain_core.tools import BaseTool

from moslm.config import Config
from moslm.domains import Domain
from moslm.errors import ConfigError
from moslm.tools.company import Company, open_company
from moslm.tools.customer_service import order_status, refund, return_eligibility
from moslm.tools.effects import Effect, effect_of
from moslm.tools.failures import safe_tool_error
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

    @classmethod
    def empty(cls, domain: Domain) -> Toolbox:
        """Return the handbook alone, for a model that calls no tools."""
        return cls(domain.name, (), Handbook(domain.knowledge))

    @property
    def effects(self) -> dict[str, Effect]:
        """Effect of each tool by name; one that is not here counts as a write."""
        return {tool.name: effect_of(tool) for tool in self.tools}

    @property
    def on_error(self) -> Callable[[Exception], str]:
        """For ``ToolNode(handle_tool_errors=...)``."""
        return safe_tool_error


def build_toolbox(
    domain: Domain,
    config: Config,
    *,
    tools: Sequence[BaseTool] = (),
    mcp: Mapping[str, Sequence[BaseTool]] | None = None,
    company: Callable[[], Company] | None = None,
    calls_tools: bool = True,
    file: str | None = None,
) -> Toolbox:
    """Build the toolbox of one domain: the tools its settings name, and those of the MCP servers open to it.

    Args:
        domain: The domain they are for.
        config: The configuration in force.
        tools: Further tools, used by the domains that name them; one that has the name of a shipped tool takes its
            place. Their effect stands in ``metadata["effect"]``; without it they count as writes.
        mcp: Tools by MCP server, from `load_mcp_tools`.
        company: Opens the company database, asked only if a tool needs it; by default the one of the configuration.
            `shared_company` opens one for several toolboxes.
        calls_tools: Whether the domain's model calls tools. If not, the names are checked all the same, and the
            toolbox holds the handbook alone.
        file: The file the configuration was read from, for messages.

    Raises:
        ConfigError: The domain names a tool that does not exist, or the database cannot stand.
        BackendDown: The company database does not answer.
    """
    given = {tool.name: tool for tool in tools}
    _check_names(domain, config, [*given, *(name for name in TOOLS if name not in given)], file)
    if not calls_tools:
        return Toolbox.empty(domain)
    parts = ToolParts(Handbook(domain.knowledge), company or shared_company(config, file=file))
    chosen = {name: given[name] if name in given else TOOLS[name](parts) for name in domain.settings.tools}
    chosen |= {tool.name: tool for tool in _of_servers(domain.name, config, mcp or {})}
    return Toolbox(domain.name, tuple(chosen.values()), parts.handbook)


def shared_company(config: Config, *, file: str | None = None) -> Callable[[], Company]:
    """Return a function that opens the company database when it is first called, and only then."""
    return cache(partial(open_company, config, file=file))


def _of_servers(domain: str, config: Config, mcp: Mapping[str, Sequence[BaseTool]]) -> list[BaseTool]:
    open_to = {name: config.mcp[name].domains if name in config.mcp else [] for name in mcp}
    return [tool for name, tools in mcp.items() if not open_to[name] or domain in open_to[name] for tool in tools]


def _check_names(domain: Domain, config: Config, known: list[str], file: str | None) -> None:
    overrides = config.domains.get(domain.name)
    written_in_config = overrides is not None and overrides.tools is not None
    for name in domain.settings.tools:
        if name not in known:
            where, key = (file, f"domains.{domain.name}.tools") if written_in_config else (domain.file, "tools")
            raise ConfigError("no such tool", file=where, key=key, value=name, mend=_did_you_mean(name, known))


def _did_you_mean(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
