"""``moslm chat``: a conversation in the terminal; accepted answers are shown word by word, drafts never."""

from __future__ import annotations

import argparse
import contextlib
import sys
import uuid
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, cast

from moslm.cli.asking import add_caller, at_this_terminal, caller, compiled, deciding
from moslm.cli.decision_view import decision_table
from moslm.cli.flow import flow
from moslm.cli.identity import Identity
from moslm.cli.settings import add_config
from moslm.cli.stdin import typed
from moslm.cli.style import safe, style_for
from moslm.cli.table import paragraphs
from moslm.context import MoSLMContext
from moslm.decision import Decision
from moslm.governance.explanation import explain

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph

HELP = "Talk with MoSLM in the terminal"

_COMMANDS = "/why explains the last answer, /new begins a new conversation, /quit ends (so does Ctrl-D)"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add who talks."""
    add_config(parser)
    add_caller(parser)


def run(options: argparse.Namespace) -> int:
    """Talk until the end of input."""
    context, identity = caller(options)
    talk = Conversation(compiled(options.config), context, identity)
    if sys.stdin.isatty():
        _edit_lines()
        print(style_for().dim(_COMMANDS))
    while True:
        try:
            line = typed(_read)
            if line == "/quit":
                return 0
            _take(talk, line)
        except EOFError:
            return 0


def _edit_lines() -> None:
    """Let arrow keys work; and without it a terminal cuts lines off after 4095 characters."""
    with contextlib.suppress(ImportError):  # some builds of Python come without it
        import readline  # noqa: F401


def _read() -> str:
    # a pipe gets no prompt: its output is the answers alone
    return input("\n> " if sys.stdin.isatty() else "")


def _take(talk: Conversation, line: str) -> None:
    """Do what a line says; at a terminal Ctrl-C ends the answer and not the conversation."""
    try:
        talk.take(line)
    except KeyboardInterrupt:
        if not sys.stdin.isatty():
            raise
        print("\nStopped. This request has not been answered; Ctrl-C once more ends the conversation.")


class Conversation:
    """One conversation: what was said stays with its thread, the last decision stays here."""

    def __init__(
        self, graph: CompiledStateGraph[Any, Any, Any, Any], context: MoSLMContext, identity: Identity
    ) -> None:
        self._graph, self._context, self._identity = graph, context, identity
        self._thread = str(uuid.uuid4())
        self._last: dict[str, Any] | None = None

    def take(self, line: str) -> None:
        """Do what a line says: carry out a command, or answer a request."""
        if not line:
            return
        if line.startswith("/"):
            _SLASHES.get(line, Conversation._unknown)(self)
        else:
            self._answer(line)

    def why(self) -> None:
        """Explain the last decision."""
        if self._last is None:
            print("Nothing has been answered yet.")
            return
        decision = Decision.model_validate(self._last)
        print(decision_table(decision, style_for()))
        print()
        print(paragraphs(explain(decision)))

    def new(self) -> None:
        """Begin a new conversation."""
        self._thread, self._last = str(uuid.uuid4()), None
        print("A new conversation.")

    def _unknown(self) -> None:
        print(_COMMANDS)

    def _answer(self, text: str) -> None:
        from langgraph.types import Command

        given: Any = {"messages": [("user", text)]}
        while given is not None:
            waiting = self._stream(given)
            decide = deciding(self._identity, sys.stdin.isatty())
            given = Command(resume={each.id: decide(each.value) for each in waiting}) if waiting else None
        print()

    def _stream(self, given: Any) -> list[Any]:
        """Run the graph, print what it accepts as it comes, and return what it waits for."""
        from langgraph.types import Command

        config: Any = {"configurable": {"thread_id": self._thread}}
        waiting: list[Any] = []
        flowing = flow()
        resumed = isinstance(given, Command)
        context = at_this_terminal(self._context, self._identity) if resumed else self._context
        events = self._graph.stream(given, config, context=context, stream_mode=["messages", "updates"])
        for mode, event in cast("Iterator[tuple[str, Any]]", events):
            if mode == "updates":
                waiting.extend(event.get("__interrupt__", ()))
                self._last = (event.get("respond") or {}).get("decision") or self._last
            elif event[1].get("langgraph_node") == "respond":
                print(flowing.take(safe(event[0].text)), end="", flush=True)
        print(flowing.end(), end="")
        return waiting


_SLASHES: dict[str, Callable[[Conversation], None]] = {"/why": Conversation.why, "/new": Conversation.new}
