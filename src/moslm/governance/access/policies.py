"""Rules as Cedar policies in files (extra ``auth``): the shipped ones, or a folder of one's own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from moslm.errors import ConfigError, MissingExtraError
from moslm.governance.access.actions import ACTIONS, ROLES, Caller, Tool

SHIPPED = Path(__file__).parent / "shipped"
_KNOWN = {"Action": ACTIONS, "Role": ROLES}


class CedarRules:
    """Decides by the policies of a folder.

    Args:
        folder: Where they are, as ``*.cedar``; by default the shipped ones.

    Raises:
        ConfigError: There are none, one cannot be read, or it names an action or a role that nobody has.
        MissingExtraError: The extra ``auth`` is not installed.
    """

    def __init__(self, folder: Path = SHIPPED) -> None:
        try:
            import cedarpy
        except ImportError:
            raise MissingExtraError("policies in files", "auth") from None
        self._cedar: Any = cedarpy
        files = sorted(folder.glob("*.cedar"))
        if not files:
            raise ConfigError(
                "holds no policies", key="access.policies", value=str(folder), mend="put NAME.cedar into it"
            )
        self._policies = "\n".join(self._read(file) for file in files)

    def allows(self, caller: Caller, action: str, tenant: str, tool: Tool | None = None) -> bool:
        """Tell whether the policies permit it; a policy that cannot be evaluated permits nothing at all."""
        if tenant != caller.tenant or action not in ACTIONS or caller.role not in ROLES:
            return False
        principal = {"type": "User", "id": json.dumps([caller.tenant, caller.user])}
        at_home = {"type": "Tenant", "id": tenant}
        resource = at_home if tool is None else {"type": "Tool", "id": tool.name}
        request = {
            "principal": f"User::{json.dumps(principal['id'])}",
            "action": f"Action::{json.dumps(action)}",
            "resource": f"{resource['type']}::{json.dumps(resource['id'])}",
            "context": {},
        }
        attributes = {"tenant": tenant, "user": caller.user, "role": caller.role}
        role = {"type": "Role", "id": caller.role}
        entities: list[dict[str, Any]] = [{"uid": principal, "attrs": attributes, "parents": [role]}]
        if tool is not None:
            entities.append({"uid": resource, "attrs": {"effect": tool.effect}, "parents": [at_home]})
        said = self._cedar.is_authorized(request, self._policies, entities)
        # a prohibition that fails is passed over by Cedar, so a failure must deny by itself
        return bool(said.allowed) and not said.diagnostics.errors

    def _read(self, file: Path) -> str:
        try:
            text = file.read_text(encoding="utf-8")
            parsed = json.loads(self._cedar.policies_to_json_str(text))
        except (OSError, ValueError) as error:
            problem = " ".join(str(error).split())
            raise ConfigError(f"is no policy: {problem}", file=str(file)) from None
        for kind, name in _named(parsed):
            known = _KNOWN.get(kind)
            if known is not None and name not in known:
                raise _unknown(file, text, kind, name)
        return text


def _named(value: object) -> Iterator[tuple[str, str]]:
    """Yield every entity that a parsed policy names, wherever it stands."""
    if isinstance(value, dict):
        if isinstance(value.get("type"), str) and isinstance(value.get("id"), str):
            yield value["type"], value["id"]
        for each in value.values():
            yield from _named(each)
    elif isinstance(value, list):
        for each in value:
            yield from _named(each)


def _unknown(file: Path, text: str, kind: str, name: str) -> ConfigError:
    written = f"{kind}::{json.dumps(name)}"
    line = next((i for i, each in enumerate(text.splitlines(), 1) if written in each), 1)
    known = _KNOWN[kind]
    close = get_close_matches(name, known, n=1)
    mend = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
    return ConfigError(f"names no {kind.lower()} that exists", file=f"{file}:{line}", key=kind, value=name, mend=mend)
