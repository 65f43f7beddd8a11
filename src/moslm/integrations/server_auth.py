"""Authentication and authorization of a LangGraph server: who calls, what is theirs, what they may do with it.

Threads belong to a tenant, and for plain users to themselves; assistants are the server's own; a store is one tenant's.
What stands in no line here is denied.
"""

from __future__ import annotations

from typing import Any

from moslm.config import Config
from moslm.errors import AccessDenied
from moslm.governance.access.actions import Action, Caller
from moslm.governance.access.guard import MAY_ESCALATE, ROLE, TENANT, USER, Guard

_READING = ("read", "search")
_MAY_READ: tuple[Action, ...] = ("ask", "review", "read_audit")


def build_auth(config: Config) -> Any:
    """Return the `langgraph_sdk.Auth` of these settings; without ``[access]`` everything is allowed, as in development.

    Raises:
        ConfigError: A policy or a key cannot stand.
        MissingExtraError: The extra ``auth`` is not installed.
    """
    from langgraph_sdk import Auth

    auth, guard = Auth(), Guard(config.access) if config.access else None

    async def authenticate(authorization: str | None) -> dict[str, Any]:
        if guard is None:
            return {"identity": "anonymous", "permissions": []}
        try:
            caller = guard.caller(authorization)
        except AccessDenied as error:
            raise Auth.exceptions.HTTPException(status_code=401, detail=str(error)) from None
        return {"identity": f"{caller.tenant}/{caller.user}", "permissions": [], **_told(guard, caller)}

    async def authorize(ctx: Any, value: Any) -> Any:
        if guard is None:
            return None
        user = ctx.user
        caller = Caller(user[TENANT], user[USER], user[ROLE])
        return _scope(guard, caller, ctx.resource, ctx.action, value)

    auth.authenticate(authenticate)
    auth.on(authorize)
    return auth


def _told(guard: Guard, caller: Caller) -> dict[str, Any]:
    named = {TENANT: caller.tenant, USER: caller.user, ROLE: caller.role}
    return {**named, MAY_ESCALATE: guard.allows(caller, "escalate")}


def _scope(guard: Guard, caller: Caller, resource: str, action: str, value: Any) -> dict[str, Any] | bool:
    """Return what a caller's operation is narrowed to, or whether it is allowed at all."""
    if resource == "assistants":
        # one tenant's assistant would be every other's: they are the server's own, and only read
        return action in _READING and any(guard.allows(caller, each) for each in _MAY_READ)
    if resource == "store":
        if not guard.allows(caller, "configure"):
            return False
        value["namespace"] = ("tenants", caller.tenant, *(value.get("namespace") or ()))
        return True
    if resource not in ("threads", "crons"):
        return False
    if not any(guard.allows(caller, each) for each in _needed(resource, action, value)):
        return False
    mine = {TENANT: caller.tenant} if caller.role != "user" else {TENANT: caller.tenant, USER: caller.user}
    if action in ("create", "create_run", "update"):
        # changed in place: the server keeps the table it handed over
        kept = value.setdefault("metadata", {})
        kept[TENANT] = caller.tenant
        if action != "update":
            kept[USER] = caller.user
    return mine


def _needed(resource: str, action: str, value: Any) -> tuple[Action, ...]:
    """Return the actions of which one is needed."""
    if resource == "crons":
        return ("configure",)
    if action in _READING:
        return _MAY_READ
    if action == "create":
        return ("ask",)
    if action == "create_run":
        # a command resumes a run with a person's decision, or rewrites its state
        return ("review",) if (value.get("kwargs") or {}).get("command") else ("ask",)
    if action == "delete":
        return ("purge",)
    return ("configure",)
