"""``refused_share``: the share of requests that a cap, a rule or a screen turned away."""

from __future__ import annotations

from collections.abc import Sequence

from moslm.evals.figures import Figure, share
from moslm.evals.metrics.scope import asked
from moslm.evals.outcomes import Outcome


def refused_share(outcomes: Sequence[Outcome]) -> Figure:
    """Return the share."""
    found = asked(outcomes)
    return share(sum(each.ending == "refused" for each in found), len(found))
