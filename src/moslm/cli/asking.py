"""Asking the graph from the terminal: one request, with a person's decisions where a run waits for them."""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, get_args

from moslm.cli.identity import Identity, add_token, identified
from moslm.cli.review import at_the_terminal
from moslm.cli.settings import config_file, settings
from moslm.context import MoSLMContext, Role, resolve_context
from moslm.errors import ConfigError, RequestError
from moslm.governance.access.actions import BUILT_IN

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph

Decide = Callable[[dict[str, Any]], dict[str, Any]]
"""Answers one interrupt: takes its ``action_requests`` and ``review_configs``, returns ``{"decisions": [...]}``."""


def add_caller(parser: argparse.ArgumentParser) -> None:
    """Add who asks, and which threshold holds for them."""
    add_token(parser)
    parser.add_argument("--tenant", help="whose data this is (default, or the token's)")
    parser.add_argument("--role", choices=get_args(Role), help="operators run writes without a review (user)")
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


def caller(options: argparse.Namespace) -> tuple[MoSLMContext, Identity]:
    """Return the context of a run from the command's options, and who works here.

    Raises:
        ConfigError: One of them cannot stand.
        AccessDenied: They may not ask, or claim to be another than their token proves.
    """
    given = {"tenant": options.tenant, "role": options.role, "threshold": options.threshold}
    try:
        claimed = resolve_context({"moslm": {name: value for name, value in given.items() if value is not None}})
    except ConfigError as error:
        # here it was an option, and the mend for contexts is none
        raise ConfigError(error.problem, key=f"--{error.key}", value=error.value) from None
    identity = identified(settings(options.config), options.token)
    return identity.context(claimed), identity


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
    graph: CompiledStateGraph[Any, Any, Any, Any],
    text: str,
    context: MoSLMContext,
    thread: str,
    decide: Decide,
    identity: Identity,
) -> tuple[str, dict[str, Any]]:
    """Ask one request and return the reply's text and the decision as plain JSON.

    Args:
        graph: The compiled graph.
        text: The request.
        context: Who asks.
        thread: The conversation.
        decide: Answers what waits for a person.
        identity: Who works here, and decides.

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
        result = graph.invoke(Command(resume=answers), config, context=at_this_terminal(context, identity))
    return result["messages"][-1].text, result["decision"]


def at_this_terminal(context: MoSLMContext, identity: Identity) -> MoSLMContext:
    """Return the context in which whoever sits here decides: as their token proves, or else as who is logged in.

    Without a token the role of the options is that of the request; whoever can type here could have given any, so
    they are no less than a reviewer.
    """
    if identity.caller is not None:
        return context
    try:
        user: str | None = getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in containers
        user = None
    role = context.role if "review" in BUILT_IN[context.role] else "reviewer"
    return context.model_copy(update={"user": user or context.user, "role": role})


def deciding(identity: Identity, at_a_terminal: bool) -> Decide:
    """Return who decides what waits for a person: whoever sits here, where they may."""
    if not at_a_terminal:
        return nobody
    if identity.may("review"):
        return at_the_terminal
    return _may_not_decide


def _may_not_decide(question: dict[str, Any]) -> dict[str, Any]:
    names = ", ".join(request["name"] for request in question["action_requests"])
    raise RequestError("needs_a_person", f"a person must decide about {names}, and your role may not review")


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
