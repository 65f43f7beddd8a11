"""``unparsed_share``: the share of requests that had an answer the grader could not read."""

from __future__ import annotations

from collections.abc import Sequence

from moslm.evals.figures import Figure, share
from moslm.evals.metrics.scope import asked
from moslm.evals.outcomes import Outcome


def unparsed_share(outcomes: Sequence[Outcome]) -> Figure:
    """Return the share."""
    found = asked(outcomes)
    return share(sum(each.ending == "unparsed" for each in found), len(found))
