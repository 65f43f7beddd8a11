"""``resolution``: the share of requests that were answered right without a person, by whichever model."""

from __future__ import annotations

from collections.abc import Sequence

from moslm.evals.figures import Figure, share
from moslm.evals.metrics.scope import asked
from moslm.evals.outcomes import Outcome


def resolution(outcomes: Sequence[Outcome]) -> Figure:
    """Return the share."""
    found = asked(outcomes)
    solved = [each for each in found if each.ending == "right" and each.way in ("local", "escalated", "recalled")]
    return share(len(solved), len(found))
