"""``declined_share``: the share of requests that ended with an honest "I do not know", or with a person."""

from __future__ import annotations

from collections.abc import Sequence

from moslm.evals.figures import Figure, share
from moslm.evals.metrics.scope import asked
from moslm.evals.outcomes import Outcome


def declined_share(outcomes: Sequence[Outcome]) -> Figure:
    """Return the share."""
    found = asked(outcomes)
    return share(sum(each.ending == "declined" for each in found), len(found))
