"""`DomainAgent`: a domain as it answers. Made by `moslm.graph.agents`; knows no request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from langchain_core.runnables import Runnable

from moslm.escalation.opinions import SecondOpinion
from moslm.escalation.stopping import Lookouts
from moslm.governance.access.permissions import Permissions
from moslm.models.leaving import Form
from moslm.models.paying import PriceOf, Till
from moslm.models.replicas.replica import ReplicaState
from moslm.nodes.callers import Offer
from moslm.state import Draft

Worth = Callable[[Draft, SecondOpinion, float | None], bool]
"""(finished draft, second opinion, the caller's own threshold) -> whether asking is worth its price."""


@dataclass(frozen=True, slots=True)
class DomainAgent:
    """A domain as it answers: its model, its words, its tools or its handbook."""

    name: str
    model: Runnable[Any, Any]
    """Chat model, tools bound, tagged so that its tokens are never streamed."""
    model_name: str
    prompt: str
    tools: Runnable[Any, Any] | None
    """LangGraph's `ToolNode`; None when the model works from passages."""
    effects: dict[str, str]
    """Effect of each tool by name; no other tool can run."""
    how_to_call: Callable[[str], str]
    """What to tell a model whose call of the named tool could not be read."""
    search: Runnable[Any, Any] | None
    """Handbook search (text -> passages) for a model that calls no tools."""
    price: PriceOf
    """What its model's calls cost, US dollars."""
    deadline_s: float
    max_rounds: int
    max_input_tokens: int
    second_opinions: tuple[SecondOpinion, ...] = ()
    """What may be asked for where the cheap signals leave doubt, the cheapest first."""
    worth: Worth = lambda draft, opinion, threshold: False
    lookout: Lookouts | None = None
    """What may stop a draft while it is written; None where all drafts are finished."""
    required: Callable[[float | None], float] = lambda own: own or 0.0
    """The confidence a draft needs, given the threshold its caller asked for."""
    most_tokens: int | None = None
    """The longest answer of its model, where it says so."""
    optimistic: bool = False
    """Whether the model's tokens stream while they are written."""
    offer: Offer | None = None
    """Binds the caller's tools beside the domain's own; None for a model that calls none."""
    revision: Callable[[], str] = lambda: ""
    """Revision of the model's weights, as a calibration knows it."""
    till: Till | None = None
    """Where its model's calls are paid; None for a model whose calls are free."""
    leaves: Form | None = None
    """How its model's calls are hidden where they leave the premises; None for a model inside."""
    tool_bytes: int = 0
    """Size of its tools as its model is told of them."""
    permissions: Permissions = field(default_factory=Permissions)
    """Whose writes run without a person's approval."""
    replicas: Callable[[], tuple[ReplicaState, ...]] = lambda: ()
    """What is known of the servers of its model; nothing of a model that has none."""
