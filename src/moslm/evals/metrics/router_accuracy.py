"""``router_accuracy``: the share of requests that were taken for the domain they belong to."""

from __future__ import annotations

from collections.abc import Sequence

from moslm.evals.figures import Figure, share
from moslm.evals.outcomes import Outcome


def router_accuracy(outcomes: Sequence[Outcome]) -> Figure:
    """Return the share, over the requests that belong to one domain and of systems that say what they take it for."""
    found = [each for each in outcomes if each.domain is not None and each.routed_to is not None]
    made = share(sum(each.routed_to == each.domain for each in found), len(found))
    return made if found else made.model_copy(update={"why": "no request of a domain was routed"})
