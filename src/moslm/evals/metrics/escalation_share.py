"""``escalation_share``: how many of the requests that were put to the system left the small models."""

from __future__ import annotations

from collections.abc import Sequence

from moslm.evals.figures import Figure, share
from moslm.evals.metrics.scope import asked, judged, went_up
from moslm.evals.outcomes import Outcome


def escalation_share(outcomes: Sequence[Outcome]) -> Figure:
    """Return the share; what was refused is counted on neither side."""
    found = [each for each in asked(outcomes) if judged(each)]
    return share(sum(went_up(each) for each in found), len(found))
