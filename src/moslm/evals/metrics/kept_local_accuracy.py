"""``kept_local_accuracy``: the mean of the points over the answers that small models gave and that were shown."""

from __future__ import annotations

from collections.abc import Sequence

from moslm.evals.figures import Figure, bootstrap
from moslm.evals.metrics.scope import asked, groups
from moslm.evals.outcomes import Outcome


def kept_local_accuracy(outcomes: Sequence[Outcome]) -> Figure:
    """Return the mean of the points."""
    found = [each for each in asked(outcomes) if each.way == "local"]
    made = bootstrap([each.worth for each in found], groups(found), unit="share")
    return made if found else made.model_copy(update={"why": "no answer was kept local"})
