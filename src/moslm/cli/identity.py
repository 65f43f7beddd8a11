"""Who works at the command line: whoever their token proves, or the owner of this machine's files."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from typing import Any

from moslm.config import Config
from moslm.context import MoSLMContext
from moslm.errors import AccessDenied
from moslm.governance.access.actions import Action, Caller
from moslm.governance.access.guard import Guard

VARIABLE = "MOSLM_TOKEN"


def add_token(parser: argparse.ArgumentParser, *, default: Any = None) -> None:
    """Add ``--token`` to a command that reads or changes a tenant's data.

    Args:
        parser: The command's, or that of what it is told to do.
        default: What stands where the option does not.
    """
    parser.add_argument(
        "--token",
        metavar="JWT",
        default=default,
        help=f"who you are, where [access.jwt] demands it; by default ${VARIABLE}. Elsewhere you are the machine's"
        " owner, who may do everything",
    )


@dataclass(frozen=True, slots=True)
class Identity:
    """Whoever works here.

    Attributes:
        caller: Whom a token proved; None for the machine's owner.
        guard: What their actions are held against; None for the owner.
    """

    caller: Caller | None = None
    guard: Guard | None = None

    def must(self, action: Action) -> None:
        """Go on only where they may do this.

        Raises:
            AccessDenied: They may not.
        """
        if not self.may(action):
            raise AccessDenied(f"the role {self._role} may not {action}; see docs/guides/access.md")

    def may(self, action: Action) -> bool:
        """Tell whether they may do this: the owner may, everybody else what the rules say."""
        return self.guard is None or (self.caller is not None and self.guard.allows(self.caller, action))

    def tenant(self, named: str | None) -> str | None:
        """Return whose data is meant: a proven caller's is their own tenant's, and no other.

        Args:
            named: The tenant of the command's options.

        Raises:
            AccessDenied: Another tenant was named.
        """
        if self.caller is None:
            return named
        if named not in (None, self.caller.tenant):
            raise AccessDenied(f"the token is of the tenant {self.caller.tenant}, and --tenant names another")
        return self.caller.tenant

    def context(self, claimed: MoSLMContext) -> MoSLMContext:
        """Return the context of a run: what was proven takes the place of what the options say.

        Raises:
            AccessDenied: They may not ask, or the options claim another tenant or role.
        """
        if self.guard is None or self.caller is None:
            return claimed
        self.must("ask")
        proven = self.guard.context(self.caller)
        if "tenant" in claimed.model_fields_set:
            self.tenant(claimed.tenant)
        if "role" in claimed.model_fields_set and claimed.role != proven.role:
            raise AccessDenied(f"the token is of a {proven.role}, and --role names another")
        named = {name: getattr(proven, name) for name in ("tenant", "user", "role")}
        may_escalate = claimed.may_escalate and proven.may_escalate
        return claimed.model_copy(update={**named, "may_escalate": may_escalate})

    @property
    def _role(self) -> str:
        return "" if self.caller is None else self.caller.role


def identified(config: Config, token: str | None) -> Identity:
    """Return who works here.

    Args:
        config: The settings in force; ``[access.jwt]`` says whether a token is demanded.
        token: The token given as an option; by default the environment's.

    Raises:
        AccessDenied: A token is demanded, and this one proves nothing.
        ConfigError: A policy or a key cannot stand.
    """
    if config.access is None or config.access.jwt is None:
        return Identity()
    guard = Guard(config.access)
    given = token or os.environ.get(VARIABLE)
    if not given:
        raise AccessDenied(f"[access.jwt] demands a token, and none was given; set {VARIABLE} or pass --token")
    return Identity(guard.caller(f"Bearer {given}"), guard)
