"""Who calls: a bearer's key becomes a tenant, a user and a role. Knows no framework and no graph."""

from __future__ import annotations

import hashlib
import hmac
import os

from moslm.config import ApiSettings
from moslm.context import MoSLMContext
from moslm.errors import AccessDenied, ConfigError
from moslm.governance.access.actions import Action, Caller
from moslm.governance.access.guard import Guard
from moslm.governance.access.permissions import Permissions
from moslm.integrations.api.mistakes import CallError


class Keyring:
    """The keys that are configured.

    Args:
        settings: The ``[api]`` section.
        open_to_all: Whether a call without a key is answered where no key is configured.
        guard: Takes tokens for an identity, beside the keys.

    Raises:
        ConfigError: The environment variable of a key is not set, or two callers share a key.
    """

    def __init__(self, settings: ApiSettings, open_to_all: bool, guard: Guard | None = None) -> None:
        self._guard = guard
        self._permissions = guard.permissions if guard else Permissions()
        self._open = open_to_all and not settings.keys and guard is None
        self._known: list[tuple[bytes, MoSLMContext]] = []
        for name, key in settings.keys.items():
            secret = os.environ.get(key.env)
            if not secret:
                raise ConfigError(
                    "the environment variable is not set",
                    key=f"api.keys.{name}.env",
                    value=key.env,
                    mend=f"run: export {key.env}=...",
                )
            if any(hmac.compare_digest(_hashed(secret), known) for known, _ in self._known):
                raise ConfigError("has the same key as another caller", key=f"api.keys.{name}.env", value=key.env)
            self._known.append((_hashed(secret), MoSLMContext(**key.model_dump(exclude={"env"}))))

    def caller(self, authorization: str | None) -> MoSLMContext:
        """Return the context of whoever asks.

        Args:
            authorization: The header of that name.

        Raises:
            CallError: There is no key, nobody has it, or its bearer may not ask.
        """
        if self._open:
            return MoSLMContext()
        found = self._bearer(authorization)
        if isinstance(found, MoSLMContext):
            self._must(_named(found), "ask")
            return found
        self._must(found, "ask")
        may_escalate = self._permissions.allows(found, "escalate")
        return MoSLMContext(tenant=found.tenant, user=found.user, role=found.role, may_escalate=may_escalate)

    def may_read_meters(self, authorization: str | None) -> None:
        """Go on only where the bearer may read what everything cost; without ``[access]`` everybody may.

        Raises:
            CallError: They may not.
        """
        if self._guard is not None:
            found = self._bearer(authorization)
            self._must(_named(found) if isinstance(found, MoSLMContext) else found, "read_budget")

    def _bearer(self, authorization: str | None) -> MoSLMContext | Caller:
        """Return whose key this is, or whom the token proves."""
        scheme, _, secret = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not secret.strip():
            raise CallError(401, "no API key was sent; send it as: Authorization: Bearer KEY", "missing_api_key")
        hashed = _hashed(secret.strip())
        # every key is compared, so that the time taken does not tell which one came close
        found = [caller for known, caller in self._known if hmac.compare_digest(known, hashed)]
        if found:
            return found[0]
        if self._guard is None:
            raise CallError(401, "nobody has this API key", "invalid_api_key")
        try:
            return self._guard.caller(authorization)
        except AccessDenied as error:
            raise CallError(401, str(error), "invalid_token") from None

    def _must(self, caller: Caller, action: Action) -> None:
        if not self._permissions.allows(caller, action):
            raise CallError(403, f"the role {caller.role} may not {action}", "not_allowed")


def _named(context: MoSLMContext) -> Caller:
    return Caller(context.tenant, context.user or "", context.role)


def _hashed(secret: str) -> bytes:
    return hashlib.sha256(secret.encode(errors="surrogateescape")).digest()
