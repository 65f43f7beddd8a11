"""``escalation_recall``: of the drafts that were not good enough, the share that was not shown."""

from __future__ import annotations

from collections.abc import Sequence

from moslm.evals.figures import Figure, share
from moslm.evals.metrics.needed import UNKNOWN, needed, with_graded_drafts
from moslm.evals.metrics.scope import went_up
from moslm.evals.outcomes import Outcome


def escalation_recall(outcomes: Sequence[Outcome]) -> Figure:
    """Return the share, over requests whose draft was graded."""
    found = [each for each in with_graded_drafts(outcomes) if needed(each)]
    made = share(sum(map(went_up, found)), len(found))
    return made if found else made.model_copy(update={"why": f"{UNKNOWN} as wrong"})
