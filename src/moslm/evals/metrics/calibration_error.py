"""``calibration_error``: how far confidence is from the share of drafts that are right, over bins of equal mass."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from moslm.escalation.calibration.judging import equal_mass_error
from moslm.evals.figures import Array, Figure, bootstrap
from moslm.evals.metrics.needed import ENOUGH, with_graded_drafts
from moslm.evals.metrics.scope import groups
from moslm.evals.outcomes import Outcome

LEAST = 20
"""Fewer drafts say nothing: chance alone would look like an error."""


def calibration_error(outcomes: Sequence[Outcome]) -> Figure:
    """Return the expected calibration error, over graded drafts whose confidence is known."""
    found = [each for each in with_graded_drafts(outcomes) if each.confidence is not None]
    if len(found) < LEAST:
        return Figure(value=None, n=len(found), unit="score", why=f"fewer than {LEAST} drafts with a confidence")
    said = np.array([each.confidence for each in found], dtype=np.float64)
    right = np.array([(each.draft_score or 0.0) >= ENOUGH for each in found], dtype=bool)

    def statistic(drawn: Array) -> float:
        chosen = drawn.astype(np.intp)
        return equal_mass_error(said[chosen], right[chosen])

    # drawn with replacement, bins of fewer different drafts look worse: the interval errs upwards
    return bootstrap([float(i) for i in range(len(found))], groups(found), statistic, unit="score", resamples=400)
