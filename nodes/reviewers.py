"""Who decides: the person behind a resumed run, and whether their role lets them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from moslm.context import MAY_DECIDE, Role
from moslm.nodes.node import Run

_LONGEST_NAME = 256


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Whoever decides, as far as it is known."""

    by: str | None
    role: str | None

    @property
    def problem(self) -> str | None:
        """Why they may not decide; None where they may, or where nothing names a role."""
        if self.role is None or self.role in MAY_DECIDE:
            return None
        return f"the role {self.role} may not decide; a reviewer, an operator or an admin may"


def reviewer(run: Run, stated: str | None) -> Reviewer:
    """Return who decides.

    Args:
        run: The resumed run. Its server's authenticated user comes before its context, and a role counts only where
            the context names it in so many words.
        stated: Who the decision says it is of; believed where nothing else says so.
    """
    user = (run.config.get("configurable") or {}).get("langgraph_auth_user")
    context = run.context
    named = context.role if "role" in context.model_fields_set else None
    role = _of(user, "role")
    by = _of(user, "identity") or context.user or stated or None
    return Reviewer(by and by[:_LONGEST_NAME], role if role in get_args(Role) else named)


def _of(user: Any, key: str) -> str | None:
    """Return a text that an authenticated user carries, as a mapping or as an object."""
    found = user.get(key) if isinstance(user, Mapping) else getattr(user, key, None)
    return found if isinstance(found, str) and found else None
