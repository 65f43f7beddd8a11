"""``expected_up``: of the requests that must go up by what the suite says, the share that did."""

from __future__ import annotations

from collections.abc import Sequence

from moslm.evals.figures import Figure, share
from moslm.evals.metrics.scope import judged, went_up
from moslm.evals.outcomes import Outcome


def expected_up(outcomes: Sequence[Outcome]) -> Figure:
    """Return the share."""
    found = [each for each in outcomes if each.tags.get("escalate") == "yes" and judged(each)]
    return share(sum(map(went_up, found)), len(found))
