"""``escalation_precision``: of the drafts that were not shown, the share that was indeed not good enough."""

from __future__ import annotations

from collections.abc import Sequence

from moslm.evals.figures import Figure, share
from moslm.evals.metrics.needed import UNKNOWN, needed, with_graded_drafts
from moslm.evals.metrics.scope import went_up
from moslm.evals.outcomes import Outcome


def escalation_precision(outcomes: Sequence[Outcome]) -> Figure:
    """Return the share, over escalated requests whose draft was graded."""
    found = [each for each in with_graded_drafts(outcomes) if went_up(each)]
    made = share(sum(map(needed, found)), len(found))
    return made if found else made.model_copy(update={"why": f"{UNKNOWN} among the escalated"})
