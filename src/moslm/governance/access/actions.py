"""What can be done, who there is, and the rules that are built in: one table, which the shipped policies repeat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

from moslm.context import Role

Action = Literal["ask", "escalate", "write_tool", "review", "read_audit", "read_budget", "purge", "configure"]
ACTIONS: tuple[Action, ...] = get_args(Action)
ROLES: tuple[Role, ...] = get_args(Role)

BUILT_IN: Mapping[Role, frozenset[Action]] = {
    "user": frozenset({"ask", "escalate"}),
    "operator": frozenset({"ask", "escalate", "write_tool", "read_budget"}),
    "reviewer": frozenset({"ask", "escalate", "review"}),
    "auditor": frozenset({"read_audit", "read_budget"}),
    "admin": frozenset(ACTIONS),
}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, as it was proven.

    Attributes:
        tenant: Whose data they may touch.
        user: Opaque id.
        role: What they may do there.
    """

    tenant: str
    user: str
    role: Role


@dataclass(frozen=True, slots=True)
class Tool:
    """What `write_tool` is asked about.

    Attributes:
        name: As the model calls it.
        effect: What it does to the world, by its own word: ``read`` or ``write``.
    """

    name: str
    effect: str


class Rules(Protocol):
    """Decides whether somebody may do something."""

    def allows(self, caller: Caller, action: str, tenant: str, tool: Tool | None = None) -> bool:
        """Tell whether a caller may do this with a tenant's data, or with a tool there; what nobody knows is denied."""


class BuiltInRules:
    """The built-in table, within the caller's own tenant."""

    def allows(self, caller: Caller, action: str, tenant: str, tool: Tool | None = None) -> bool:
        """See `Rules.allows`; the table knows no tool from another."""
        return tenant == caller.tenant and action in BUILT_IN.get(caller.role, frozenset())
