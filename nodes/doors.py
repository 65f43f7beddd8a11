"""The door a request's calls leave through, and how what went through it is written down."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from moslm.decision import EgressUse
from moslm.models.leaving import Crossing, Door
from moslm.privacy.boundary import Labels
from moslm.state import Request

DoorOf = Callable[[Labels, str], Door]
"""(labels of a request, its conversation) -> its door."""


def door_of(request: Request, domain: str | None, doors: DoorOf) -> Door:
    """Return the door of a request.

    Args:
        request: The request; its placeholders are those of its thread, or its own outside of one.
        domain: The domain it is about; None where it was not settled.
        doors: Makes it.
    """
    labels = Labels(request["tenant"], domain, request.get("sensitivity", "internal"), request.get("region"))
    return doors(labels, request["thread_id"] or request["id"])


def egress_uses(crossings: Sequence[Crossing]) -> list[EgressUse]:
    """Return what was to leave, as a Decision keeps it."""
    return [
        EgressUse(model=each.model, ruling=each.may_leave, rule=each.rule, hidden=each.hidden) for each in crossings
    ]
