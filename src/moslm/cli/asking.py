"""Asking the graph from the terminal: one request, with a person's decisions where a run waits for them."""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, get_args

from moslm.cli.settings import config_file
from moslm.context import MAY_DECIDE, MoSLMContext, Role, resolve_context
from moslm.errors import ConfigError, RequestError

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph

Decide = Callable[[dict[str, Any]], dict[str, Any]]
"""Answers one interrupt: takes its ``action_requests`` and ``review_configs``, returns ``{"decisions": [...]}``."""


def add_caller(parser: argparse.ArgumentParser) -> None:
    """Add who asks, and which threshold holds for them."""
    parser.add_argument("--tenant", default="default", help="whose data this is")
    parser.add_argument("--role", choices=get_args(Role), default="user", help="operators run writes without a review")
    parser.add_argument("--threshold", type=probability, metavar="X", help="confidence a draft needs")


def probability(text: str) -> float:
    """Read a number between 0 and 1.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number between 0 and 1")
    return value


def caller(options: argparse.Namespace) -> MoSLMContext:
    """Return the context of a run from the command's options.

    Raises:
        ConfigError: One of them cannot stand.
    """
    try:
        return resolve_context(
            {"moslm": {"tenant": options.tenant, "role": options.role, "threshold": options.threshold}}
        )
    except ConfigError as error:
        # here it was an option, and the mend for contexts is none
        raise ConfigError(error.problem, key=f"--{error.key}", value=error.value) from None


def compiled(config: str | None) -> CompiledStateGraph[Any, Any, Any, Any]:
    """Build the graph of the configuration in force, able to wait for a person.

    Raises:
        MoSLMError: The configuration cannot stand, or something it needs is missing.
    """
    from langgraph.checkpoint.memory import InMemorySaver

    from moslm import create_moslm
    from moslm.cli.first_use import bring_weights

    bring_weights(config_file(config))
    return create_moslm(config_file(config)).compile(name="moslm", checkpointer=InMemorySaver())


def answered(
    graph: CompiledStateGraph[Any, Any, Any, Any], text: str, context: MoSLMContext, thread: str, decide: Decide
) -> tuple[str, dict[str, Any]]:
    """Ask one request and return the reply's text and the decision as plain JSON.

    Raises:
        RequestError: A person had to decide, and nobody did.
    """
    from langgraph.types import Command

    config: Any = {"configurable": {"thread_id": thread}}
    result = graph.invoke({"messages": [("user", text)]}, config, context=context)
    while waiting := result.get("__interrupt__"):
        try:
            answers = {each.id: decide(each.value) for each in waiting}
        except EOFError:
            raise RequestError(
                "needs_a_person", "nobody decided: the input ended; the request is not answered"
            ) from None
        result = graph.invoke(Command(resume=answers), config, context=at_this_terminal(context))
    return result["messages"][-1].text, result["decision"]


def at_this_terminal(context: MoSLMContext) -> MoSLMContext:
    """Return the context in which whoever sits here decides: as who is logged in, and no less than a reviewer.

    The role of the options is that of the request; whoever can type here could have given any.
    """
    try:
        user: str | None = getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in containers
        user = None
    role = context.role if context.role in MAY_DECIDE else "reviewer"
    return context.model_copy(update={"user": user or context.user, "role": role})


def nobody(question: dict[str, Any]) -> dict[str, Any]:
    """Stand in for a person where there is none.

    Raises:
        RequestError: Always; names what waits.
    """
    from moslm.nodes.review import ANSWER_AT_CAP, ANSWER_CUSTOMER, ESCALATE, SHOW_DRAFT

    names = [request["name"] for request in question["action_requests"]]
    # operators run a tool's writes without a review; whatever else waits for a person waits for them too
    others = {ANSWER_AT_CAP, ANSWER_CUSTOMER, ESCALATE, SHOW_DRAFT}
    or_else = "" if others.intersection(names) else ", or with --role operator if you may"
    raise RequestError(
        "needs_a_person", f"a person must decide about {', '.join(names)}; ask in a terminal without --json{or_else}"
    )
