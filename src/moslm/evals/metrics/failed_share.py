"""``failed_share``: the share of requests to which no answer came."""

from __future__ import annotations

from collections.abc import Sequence

from moslm.evals.figures import Figure, share
from moslm.evals.metrics.scope import asked
from moslm.evals.outcomes import Outcome


def failed_share(outcomes: Sequence[Outcome]) -> Figure:
    """Return the share."""
    found = asked(outcomes)
    return share(sum(each.ending == "failed" for each in found), len(found))
