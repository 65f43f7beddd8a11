"""``expected_local``: of the requests that must not go up by what the suite says, the share that stayed."""

from __future__ import annotations

from collections.abc import Sequence

from moslm.evals.figures import Figure, share
from moslm.evals.metrics.scope import judged, went_up
from moslm.evals.outcomes import Outcome


def expected_local(outcomes: Sequence[Outcome]) -> Figure:
    """Return the share."""
    found = [each for each in outcomes if each.tags.get("escalate") == "no" and judged(each)]
    return share(sum(not went_up(each) for each in found), len(found))
