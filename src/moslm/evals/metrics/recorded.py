"""``recorded``: the share of requests with a closed Decision, without which nothing can be audited."""

from __future__ import annotations

from collections.abc import Sequence

from moslm.evals.figures import Figure, share
from moslm.evals.metrics.scope import asked
from moslm.evals.outcomes import Outcome


def recorded(outcomes: Sequence[Outcome]) -> Figure:
    """Return the share."""
    found = asked(outcomes)
    return share(sum(bool((each.decision or {}).get("closed_at")) for each in found), len(found))
