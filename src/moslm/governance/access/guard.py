"""From settings to who may do what: the rules in force, and the proof of who calls."""

from __future__ import annotations

from typing import Any

from moslm.config import AccessSettings
from moslm.context import MoSLMContext
from moslm.errors import AccessDenied
from moslm.governance.access.actions import Action, Caller
from moslm.governance.access.permissions import permissions_of
from moslm.governance.access.tokens import TokenVerifier

TENANT, USER, ROLE, MAY_ESCALATE = "moslm_tenant", "moslm_user", "moslm_role", "moslm_may_escalate"
"""What a LangGraph server is told of an authenticated caller, and hands to the steps of their runs."""


class Guard:
    """Who calls, and whether they may.

    Args:
        settings: The ``[access]`` section.

    Raises:
        ConfigError: A policy or a key cannot stand.
        MissingExtraError: The extra ``auth`` is not installed.
    """

    def __init__(self, settings: AccessSettings) -> None:
        self.permissions = permissions_of(settings)
        self._tokens = TokenVerifier(settings.jwt) if settings.jwt else None

    def caller(self, authorization: str | None) -> Caller:
        """Return who sends this ``Authorization`` header.

        Raises:
            AccessDenied: It proves nothing.
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip() or self._tokens is None:
            raise AccessDenied("no token was sent; send it as: Authorization: Bearer TOKEN")
        return self._tokens.caller(token.strip())

    def allows(self, caller: Caller, action: Action) -> bool:
        """Tell whether a caller may do this in their own tenant."""
        return self.permissions.allows(caller, action)

    def context(self, caller: Caller) -> MoSLMContext:
        """Return the context of a proven caller's run.

        Raises:
            AccessDenied: They may not ask.
        """
        if not self.allows(caller, "ask"):
            raise AccessDenied(f"the role {caller.role} may not ask")
        may_escalate = self.allows(caller, "escalate")
        return MoSLMContext(tenant=caller.tenant, user=caller.user, role=caller.role, may_escalate=may_escalate)


def as_proven(claimed: MoSLMContext, server_user: Any) -> MoSLMContext:
    """Return the context of a run on a LangGraph server: who calls is what the server proved, whatever they claim.

    Args:
        claimed: What the caller sent.
        server_user: The server's user; None outside of a server, or one that says nothing of MoSLM.
    """
    # an authentication of somebody else's may have users that are no mappings; those say nothing of MoSLM
    if not hasattr(server_user, "__contains__") or ROLE not in server_user:
        return claimed
    proven = {"tenant": server_user[TENANT], "user": server_user[USER], "role": server_user[ROLE]}
    may_escalate = claimed.may_escalate and bool(server_user[MAY_ESCALATE])
    return claimed.model_copy(update={**proven, "may_escalate": may_escalate})
