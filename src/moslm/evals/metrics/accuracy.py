"""``accuracy``: the mean of the points, over all that was asked; what got no answer has none."""

from __future__ import annotations

from collections.abc import Sequence

from moslm.evals.figures import Figure, bootstrap
from moslm.evals.metrics.scope import asked, groups
from moslm.evals.outcomes import Outcome


def accuracy(outcomes: Sequence[Outcome]) -> Figure:
    """Return the mean of the points."""
    found = asked(outcomes)
    return bootstrap([each.worth for each in found], groups(found), unit="share")
