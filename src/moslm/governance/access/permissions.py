"""What callers may do, asked at each place where something is done: yes, or denied, whatever goes wrong."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from moslm.config import AccessSettings
from moslm.governance.access.actions import Action, BuiltInRules, Caller, Rules, Tool
from moslm.governance.access.policies import CedarRules

_log = logging.getLogger("moslm.access")


@dataclass(frozen=True, slots=True)
class Permissions:
    """The rules in force.

    Attributes:
        rules: What decides.
        demanded: Whether ``[access]`` stands: then a caller who names no role has the least of them.
    """

    rules: Rules = field(default_factory=BuiltInRules)
    demanded: bool = False

    def allows(self, caller: Caller, action: Action, tenant: str | None = None, tool: Tool | None = None) -> bool:
        """Tell whether a caller may do this; rules that fail deny.

        Args:
            caller: Who does it.
            action: What is done.
            tenant: With whose data; by default their own tenant's.
            tool: With which tool, for ``write_tool``.
        """
        try:
            return self.rules.allows(caller, action, caller.tenant if tenant is None else tenant, tool)
        except Exception as error:  # whatever it is, nobody has said yes
            _log.error("the rules failed, so the role %s may not %s: %s", caller.role, action, type(error).__name__)
            return False


def permissions_of(settings: AccessSettings | None) -> Permissions:
    """Return what holds under these settings; without policies of one's own, the built-in table.

    Raises:
        ConfigError: A policy cannot stand.
        MissingExtraError: The extra ``auth`` is not installed.
    """
    if settings is None or settings.policies is None:
        return Permissions(demanded=settings is not None)
    return Permissions(CedarRules(settings.policies), demanded=True)
