"""``availability``: the share of requests with a proper end: an answer, a person, or a refusal that says why."""

from __future__ import annotations

from collections.abc import Sequence

from moslm.evals.figures import Figure, share
from moslm.evals.metrics.scope import asked
from moslm.evals.outcomes import Outcome


def availability(outcomes: Sequence[Outcome]) -> Figure:
    """Return the share of requests that did not fail."""
    found = asked(outcomes)
    return share(sum(each.ending != "failed" for each in found), len(found))
