"""``satisfaction``: the share of answers that people rate 4 or 5 of 5; where none did, that a judge grades so."""

from __future__ import annotations

from collections.abc import Sequence

from moslm.evals.figures import Figure, share
from moslm.evals.metrics.scope import asked
from moslm.evals.outcomes import Outcome

RATED = "rating"
"""Tag of an outcome that a person rated: from 1 to 5."""
JUDGED = "judged"
"""Tag of an outcome that a judge graded: from 1 to 5."""


def satisfaction(outcomes: Sequence[Outcome]) -> Figure:
    """Return the share, and who says so."""
    found = asked(outcomes)
    for tag, who in ((RATED, "rated by people"), (JUDGED, "graded by a judge; nobody has rated")):
        rated = [each.tags[tag] for each in found if tag in each.tags]
        if rated:
            return share(sum(int(each) >= 4 for each in rated), len(rated)).model_copy(update={"why": who})
    return Figure(value=None, n=0, why="nobody has rated, and no judge was asked")
