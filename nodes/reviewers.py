"""Who decides: the person behind a resumed run, and whether the rules on access let them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast, get_args

from moslm.context import Role
from moslm.governance.access.actions import Caller
from moslm.governance.access.permissions import Permissions
from moslm.nodes.node import Run

_LONGEST_NAME = 256


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Whoever decides, as far as it is known."""

    by: str | None
    role: str | None
    problem: str | None
    """Why they may not decide; None where they may, or where nothing names a role and nothing demands one."""


def reviewer(run: Run, stated: str | None, tenant: str, permissions: Permissions) -> Reviewer:
    """Return who decides.

    Args:
        run: The resumed run. Its server's authenticated user comes before its context, and a role counts only where
            the context names it in so many words, or where ``[access]`` demands one.
        stated: Who the decision says it is of; believed where nothing else says so.
        tenant: Whose request is decided about.
        permissions: The rules in force.
    """
    user = (run.config.get("configurable") or {}).get("langgraph_auth_user")
    context = run.context
    named = context.role if permissions.demanded or "role" in context.model_fields_set else None
    found = _of(user, "role")
    role = found if found in get_args(Role) else named
    by = _of(user, "identity") or context.user or stated or None
    at_home = context.tenant if permissions.demanded or "tenant" in context.model_fields_set else tenant
    problem = None
    if role is not None:
        caller = Caller(at_home, by or "", cast("Role", role))
        if not permissions.allows(caller, "review", tenant):
            problem = f"the role {role} may not decide here: the rules on access give it no review"
    return Reviewer(by and by[:_LONGEST_NAME], role, problem)


def _of(user: Any, key: str) -> str | None:
    """Return a text that an authenticated user carries, as a mapping or as an object."""
    found = user.get(key) if isinstance(user, Mapping) else getattr(user, key, None)
    return found if isinstance(found, str) and found else None
