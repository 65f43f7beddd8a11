"""Tools of MCP servers, plugged in by configuration (extra ``mcp``).

A tool is named ``SERVER_TOOL``, so that two servers never get in each other's way. What a server says about its own
tools' effects is not believed; the configuration says it, and a tool it does not name counts as a write. Each call is a
session of its own, so a server that restarts is simply there again.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import re
from collections.abc import Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from difflib import get_close_matches
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

from langchain_core.tools import BaseTool, StructuredTool, ToolException

from moslm.config import McpServer
from moslm.errors import BackendDown, ConfigError, MissingExtraError
from moslm.tools.effects import declare_effect
from moslm.tools.failures import how_to_call

T = TypeVar("T")
_log = logging.getLogger("moslm.tools")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def load_mcp_tools(
    servers: Mapping[str, McpServer], *, deadline_s: float = 15.0, file: str | None = None
) -> dict[str, tuple[BaseTool, ...]]:
    """Connect to the servers and return their tools, each with its effect.

    Works from plain code and inside a running event loop, which waits meanwhile; the tools work under ``invoke`` and
    ``ainvoke``.

    Args:
        servers: The ``[mcp.NAME]`` sections.
        deadline_s: Seconds after which a connection, and later each call, is given up.
        file: The file the configuration was read from, for messages.

    Returns:
        The tools by name of the server.

    Raises:
        MissingExtraError: The packages of the extra ``mcp`` are not installed.
        ConfigError: A command does not exist, a name cannot stand, or ``effects`` names a tool that is not there.
        BackendDown: A server does not answer before the deadline, or not as MCP servers do.
    """
    if not servers:
        return {}
    try:
        import langchain_mcp_adapters.client  # noqa: F401
    except ImportError:
        raise MissingExtraError("MCP servers", "mcp") from None
    return _in_own_loop(_load_all(servers, deadline_s, file))


async def _load_all(
    servers: Mapping[str, McpServer], deadline_s: float, file: str | None
) -> dict[str, tuple[BaseTool, ...]]:
    loads = [_load(name, server, deadline_s, file) for name, server in servers.items()]
    return dict(zip(servers, await asyncio.gather(*loads), strict=True))


async def _load(name: str, server: McpServer, deadline_s: float, file: str | None) -> tuple[BaseTool, ...]:
    import httpx
    from langchain_mcp_adapters.client import MultiServerMCPClient
    from mcp.shared.exceptions import McpError

    client = MultiServerMCPClient({name: _connection(server)}, tool_name_prefix=True, handle_tool_errors=False)
    try:
        async with asyncio.timeout(deadline_s):
            tools = await client.get_tools()
    except (FileNotFoundError, PermissionError):
        key, mend = f"mcp.{name}.command", "name a program that can be run"
        raise ConfigError("no such program", file=file, key=key, value=server.command, mend=mend) from None
    except (TimeoutError, OSError, McpError, httpx.HTTPError, ExceptionGroup) as error:
        late = f" within {deadline_s:g} s" if isinstance(error, TimeoutError) else ""
        raise BackendDown(name, _no_answer(name, server, late, file)) from error
    _check_names(name, server, [tool.name for tool in tools], file)
    return tuple(_adapted(tool, name, server, deadline_s) for tool in tools)


def _connection(server: McpServer) -> Any:
    if server.transport == "stdio":
        return {"transport": "stdio", "command": server.command, "args": server.args, "env": server.env or None}
    return {"transport": server.transport, "url": server.url}


def _no_answer(name: str, server: McpServer, late: str, file: str | None) -> str:
    """Say in one line whose server it is; what may hold a secret (arguments, a query, a password) is not shown."""
    if server.transport == "stdio":
        end, mend = f"command = {server.command!r}", "run the command by hand to see why, or remove the section"
    else:
        address = urlsplit(str(server.url))
        shown = urlunsplit((address.scheme, address.netloc.rpartition("@")[2], address.path, "", ""))
        end, mend = f"url = {shown!r}", "start the server, correct the address or the transport, or remove the section"
    where = f"{file}: " if file else ""
    return f"{where}mcp.{name}.{end}: no MCP server answers{late}; {mend}"


def _check_names(name: str, server: McpServer, tools: list[str], file: str | None) -> None:
    for tool in tools:
        if not _NAME.fullmatch(tool):
            mend = "use letters, digits, - and _, at most 64 characters with the tool's own name"
            raise ConfigError(
                f"gives the tool a name no model can call: {tool}", file=file, key=f"mcp.{name}", mend=mend
            )
    own = [tool.removeprefix(f"{name}_") for tool in tools]
    for tool, effect in server.effects.items():
        if tool not in own:
            close = get_close_matches(tool, own, n=1)
            mend = f"did you mean {close[0]}?" if close else f"it has {', '.join(own) or 'none'}"
            key = f"mcp.{name}.effects.{tool}"
            raise ConfigError("the server has no such tool", file=file, key=key, value=effect, mend=mend)


def _adapted(tool: BaseTool, name: str, server: McpServer, deadline_s: float) -> BaseTool:
    """Add what the adapter's tools lack: a declared effect, a deadline, a way to be called from plain code."""
    call = getattr(tool, "coroutine", None)
    if not isinstance(tool, StructuredTool) or call is None:
        raise BackendDown(name, f"The MCP server {name} offers a tool that cannot be called.")

    async def called(runtime: Any = None, **arguments: Any) -> Any:
        async with asyncio.timeout(deadline_s):
            return await call(runtime=runtime, **arguments)

    def called_from_plain_code(runtime: Any = None, **arguments: Any) -> Any:
        return _in_own_loop(called(runtime, **arguments))

    def refused(error: ToolException) -> str:
        _log.warning("a tool of the MCP server %s refused a call", name, exc_info=error)
        return f"{tool.name} refused the call. {how_to_call(tool)}"

    changes = {"coroutine": called, "func": called_from_plain_code, "handle_tool_error": refused}
    own_name = tool.name.removeprefix(f"{name}_")
    return declare_effect(tool.model_copy(update=changes), server.effects.get(own_name, "write"))


def _in_own_loop(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end in a thread with a loop of its own: this thread may have one that is running."""
    with ThreadPoolExecutor(1, thread_name_prefix="moslm-mcp") as pool:
        return pool.submit(contextvars.copy_context().run, asyncio.run, work).result()
