"""What the caller of a request may do, as the rules on access say."""

from __future__ import annotations

from typing import cast

from moslm.context import Role
from moslm.governance.access.actions import Action, Caller, Tool
from moslm.governance.access.permissions import Permissions
from moslm.state import Request


def may(request: Request, action: Action, permissions: Permissions, tool: Tool | None = None) -> bool:
    """Tell whether whoever asks may do this in their own tenant.

    Args:
        request: The opened request; its role is the one that was proven, or the caller's word.
        action: What is done.
        permissions: The rules in force.
        tool: With which tool, for ``write_tool``.
    """
    caller = Caller(request["tenant"], request["user"] or "", cast("Role", request["role"]))
    return permissions.allows(caller, action, tool=tool)
