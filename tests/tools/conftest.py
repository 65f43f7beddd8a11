from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import BaseTool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode

from moslm.config import Config
from moslm.tools import safe_tool_error
from moslm.tools.company import Company, open_company


@pytest.fixture
def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Company]:
    """A fresh sample company in a home of its own, which the first tool that asks it makes."""
    monkeypatch.setenv("MOSLM_HOME", str(tmp_path / "company-home"))
    company = open_company(Config())
    yield company
    company.engine.dispose()


class State(MessagesState, total=False):
    request: dict[str, Any]


class Run:
    """Runs tool calls as a graph does: in a `ToolNode`, on a thread."""

    def __init__(self, *tools: BaseTool) -> None:
        graph = StateGraph(State)
        graph.add_node("tools", ToolNode(list(tools), handle_tool_errors=safe_tool_error))
        graph.add_edge(START, "tools")
        self.graph = graph.compile(checkpointer=InMemorySaver())
        self.name = tools[0].name

    def __call__(self, id: str = "call", thread: str = "1", request: str | None = None, **args: Any) -> str:
        return self.message(id, thread, request, **args).text

    def message(self, id: str = "call", thread: str = "1", request: str | None = None, **args: Any) -> ToolMessage:
        call = {"name": self.name, "args": args, "id": id, "type": "tool_call"}
        state = {"messages": [AIMessage("", tool_calls=[call])], **({"request": {"id": request}} if request else {})}
        found = self.graph.invoke(state, {"configurable": {"thread_id": thread}})["messages"][-1]
        assert isinstance(found, ToolMessage)
        return found


@pytest.fixture
def run() -> Callable[..., Run]:
    return Run
