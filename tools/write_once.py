"""Writes that happen once for each tool call, however often the call is run.

A graph runs a node again after a crash or when a person's approval resumes it, so an approved call may reach its tool
twice. The key of the call goes into a unique column with the row it writes; the second run finds that row and
returns it.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from langgraph.prebuilt import ToolRuntime

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, RowMapping, Table


def call_key(runtime: ToolRuntime[Any, Any], tool: str, *arguments: str | int) -> str:
    """Return the key of one tool call, the same each time this call is run.

    It is made of the request's id where the tool runs on MoSLM's state, else of the thread; of the id of the tool call;
    and of the arguments, because some model servers number their calls afresh in every answer. A call that has neither
    request nor thread, or no id, cannot be recognised again; its key is fresh.
    """
    state = runtime.state if isinstance(runtime.state, Mapping) else {}
    request = (state.get("request") or {}).get("id")
    thread = (runtime.config.get("configurable") or {}).get("thread_id")
    if runtime.tool_call_id is None or not (request or thread):
        return uuid.uuid4().hex
    scope = ["request", request] if request else ["thread", thread]
    return hashlib.sha256(json.dumps([*scope, runtime.tool_call_id, tool, *arguments]).encode()).hexdigest()


def write_once(
    engine: Engine, table: Table, key: str, write: Callable[[Connection], dict[str, Any] | str]
) -> RowMapping | str:
    """Insert one row, or return the one that this call has inserted before.

    Args:
        engine: The database.
        table: A table with a unique ``call_key`` and a whole-number primary key ``id``.
        key: From `call_key`.
        write: Runs inside the transaction and returns the values of the row, or a sentence that says why there is
            nothing to write.

    Returns:
        The row that stands in the table, or the sentence.
    """
    from sqlalchemy import select
    from sqlalchemy.exc import IntegrityError

    earlier = select(table).where(table.c.call_key == key)
    try:
        with engine.connect().execution_options(writes=True) as connection, connection.begin():
            if found := connection.execute(earlier).mappings().first():
                return found
            values = write(connection)
            if isinstance(values, str):
                return values
            connection.execute(table.insert().values(**values, call_key=key))
            return connection.execute(earlier).mappings().one()
    except IntegrityError:
        # Another run of the same call was faster by a hair
        with engine.connect() as connection:
            if found := connection.execute(earlier).mappings().first():
                return found
        raise
