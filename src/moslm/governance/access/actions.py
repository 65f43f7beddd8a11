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


class Rules(Protocol):
    """Decides whether somebody may do something."""

    def allows(self, caller: Caller, action: str, tenant: str) -> bool:
        """Tell whether a caller may do this with a tenant's data; what nobody knows is denied."""


class BuiltInRules:
    """The built-in table, within the caller's own tenant."""

    def allows(self, caller: Caller, action: str, tenant: str) -> bool:
        """See `Rules.allows`."""
        return tenant == caller.tenant and action in BUILT_IN.get(caller.role, frozenset())
